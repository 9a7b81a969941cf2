#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "cors_policy.hpp"
#include "eventgate/http/http_options.hpp"
#include "eventgate/http/response.hpp"

namespace eventgate {

/// Serializes responses: the status line, the configured headers, Date, and the body. A body is compressed if it is
/// long enough and the client accepts it.
///
/// Thread-safe: immutable.
class ResponseFormat {
 public:
  explicit ResponseFormat(const HttpOptions& options);

  /// What a response depends on beside itself.
  struct Conditions {
    bool close;               ///< The connection ends after it.
    bool head;                ///< The method is HEAD: the body is left out.
    std::string_view accept;  ///< The client's Accept-Encoding.
    std::chrono::system_clock::time_point now;
    bool http_1_0 = false;             ///< The client's version, which has no chunks.
    const Request* request = nullptr;  ///< For CORS. Null: the response is to no request that could be read.
    bool takes_events = false;         ///< `Route::takes_events` of the request's route.
  };

  /// Appends `response` to `out`.
  void append(std::string& out, const Response& response, const Conditions& conditions) const;

  const CorsPolicy& cors() const { return cors_; }

 private:
  CorsPolicy cors_;
  std::string security_;
  std::string policy_;
  std::string keep_alive_;
};

}  // namespace eventgate
