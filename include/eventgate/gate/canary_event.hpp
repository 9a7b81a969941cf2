#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <string>
#include <string_view>

#include "eventgate/gate/gate_types.hpp"
#include "eventgate/json/json_nodes.hpp"
#include "eventgate/schema/compiled_schema.hpp"
#include "eventgate/streams/stream_configs.hpp"

// A canary is an event that is made for a stream in each interval, so that a quiet stream can be told from a broken
// path: the first example of the schema's newest version, with `meta.domain` `canary`. Readers leave such events out.

namespace eventgate {

/// The value of `meta.domain` that tells canaries from other events.
inline constexpr std::string_view kCanaryDomain = "canary";

/// Returns true if the gate `service_name` makes canaries for the stream of `config`: `canary_events_enabled` is true,
/// and `destination_event_service`, if it is set, is `service_name`.
bool has_canaries(const StreamConfig& config, std::string_view service_name);

/// Returns the URI of the newest version of the schema with the title `schema_title`.
std::string newest_schema_uri(std::string_view schema_title);

/// Returns the time in each interval at which the canary of `stream` is due. It spreads streams over the interval, and
/// is the same for every gate.
std::chrono::seconds canary_offset(std::string_view stream, std::chrono::seconds interval);

/// Returns the start of the interval that `time` is in. Intervals count from 1970.
std::chrono::system_clock::time_point interval_start(std::chrono::system_clock::time_point time,
                                                     std::chrono::seconds interval);

/// Returns the id of a canary: the UUID, version 5 (RFC 9562), of stream, topic prefix and start of the interval. Gates
/// that share a topic prefix make the same, so that readers who look at ids see one.
std::string canary_id(std::string_view stream, std::string_view topic_prefix,
                      std::chrono::system_clock::time_point interval_start);

/// What differs from canary to canary.
struct Canary {
  std::string stream;
  std::chrono::system_clock::time_point interval_start;
  std::chrono::system_clock::time_point made_at;  ///< `dt`, where the schema declares it, and `meta.dt`.
};

/// The reason why there is no canary: what was expected.
struct CanaryFailure {
  std::string reason;
};
using CanaryText = boost::system::result<std::string, CanaryFailure>;

/// Returns the text of the event, or what was expected if the schema has no example. `document` is the JSON text of the
/// schema, and `schema` the same compiled. Everything else is as in the example.
CanaryText canary_event(const Canary& canary, const std::string& document, const CompiledSchema& schema,
                        const GateOptions& options);

/// Returns why `schema` refuses `event`, or an empty text.
std::string canary_problem(JsonValue event, const CompiledSchema& schema);

}  // namespace eventgate
