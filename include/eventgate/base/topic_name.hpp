#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "eventgate/base/ascii.hpp"

namespace eventgate {

/// Bytes of the longest name that Kafka takes for a topic.
inline constexpr std::size_t kMaxTopicName = 249;

/// Returns true if the name of a topic may have `c`.
constexpr bool is_topic_character(char c) { return is_ascii_alphanumeric(c) || c == '.' || c == '_' || c == '-'; }

/// Returns true if Kafka takes `topic` as a name. librdkafka does not check it, and a file output makes it a directory.
constexpr bool is_topic_name(std::string_view topic) {
  return !topic.empty() && topic.size() <= kMaxTopicName && topic != "." && topic != ".." &&
         std::all_of(topic.begin(), topic.end(), is_topic_character);
}

/// The delivery failure of a record whose topic is no `is_topic_name`.
inline constexpr std::string_view kInvalidTopicMessage =
    "Broker: Invalid topic: expected 1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-'";

}  // namespace eventgate
