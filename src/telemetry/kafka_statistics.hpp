#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/telemetry/metrics.hpp"

namespace eventgate {

/// The eventgate_rdkafka_* gauges, set from librdkafka's statistics (its STATISTICS.md), with the original's names.
///
/// Thread-safe.
class KafkaStatistics {
 public:
  explicit KafkaStatistics(Metrics& metrics);
  ~KafkaStatistics();

  /// Sets the gauges of `producer_type` from `json`; those of brokers, topics and partitions no longer in it go.
  /// Returns whether it was read.
  bool set(std::string_view producer_type, std::string_view json);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate
