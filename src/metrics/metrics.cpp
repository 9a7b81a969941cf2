#include "eventgate/metrics/metrics.hpp"

#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>
#include <utility>

namespace eventgate {

struct Metrics::Impl {
  struct Observed {
    prometheus::Gauge* gauge;
    std::function<double()> value;
  };

  std::string service;
  prometheus::Registry registry;
  std::mutex mutex;
  std::map<std::string, Observed> observed;
};

Metrics::Metrics(std::string service) : impl_(std::make_unique<Impl>()) { impl_->service = std::move(service); }

Metrics::~Metrics() = default;

std::string Metrics::text() const {
  {
    const std::lock_guard lock(impl_->mutex);
    for (auto& [name, of] : impl_->observed) of.gauge->Set(of.value());
  }
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

void Metrics::observe(const std::string& name, const std::string& help, std::function<double()> value) {
  prometheus::Gauge& gauge = prometheus::BuildGauge()
                                 .Name(name)
                                 .Help(help)
                                 .Labels({{"service", impl_->service}})
                                 .Register(impl_->registry)
                                 .Add({});
  const std::lock_guard lock(impl_->mutex);
  impl_->observed.insert_or_assign(name, Impl::Observed{&gauge, std::move(value)});
}

const std::string& Metrics::service() const { return impl_->service; }

prometheus::Registry& Metrics::registry() { return impl_->registry; }

}  // namespace eventgate
