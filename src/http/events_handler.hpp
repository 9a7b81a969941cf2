#pragma once

#include <cstdint>
#include <string_view>

#include "content_coding.hpp"
#include "eventgate/gate/event_gate.hpp"
#include "eventgate/gate/request_context.hpp"
#include "eventgate/http/parse_body.hpp"
#include "eventgate/http/server.hpp"
#include "request.hpp"
#include "response.hpp"

namespace eventgate {

/// Whether a body of Content-Type `content_type` is read.
enum class MediaType : std::uint8_t {
  json,      ///< `application/json`, `text/plain` or `application/reports+json`, in UTF-8 or US-ASCII.
  not_utf8,  ///< One of them, with another charset.
  other,     ///< The body counts as empty, as in the original.
};
MediaType media_type(std::string_view content_type);

/// True if the first character of `body` behind white space and a byte order mark begins a JSON object or array.
bool begins_as_json(std::string_view body);

/// Whether the query's parameter asks for the answer before the events are produced (http.md, number 14).
bool is_hasty(const RequestContext& context);

/// The answer to a request without events in it.
Response empty_answer();

/// The answer 202.
Response hasty_answer(std::size_t events);

/// The answer to a request whose events are all processed: the statuses of POST /v1/events.
Response processed_answer(const ProcessResult& result);

}  // namespace eventgate
