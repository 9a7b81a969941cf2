#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "eventgate/events/field_path.hpp"
#include "eventgate/events/json_nodes.hpp"
#include "eventgate/streams/stream_configs.hpp"

namespace eventgate {

/// Whether `topic` is a legal Kafka topic name: 1 to 249 of `[a-zA-Z0-9._-]`, not `.` or `..`.
bool is_topic_name(std::string_view topic);

/// The topic of `stream`: with `topic_prefix`, but bare if the stream starts with `eventlogging_` or its config says
/// so.
std::string topic_name(std::string_view topic_prefix, std::string_view stream, const StreamConfig* config);

/// The default set-up's stream of an event without one: the schema_uri, each character outside `[A-Za-z0-9_.-]` made
/// `_`, leading `_` dropped.
std::string stream_of_schema_uri(std::string_view schema_uri);

/// The message_key of `event`: a JSON object of the config's `message_key_fields`, as JSON.stringify writes it (numbers
/// too); dotted key paths nest. Nothing without such fields. The error is `Failed extracting X from event, field is not
/// defined.`
boost::system::result<std::optional<std::string>, std::string> message_key(const StreamConfig& config, JsonValue event);

/// Milliseconds since the epoch of an ISO 8601 / RFC 3339 date-time, as JavaScript's Date reads it. Nothing if it is
/// none.
std::optional<std::int64_t> parse_timestamp(std::string_view text);

}  // namespace eventgate
