#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "eventgate/http/request.hpp"

namespace eventgate {

inline constexpr std::string_view kJsonType = "application/json; charset=utf-8";
inline constexpr std::string_view kTextType = "text/plain; charset=utf-8";
inline constexpr std::string_view kHtmlType = "text/html; charset=utf-8";

/// A response that is not serialized yet.
struct Response {
  unsigned status = 200;
  std::string reason;             ///< Reason phrase. Empty: the standard phrase of the status.
  std::string_view content_type;  ///< A string literal. Empty: no Content-Type.
  std::string extra_headers;      ///< Header fields of this response alone, each with its CRLF.
  std::string body;
  /// True: only the headers of the connection, and no body. The original answers bytes that are not HTTP this way.
  bool minimal_headers = false;
  /// The label `cause` in `eventgate_rejected_requests_total`. Empty: the response is not counted there.
  std::string_view rejection_cause;
  /// Why the request was rejected, for the log. It may hold any bytes.
  std::string rejection_detail;
  /// True: the page of `/?doc`, whose policy allows its inline script and styles.
  bool inline_page = false;
  /// True: no CORS headers, and no cache keeps the response.
  bool own_origin_only = false;
  /// True: any page may load the response, whatever `cors` is. It is compressed as far as zlib can.
  bool any_origin = false;
  /// Content-Security-Policy of this response. Empty: the configured policy.
  std::string_view policy;
  /// True: the body follows in chunks (to HTTP/1.0: unframed) until the connection ends.
  bool streaming = false;
  /// What a log of requests says beside the status, for people. Clients do not get it.
  std::string note;
};

/// Returns the standard reason phrase, or "Unknown" for a status that EventGate never sends.
std::string_view reason_phrase(unsigned status);

/// Returns a problem JSON response to `request`. `detail` says what was expected; it may hold any bytes.
Response problem(unsigned status, std::string_view detail, const Request& request);

/// Returns a `problem` that is counted in `eventgate_rejected_requests_total` under `cause`.
Response rejection(unsigned status, std::string_view detail, std::string_view cause, const Request& request);

/// Returns a 503 `rejection` with `Retry-After: 1`.
Response retry_later(std::string_view detail, std::string_view cause, const Request& request);

/// Returns a response with `minimal_headers` that is counted under `cause`.
Response minimal_response(unsigned status, std::string_view cause);

/// Returns the detail of the 413 response to a body of more than `max_body_size` bytes.
std::string body_too_large_text(std::size_t max_body_size);

}  // namespace eventgate
