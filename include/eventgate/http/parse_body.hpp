#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "eventgate/gate/event_batch.hpp"
#include "eventgate/gate/request_context.hpp"
#include "eventgate/io/task.hpp"

namespace eventgate {

class EventGate;
struct HttpOptions;

/// What is said of a body without events in it.
inline constexpr std::string_view kEmptyBody = "Request body was empty. Must provide JSON encoded events.";

/// What is said of a body of more than `max_body_size` bytes.
std::string body_too_large_text(std::size_t max_body_size);

/// A refusal, before it is an answer.
struct Rejection {
  unsigned status;
  std::string detail;
  std::string_view cause;  ///< For `Telemetry::request_rejected`; empty: that is counted elsewhere.
};

/// What a body holds: events, or a refusal, or (neither) nothing.
struct ParsedBody {
  std::optional<EventBatch> batch;
  std::optional<Rejection> refusal;
};

/// Parses `body`, which is decoded and has room for kJsonPadding bytes more. One that is no JSON is reported to `gate`.
ParsedBody parse_body(std::string body, const HttpOptions& options, EventGate& gate, const RequestContext& context,
                      IoExecutor executor);

}  // namespace eventgate
