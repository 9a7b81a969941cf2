#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace eventgate {

/// The topics' `max.message.bytes`, as far as known.
///
/// Thread-safe.
class TopicLimits {
 public:
  /// Bytes; 0 if it is not known.
  std::size_t of(const std::string& topic) const;

  /// Whether it is time to ask.
  bool due(const std::string& topic) const;

  /// Asks Kafka. Blocks up to `timeout` for each hundred.
  void read(rd_kafka_t* client, const std::vector<std::string>& topics, std::chrono::milliseconds timeout);

 private:
  struct Limit {
    std::size_t bytes = 0;  // 0: not known
    std::chrono::steady_clock::time_point asked;
  };

  mutable std::mutex mutex_;
  std::unordered_map<std::string, Limit> limits_;
};

}  // namespace eventgate
