#pragma once

#include <algorithm>
#include <string_view>

namespace eventgate {

/// Whether Kafka would take `topic` as a name. librdkafka does not look, and a file output makes it a directory.
inline bool is_kafka_name(std::string_view topic) {
  return !topic.empty() && topic.size() <= 249 && topic != "." && topic != ".." &&
         std::all_of(topic.begin(), topic.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                  c == '-';
         });
}

/// What is said of one it would not.
inline constexpr std::string_view kNoKafkaName =
    "Broker: Invalid topic: expected 1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-'";

}  // namespace eventgate
