#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace eventgate {

/// Caches `max.message.bytes` of topics, for the message about a record that is too large.
///
/// Thread-safe.
class TopicLimits {
 public:
  /// Returns `max.message.bytes` of `topic`, or 0 if it is not known.
  std::size_t max_bytes(const std::string& topic) const;

  /// Returns true if Kafka was not asked for `topic`, or not lately.
  bool is_due(const std::string& topic) const;

  /// Asks Kafka for the limits of `topics`. Blocks up to `timeout` for each kTopicsPerDescription of them.
  void read(rd_kafka_t* client, const std::vector<std::string>& topics, std::chrono::milliseconds timeout);

 private:
  struct Limit {
    std::size_t bytes = 0;  // 0 if not known
    std::chrono::steady_clock::time_point asked_at;
  };

  mutable std::mutex mutex_;
  std::unordered_map<std::string, Limit> limits_;
};

}  // namespace eventgate
