#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <string>

#include "eventgate/telemetry/metrics.hpp"

namespace eventgate {

/// Registers families of metrics, each with the label `service`. Thread-safe, as the registry is.
class Families {
 public:
  /// `metrics` must outlive this.
  explicit Families(Metrics& metrics) : metrics_(metrics) {}

  prometheus::Family<prometheus::Counter>& counters(const std::string& name, const std::string& help) {
    return registered<prometheus::Counter>(prometheus::BuildCounter(), name, help);
  }
  prometheus::Family<prometheus::Gauge>& gauges(const std::string& name, const std::string& help) {
    return registered<prometheus::Gauge>(prometheus::BuildGauge(), name, help);
  }
  prometheus::Family<prometheus::Histogram>& histograms(const std::string& name, const std::string& help) {
    return registered<prometheus::Histogram>(prometheus::BuildHistogram(), name, help);
  }

 private:
  template <typename Metric, typename Builder>
  prometheus::Family<Metric>& registered(Builder builder, const std::string& name, const std::string& help) {
    return builder.Name(name).Help(help).Labels({{"service", metrics_.service()}}).Register(metrics_.registry());
  }

  Metrics& metrics_;
};

}  // namespace eventgate
