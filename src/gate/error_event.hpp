#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "eventgate/json/json_nodes.hpp"

// The text of an error event: an event about another one that failed, in the schema `/error/2.1.0`:
//
//     {"meta": {"id": "...", "dt": "...", "uri": "unknown", "domain": "unknown", "request_id": "..."}, "dt": "...",
//      "emitter_id": "eventgate", "error_type": "validation", "message": "'.test' should be string",
//      "errored_schema_uri": "/test/1.0.0", "errored_stream_name": "test.event", "raw_event": "{...}"}

namespace eventgate {

inline constexpr std::string_view kValidationErrorType = "validation";
inline constexpr std::string_view kMalformedJsonErrorType = "malformed_json";
inline constexpr std::string_view kRecordErrorType = "record";

/// The input of an error event: an invalid event, a body that is no JSON, or a record that Kafka will never take.
struct FailedEvent {
  std::string_view raw_event;  ///< The bytes that the client sent; for a record its value.
  std::string_view message;
  std::string_view error_type;           ///< One of the constants above.
  std::optional<JsonValue> event;        ///< As completed so far. Nullopt for a malformed body.
  std::string_view errored_schema_uri;   ///< Empty: unknown.
  std::string_view errored_stream_name;  ///< Empty: unknown.
};

/// The strings that an error event copies from the `meta` of the failed event.
inline constexpr std::string_view kCopiedMetaFields[] = {"uri", "domain", "request_id"};

/// Appends the JSON text of the error event without its schema_uri and stream, which the gate adds at the configured
/// fields. Cuts a `raw_event` above `max_raw_event` bytes, and says so at its end.
void append_error_event(std::string& out, const FailedEvent& failed, std::string_view emitter_id,
                        std::size_t max_raw_event, std::chrono::system_clock::time_point received_at);

}  // namespace eventgate
