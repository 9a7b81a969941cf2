#pragma once

#include <boost/system/result.hpp>
#include <optional>
#include <string>

#include "eventgate/json/json_nodes.hpp"
#include "eventgate/streams/stream_configs.hpp"

namespace eventgate {

/// Returns the Kafka message key of `event`: a JSON object of the config's `message_key_fields`, as JSON.stringify
/// writes it, numbers included. A dotted key path makes nested objects. Returns nullopt if the config names no such
/// fields. Returns the error `Failed extracting X from event, field is not defined.` if the event lacks one.
boost::system::result<std::optional<std::string>, std::string> message_key(const StreamConfig& config, JsonValue event);

}  // namespace eventgate
