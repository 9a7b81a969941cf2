#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "eventgate/http/exchange.hpp"
#include "eventgate/http/response.hpp"

namespace eventgate {

/// Decides who may use the live routes. Without a token: clients on this host, directly and under a loopback name. With
/// a token: clients that send it; the page itself needs none, because it asks for it. Never pages of other origins.
///
/// Thread-safe: immutable.
class LiveAccess {
 public:
  /// `token` is the option `live_token`. Empty: there is none.
  explicit LiveAccess(std::string token) : token_(std::move(token)) {}

  /// Returns the response to a request for the page that may not see it, or nullopt.
  std::optional<Response> check_page(const Exchange& exchange) const;

  /// The same for a request for events or schemas.
  std::optional<Response> check_data(const Exchange& exchange) const;

 private:
  const std::string token_;
};

/// Returns a `rejection` without CORS headers.
Response live_rejection(unsigned status, std::string_view detail, std::string_view cause, const Request& request);

}  // namespace eventgate
