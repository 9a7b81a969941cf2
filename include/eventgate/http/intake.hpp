#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "eventgate/events/event_batch.hpp"
#include "eventgate/events/request_context.hpp"
#include "eventgate/io/task.hpp"

namespace eventgate {

class EventGate;
struct HttpOptions;

/// What is said of a body without events in it.
inline constexpr std::string_view kEmptyBody = "Request body was empty. Must provide JSON encoded events.";

/// What is said of a body of more than `max_body_size` bytes.
std::string body_too_large_text(std::size_t max_body_size);

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
