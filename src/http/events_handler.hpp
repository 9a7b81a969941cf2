#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "body_decoder.hpp"
#include "eventgate/events/event_batch.hpp"
#include "eventgate/events/request_context.hpp"
#include "eventgate/gate/event_gate.hpp"
#include "eventgate/http/server.hpp"
#include "request.hpp"
#include "response.hpp"

namespace eventgate {

/// Whether a body of Content-Type `content_type` is read.
enum class MediaType : std::uint8_t {
  json,      ///< `application/json`, `text/plain` or `application/reports+json`, in UTF-8.
  not_utf8,  ///< One of them, with another charset.
  other,     ///< The body counts as empty, as in the original.
};
MediaType media_type(std::string_view content_type);

/// Whether the query's parameter asks for the answer before the events are produced (http.md, number 14).
bool is_hasty(const RequestContext& context);

/// The answer to a request without events in it.
Response empty_answer();

/// The answer 202.
Response hasty_answer(std::size_t events);

/// The answer to a request whose events are all processed: the statuses of POST /v1/events.
Response processed_answer(const ProcessResult& result);

/// A refusal, before it is an answer.
struct Refusal {
  unsigned status;
  std::string detail;
  std::string_view cause;  ///< For `IntakeEvents::request_rejected`; empty: that is counted elsewhere.
};

/// What a body holds: events, or a refusal, or (neither) nothing.
struct Intake {
  std::optional<EventBatch> batch;
  std::optional<Refusal> refusal;
};

/// Parses `body`, which is decoded and has room for kJsonPadding bytes more. One that is no JSON is reported to `gate`.
Intake read_events(std::string body, const HttpOptions& options, EventGate& gate, const RequestContext& context,
                   IoExecutor executor);

}  // namespace eventgate
