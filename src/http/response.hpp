#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "eventgate/http/server.hpp"
#include "request.hpp"

namespace eventgate {

inline constexpr std::string_view kJsonType = "application/json; charset=utf-8";
inline constexpr std::string_view kTextType = "text/plain; charset=utf-8";
inline constexpr std::string_view kHtmlType = "text/html; charset=utf-8";

/// An answer, before it is bytes.
struct Response {
  unsigned status = 200;
  /// Empty: the standard one of the status.
  std::string reason;
  std::string_view content_type;  ///< Static. Empty: no body.
  std::string fields;             ///< Further ones, each with its CRLF.
  std::string body;
  /// No headers but those of the connection and no body, as the original answers what is no HTTP.
  bool bare = false;
  /// Why it is a refusal, as `Telemetry::request_rejected` wants it; empty: it is none, or counted elsewhere.
  std::string_view cause;
  /// The page of `/?doc`: its script and styles are in it.
  bool inline_page = false;
  /// Not for other origins, nor for caches: without CORS headers.
  bool own_origin_only = false;
  /// Content-Security-Policy in the place of the configured one; empty: that.
  std::string_view policy;
  /// Its body comes later, in chunks (to HTTP/1.0: as it is) until the connection ends.
  bool endless = false;
};

/// The standard reason phrase; "Unknown" for a status we never send.
std::string_view reason_phrase(unsigned status);

/// The problem JSON of a request that gets `status`. `detail` says what was expected; any bytes.
Response problem(unsigned status, std::string_view detail, const Request& request);

/// Writes answers: the status line, the headers that all have in common, Date, and the body, compressed if it is worth
/// it and the client accepts it.
///
/// Immutable.
class ResponseFormat {
 public:
  explicit ResponseFormat(const HttpOptions& options);

  struct Conditions {
    bool close;               ///< The connection ends after it.
    bool head;                ///< HEAD: the body is left out.
    std::string_view accept;  ///< The client's Accept-Encoding.
    std::chrono::system_clock::time_point now;
    bool http_1_0 = false;  ///< The client's version, which knows no chunks.
  };

  /// Appends `response` to `out`.
  void append(std::string& out, const Response& response, const Conditions& conditions) const;

 private:
  std::string cors_;
  std::string security_;
  std::string policy_;
  std::string keep_alive_;
};

/// The content coding for a reply to `Accept-Encoding: accept`: `gzip`, `deflate` or, for none of them, nothing.
std::string_view accepted_coding(std::string_view accept);

}  // namespace eventgate
