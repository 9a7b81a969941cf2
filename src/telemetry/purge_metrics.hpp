#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <string_view>

#include "eventgate/telemetry/metrics.hpp"

namespace eventgate {

/// What became of the partitions of the output that are past their time. Thread-safe.
class PurgeMetrics {
 public:
  explicit PurgeMetrics(Metrics& metrics);

  void partition_purged(std::string_view path);
  /// `suspicion` says why nothing is deleted. Empty: nothing is suspicious.
  void checked(std::string_view suspicion);

 private:
  prometheus::Counter& purged_;
  prometheus::Gauge& stopped_;
};

}  // namespace eventgate
