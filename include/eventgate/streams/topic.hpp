#pragma once

#include <chrono>
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

/// Returns the config of the stream that has `topic`, or null: of the stream without `topic_prefix`, of that with the
/// topic's name, or of that behind the first dot, which other gates' prefixes end with.
const StreamConfig* config_of_topic(const StreamConfigs& configs, std::string_view topic_prefix,
                                    std::string_view topic);

/// Returns how long the files of `topic` are kept: as the `retention` of its stream says, else `output_retention`, of
/// which 0 is for ever. Nullopt: for ever. `configs` may be null.
std::optional<std::chrono::hours> retention_of_topic(const StreamConfigs* configs, std::string_view topic_prefix,
                                                     std::chrono::hours output_retention, std::string_view topic);

/// Returns the stream that the default set-up gives an event without one: the schema_uri with `_` for each character
/// outside `[A-Za-z0-9_.-]`, without leading `_`.
std::string stream_of_schema_uri(std::string_view schema_uri);

}  // namespace eventgate
