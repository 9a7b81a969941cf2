#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "eventgate/gate/gate_types.hpp"
#include "eventgate/gate/request_context.hpp"
#include "eventgate/json/json_nodes.hpp"
#include "eventgate/schema/compiled_schema.hpp"
#include "eventgate/schema/validation_error.hpp"

// The text of an error event: an event about another one that failed, in the schema `/error/2.1.0` or `/error/2.2.0`:
//
//     {"meta": {"id": "...", "dt": "...", "uri": "unknown", "domain": "unknown", "request_id": "..."}, "dt": "...",
//      "emitter_id": "eventgate", "error_type": "validation", "message": "'.test' should be string",
//      "errored_schema_uri": "/test/1.0.0", "errored_stream_name": "test.event", "raw_event": "{...}"}
//
// 2.2.0 has optional members behind these: who sent the event, and what it takes to post it again as it was meant:
//
//     "http": {"client_ip": "192.0.2.7", "request_headers": {"user-agent": "..."}},
//     "request": {"query": {"stream": "test.event"}}, "errored_event_id": "...", "errored_event_dt": "...",
//     "errors": [{"keyword": "type", "data_path": ".test", "schema_path": "#/...", "params": "{...}"}],
//     "raw_event_base64": "...", "raw_event_cut": true

namespace eventgate {

/// The input of an error event: an event that is refused, or a body that is no JSON.
struct FailedEvent {
  std::string_view raw_event;  ///< The bytes that the client sent; for a record its value.
  std::string_view message;
  std::string_view error_type;
  std::optional<JsonValue> event;        ///< As completed so far. Nullopt for a malformed body.
  std::string_view errored_schema_uri;   ///< Empty: unknown.
  std::string_view errored_stream_name;  ///< Empty: unknown.

  /// JSON text of the id of the request that brought the event. It counts if `event` has none. Empty: unknown.
  std::string_view request_id = {};
  /// What `/error/2.2.0` has besides. False: those members are left out.
  bool has_details = false;
  std::string_view http = {};              ///< JSON text. Empty: none.
  std::string_view query = {};             ///< JSON text of the parameters that routing read. Empty: none.
  std::string_view errored_event_id = {};  ///< JSON text of the id that the gate gave the event. Empty: none.
  std::string_view errored_event_dt = {};
  std::span<const ValidationError> errors = {};
};

/// The strings that an error event copies from the `meta` of the failed event.
inline constexpr std::string_view kCopiedMetaFields[] = {"uri", "domain", "request_id"};
/// The members that an error event has only if its schema declares them.
inline constexpr std::array<std::string_view, 7> kErrorDetails{
    "http", "request", "errored_event_id", "errored_event_dt", "errors", "raw_event_base64", "raw_event_cut"};
/// Errors in an error event. The message has the texts of all.
inline constexpr std::size_t kMaxErrorsInErrorEvent = 10;
/// Bytes of each text of such an error, and of each parameter of `query`. A longer one is cut, or left out if that
/// would change its meaning.
inline constexpr std::size_t kMaxDetail = 1024;

/// Appends the JSON text of the error event without its schema_uri and stream, which the gate adds at the configured
/// fields. Cuts a `raw_event` above `max_raw_event` bytes, and says so at its end.
void append_error_event(std::string& out, const FailedEvent& failed, std::string_view emitter_id,
                        std::size_t max_raw_event, std::chrono::system_clock::time_point received_at);

/// Returns true if `schema` declares one of kErrorDetails.
bool declares_error_details(const CompiledSchema& schema);

/// Appends `event`, an object, without those of kErrorDetails that `schema` does not declare; with a null `schema`,
/// without any of them. Returns false and appends nothing if that leaves out no member.
bool append_without_details(std::string& out, JsonValue event, const CompiledSchema* schema);

/// Appends the JSON object of the parameters of `context` that give events their schema_uri and stream. Appends nothing
/// if there are none.
void append_routing_query(std::string& out, const GateOptions& options, const RequestContext& context);

}  // namespace eventgate
