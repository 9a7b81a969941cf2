#include "canary_metrics.hpp"

#include <prometheus/registry.h>

#include <set>

#include "eventgate/logging/log.hpp"
#include "families.hpp"

namespace eventgate {
namespace {

prometheus::Counter& canaries(Metrics& metrics, const char* outcome) {
  return Families(metrics)
      .counters("eventgate_canaries_total", "Canary events that the gate made, by outcome.")
      .Add({{"outcome", outcome}});
}

}  // namespace

CanaryMetrics::CanaryMetrics(Metrics& metrics)
    : produced_(canaries(metrics, "produced")),
      failed_(canaries(metrics, "failed")),
      streams_(
          Families(metrics).gauges("eventgate_canary_streams", "Streams that canary events are made for.").Add({})),
      failing_(
          Families(metrics).gauges("eventgate_canary_failing",
                                   "1 if the last canary event of the stream was not produced, else 0, by stream.")) {}

void CanaryMetrics::set_streams(const std::vector<std::string>& streams) {
  const std::lock_guard lock(mutex_);
  streams_.Set(static_cast<double>(streams.size()));
  const std::set<std::string_view> declared(streams.begin(), streams.end());
  for (auto known = gauges_.begin(); known != gauges_.end();) {
    if (declared.contains(known->first)) {
      ++known;
      continue;
    }
    failing_.Remove(known->second);
    known = gauges_.erase(known);
  }
  for (const std::string& stream : streams) {
    prometheus::Gauge*& known = gauges_[stream];
    if (!known) known = &failing_.Add({{"stream", stream}});
  }
}

void CanaryMetrics::produced(std::string_view stream) {
  produced_.Increment();
  set_failing(stream, false);
}

void CanaryMetrics::failed(std::string_view stream, std::string_view reason) {
  failed_.Increment();
  set_failing(stream, true);
  const auto left_out = limit_.admit("canary");
  if (!left_out) return;
  log(LogLevel::error, "A canary event is not produced",
      {{"stream", stream}, {"message", reason}, {"left_out", static_cast<long long>(*left_out)}});
}

/// A stream that is taken out meanwhile has no gauge any more.
void CanaryMetrics::set_failing(std::string_view stream, bool is_failing) {
  const std::lock_guard lock(mutex_);
  if (const auto found = gauges_.find(stream); found != gauges_.end()) found->second->Set(is_failing ? 1 : 0);
}

}  // namespace eventgate
