#include "eventgate/telemetry/metrics.hpp"

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace eventgate {

struct Metrics::Impl {
  struct Observed {
    prometheus::Gauge* gauge;
    std::function<double()> value;
  };

  struct ObservedTotal {
    prometheus::Counter* counter;
    std::function<double()> value;
  };

  /// Returns the only series of a new metric. `builder` is of a gauge or a counter.
  template <typename Builder>
  auto& register_one(Builder builder, const std::string& name, const std::string& help) {
    return builder.Name(name).Help(help).Labels({{"service", service}}).Register(registry).Add({});
  }

  std::string service;
  prometheus::Registry registry;
  std::mutex mutex;
  std::map<std::string, Observed> observed;
  std::map<std::string, ObservedTotal> totals;
  std::vector<std::weak_ptr<prometheus::Collectable>> added;
};

Metrics::Metrics(std::string service) : impl_(std::make_unique<Impl>()) { impl_->service = std::move(service); }

Metrics::~Metrics() = default;

std::string Metrics::text() const {
  std::vector<std::weak_ptr<prometheus::Collectable>> added;
  {
    const std::lock_guard lock(impl_->mutex);
    for (auto& [name, observed] : impl_->observed) observed.gauge->Set(observed.value());
    for (auto& [name, total] : impl_->totals)
      total.counter->Increment(std::max(0.0, total.value() - total.counter->Value()));
    added = impl_->added;
  }
  std::vector<prometheus::MetricFamily> families = impl_->registry.Collect();
  for (const auto& weak : added) {
    const auto metrics = weak.lock();
    if (!metrics) continue;
    std::vector<prometheus::MetricFamily> more = metrics->Collect();
    std::move(more.begin(), more.end(), std::back_inserter(families));
  }
  return prometheus::TextSerializer().Serialize(families);
}

void Metrics::add(std::weak_ptr<prometheus::Collectable> metrics) {
  const std::lock_guard lock(impl_->mutex);
  std::erase_if(impl_->added, [](const auto& weak) { return weak.expired(); });
  impl_->added.push_back(std::move(metrics));
}

void Metrics::observe(const std::string& name, const std::string& help, std::function<double()> value) {
  prometheus::Gauge& gauge = impl_->register_one(prometheus::BuildGauge(), name, help);
  const std::lock_guard lock(impl_->mutex);
  impl_->observed.insert_or_assign(name, Impl::Observed{&gauge, std::move(value)});
}

void Metrics::observe_total(const std::string& name, const std::string& help, std::function<double()> value) {
  prometheus::Counter& counter = impl_->register_one(prometheus::BuildCounter(), name, help);
  const std::lock_guard lock(impl_->mutex);
  impl_->totals.insert_or_assign(name, Impl::ObservedTotal{&counter, std::move(value)});
}

const std::string& Metrics::service() const { return impl_->service; }

prometheus::Registry& Metrics::registry() { return impl_->registry; }

}  // namespace eventgate
