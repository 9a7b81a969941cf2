#pragma once

#include <cstddef>
#include <string>

#include "eventgate/gate/event_gate.hpp"
#include "eventgate/http/response.hpp"

// The responses of `POST /v1/events`. Every function is pure, so any thread may call it.

namespace eventgate {

/// Returns the 400 response to a body without events.
Response empty_body_response();

/// Returns the 202 response to a hasty request of `events` events.
Response hasty_response(std::size_t events);

/// Returns the response to a request whose events are processed: 201, 207, 400 or 500. The body lists the events that
/// are not produced: `{"invalid": [...], "error": [...]}`; a 400 has `invalid` only.
Response processed_response(const ProcessResult& result);

/// Returns the reason of the first event that is not produced, for a log: `event 2: '.test' should be string`. Of a
/// long reason about 500 bytes. Empty if all are produced.
std::string failure_note(const ProcessResult& result);

}  // namespace eventgate
