#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace eventgate {

/// The options of the HTTP server that are no endpoint's own.
struct HttpOptions {
  std::uint16_t port = 8888;  ///< 0: the kernel chooses a free port.
  std::string interface = "0.0.0.0";
  /// Access-Control-Allow-Origin, or `reflect`: the origin of the request. Nullopt: no CORS headers.
  std::optional<std::string> cors = "*";
  std::vector<std::string> cors_origins;  ///< Not empty: the origins that may send events and read replies, not `cors`.
  bool cors_credentials = false;          ///< Pages of these origins may send credentials.
  /// Access-Control-Allow-Headers. Nullopt: the original's, and what a preflight asks for of three more.
  std::optional<std::vector<std::string>> cors_allow_headers;
  /// Access-Control-Expose-Headers. Nullopt: the original's, and those of the gate that a response has.
  std::optional<std::vector<std::string>> cors_expose_headers;
  std::chrono::milliseconds cors_max_age{3600000};  ///< How long a browser may keep the answer to a preflight.
  std::optional<std::string> csp;           ///< Content-Security-Policy. Nullopt: the original's. Empty: no header.
  std::size_t max_body_size = 100 * 1024;   ///< Bytes of a body as sent, and of a body after decoding.
  std::size_t max_header_size = 16 * 1024;  ///< Bytes of the request line and the header fields together.
  std::size_t max_header_count = 100;
  std::chrono::milliseconds header_timeout{10000};
  std::chrono::milliseconds request_timeout{60000};
  std::chrono::milliseconds keepalive_timeout{5000};
  std::size_t max_connections = 10000;
  std::size_t max_inflight_bytes = std::size_t{256} << 20;
  std::optional<std::uint16_t> metrics_port;  ///< Nullopt: metrics are not served. 0: the kernel chooses a free port.
  std::string metrics_interface;              ///< Empty: metrics are served at `interface`.
};

}  // namespace eventgate
