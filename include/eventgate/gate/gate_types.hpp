#pragma once

#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/gate/event_batch.hpp"
#include "eventgate/gate/event_status.hpp"
#include "eventgate/gate/request_context.hpp"
#include "eventgate/json/field_path.hpp"
#include "eventgate/json/json_nodes.hpp"
#include "eventgate/telemetry/ledger.hpp"

// The types that the gate shares with its callers: its options, a hasty request and the result of a request.

namespace eventgate {

/// Returns the `error_type` of the error event about an event that is refused for `cause`: the cause's name, but
/// `validation` for `invalid`, as the original has it.
inline std::string_view error_type(FailureCause cause) {
  return cause == FailureCause::invalid ? "validation" : failure_cause_name(cause);
}

/// The gate's part of the config. The members have the names of the options; docs/config.md describes each.
struct GateOptions {
  /// Selects the Wikimedia set-up: events get ids, times and header fields, and each event must name its stream.
  bool wikimedia = false;
  /// The first of these fields that an event has holds its schema_uri.
  std::vector<FieldPath> schema_uri_field{FieldPath("$schema")};
  std::string schema_uri_query_param;
  bool allow_absolute_schema_uris = false;
  /// The first of these fields that an event has holds its stream. Empty in the default set-up: events name no stream.
  std::vector<FieldPath> stream_field;
  /// Default set-up with a `stream_field`: true gives an event without the field a stream made from its schema_uri;
  /// false makes it an error. The config sets true if there is no Kafka, as the original does for files.
  bool stream_from_schema_uri = false;
  std::string stream_query_param;
  std::string topic_prefix;
  FieldPath id_field;
  FieldPath dt_field;
  /// A record takes its timestamp from the event only up to this long after the receipt. 0: without this bound.
  std::chrono::milliseconds max_future_dt{0};
  std::string error_stream;  ///< Empty: the gate makes no error events.
  std::string error_schema_uri = "/error/2.1.0";
  /// The causes for which an error event is made, by FailureCause. The default is the original's.
  std::bitset<kFailureCauseCount> error_events_for = 1ULL << static_cast<unsigned>(FailureCause::invalid) |
                                                     1ULL << static_cast<unsigned>(FailureCause::malformed_json);
  std::string service_name = "eventgate";   ///< Held to `destination_event_service` of streams with canaries.
  std::chrono::seconds canary_interval{0};  ///< Option `canary.interval`. 0: the gate makes no canaries.
  std::string ledger_stream;                ///< Empty: the gate makes no ledger events.
  std::string ledger_schema_uri = "/eventgate/ledger/1.0.0";
  std::string user_agent = "eventgate";
  std::size_t max_raw_event = 64 * 1024;  ///< Bytes.
  /// Time for all schema loads of one request together: option `request_timeout`.
  std::chrono::milliseconds schema_load_timeout{60000};
  /// Header name to event field.
  std::vector<std::pair<std::string, FieldPath>> http_request_headers_to_fields{
      {"x-request-id", FieldPath("meta.request_id")}, {"user-agent", FieldPath("http.request_headers.user-agent")}};
  JsonLimits json;

  /// Returns true if a client's event that is refused for `cause` makes an error event. A beacon that is no event makes
  /// one whatever `error_events_for` says, unless its refusal was asked for.
  bool makes_error_event(FailureCause cause) const {
    if (error_stream.empty()) return false;
    if (is_of_beacon(cause)) return cause != FailureCause::legacy_web_host && cause != FailureCause::legacy_bot;
    return error_events_for[static_cast<std::size_t>(cause)];
  }
};

/// A text of a client that makes no event.
struct RefusedText {
  std::string_view text;
  FailureCause cause;
  std::string_view message;          ///< Why, and what was expected.
  std::string_view stream = {};      ///< Of the event that it was meant to be. Empty: unknown.
  std::string_view schema_uri = {};  ///< Likewise.
};

/// The maker of an event: a client, or the gate itself.
enum class Origin : std::uint8_t { client, error_events, ledger, canary };

/// The outcome of a request's events. Events that are in neither list were produced.
struct ProcessResult {
  std::size_t event_count = 0;
  std::vector<EventStatus> invalid;  ///< In the order posted, as is `error`.
  std::vector<EventStatus> error;
  std::size_t spooled = 0;  ///< Produced events that are in the spool; Kafka gets them later.
  std::size_t no_room = 0;  ///< Events in `error` for which neither a queue nor the spool had room.
  /// The name of the cause of one event that is in a list, or was lost after its client's reply. Empty: there is none.
  std::string_view failure_cause = {};

  std::size_t produced() const { return event_count - invalid.size() - error.size(); }
};

/// A request whose client gets its reply before the gate processes the events.
struct HastyRequest {
  HastyRequest(EventBatch events, RequestContext request) : batch(std::move(events)), context(std::move(request)) {}
  /// A subclass owns the objects that `context` refers to.
  virtual ~HastyRequest() = default;

  EventBatch batch;
  RequestContext context;
  /// Released when the outcome of the last event is known, which may be long after this request is destroyed.
  std::shared_ptr<const void> held;
  /// Called once when that outcome is known, with `ProcessResult::failure_cause`. It must not block. Empty: no one
  /// asks.
  std::function<void(std::string_view failure_cause)> on_outcome;
};

}  // namespace eventgate
