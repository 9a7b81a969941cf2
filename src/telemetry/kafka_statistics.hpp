#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/telemetry/metrics.hpp"

namespace eventgate {

/// The eventgate_rdkafka_* gauges, which show librdkafka's statistics (described in its STATISTICS.md) under the names
/// of the original.
///
/// Thread-safe.
class KafkaStatistics {
 public:
  /// `metrics` must outlive this.
  explicit KafkaStatistics(Metrics& metrics);
  ~KafkaStatistics();

  /// Sets the gauges of `producer_type` from `json`. Removes those of brokers, topics and partitions that `json` no
  /// longer has. Returns false if `json` is no JSON object.
  bool set(std::string_view producer_type, std::string_view json);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate
