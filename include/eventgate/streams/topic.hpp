#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "eventgate/streams/stream_configs.hpp"

namespace eventgate {

/// Returns the topic of `stream`: `topic_prefix` and the stream. The prefix is left out if the stream starts with
/// `eventlogging_` or its config says so. `config` may be null. Kafka may reject the name: see `legal_topic`.
std::string topic_name(std::string_view topic_prefix, std::string_view stream, const StreamConfig* config);

/// Returns the topic of `stream` as `topic_name` does, or nullopt if Kafka rejects it as a name.
std::optional<std::string> legal_topic(std::string_view topic_prefix, std::string_view stream,
                                       const StreamConfig* config);

/// Returns the stream that the default set-up gives an event without one: the schema_uri with `_` for each character
/// outside `[A-Za-z0-9_.-]`, without leading `_`.
std::string stream_of_schema_uri(std::string_view schema_uri);

}  // namespace eventgate
