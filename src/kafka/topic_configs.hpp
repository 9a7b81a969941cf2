#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace eventgate {

/// The options of a topic as Kafka has them, its defaults included, or why they are not known.
struct TopicConfig {
  std::map<std::string, std::string, std::less<>> options;
  std::string problem;  ///< In librdkafka's words. Empty if the options are known.

  /// The number that the option has; 0 if it is not known.
  std::size_t number(std::string_view option) const;
};

/// More topics than these make an answer of Kafka large.
constexpr std::size_t kTopicsPerDescription = 100;

/// Asks Kafka for the options of `topics`, which are not more than kTopicsPerDescription. Each has an entry in the
/// answer. Blocks up to `timeout`.
///
/// Thread-safe.
std::map<std::string, TopicConfig> read_topic_configs(rd_kafka_t* client, std::span<const std::string> topics,
                                                      std::chrono::milliseconds timeout);

}  // namespace eventgate
