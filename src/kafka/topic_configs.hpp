#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace eventgate {

/// The options of a topic, or of a broker, in Kafka, including defaults, or the reason why they are not known.
struct TopicConfig {
  std::map<std::string, std::string, std::less<>> options;
  std::string problem;  ///< librdkafka's text. Empty if the options are known.

  /// Returns the value of a numeric option, or 0 if it is not known.
  std::size_t number(std::string_view option) const;
};

/// Topics in one request. It bounds the size of Kafka's answer.
inline constexpr std::size_t kTopicsPerDescription = 100;

/// Asks Kafka for the options of `topics`, at most kTopicsPerDescription of them. The result has an entry for each
/// topic. Blocks up to `timeout`.
///
/// Thread-safe.
std::map<std::string, TopicConfig> read_topic_configs(rd_kafka_t* client, std::span<const std::string> topics,
                                                      std::chrono::milliseconds timeout);

/// Asks the broker with this id for its own options. Blocks up to `timeout`. Thread-safe.
TopicConfig read_broker_config(rd_kafka_t* client, std::int32_t broker, std::chrono::milliseconds timeout);

}  // namespace eventgate
