#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "eventgate/json/json_nodes.hpp"

namespace eventgate {

/// An invalid event, a body that is no JSON, or a record that Kafka will never take, as its error event describes it.
struct FailedEvent {
  std::string_view raw_event;  ///< The bytes the client sent; of a record its value.
  std::string_view message;
  std::string_view error_type;           ///< `validation`, `malformed_json` or `record`.
  std::optional<JsonValue> event;        ///< As completed as it got; nothing of a malformed body.
  std::string_view errored_schema_uri;   ///< Empty: unknown.
  std::string_view errored_stream_name;  ///< Empty: unknown.
};

/// What an error event takes over of the event's `meta`: strings only.
inline constexpr std::string_view kTakenFields[] = {"uri", "domain", "request_id"};

/// Appends the error event's JSON text (schema `/error/2.1.0`), but for its schema_uri and stream: the gate adds these,
/// at the fields where it looks for them. `raw_event` over `max_raw_event` bytes is cut and says so.
void append_error_event(std::string& out, const FailedEvent& refused, std::string_view emitter_id,
                        std::size_t max_raw_event, std::chrono::system_clock::time_point received_at);

}  // namespace eventgate
