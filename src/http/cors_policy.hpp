#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/http/http_options.hpp"
#include "eventgate/http/request.hpp"
#include "eventgate/http/response.hpp"

// What pages of other origins may do (WHATWG Fetch, section "CORS protocol"). `cors` says whose pages:
//
//     '*'               all, without credentials; docs/http.md has the one exception
//     reflect           all; the response names the origin, so that credentials are possible
//     [https://a.org]   these; events of other pages are refused
//     false             none reads a response
//     another text      is Access-Control-Allow-Origin of each response, as in the original

namespace eventgate {

/// The options `cors` and `cors_...`, as header fields.
///
/// Thread-safe: immutable.
class CorsPolicy {
 public:
  explicit CorsPolicy(const HttpOptions& options);

  /// Appends the CORS fields of `response`. `request` is null if it could not be read. `takes_events` is that of its
  /// route.
  void append(std::string& out, const Response& response, const Request* request, bool takes_events) const;

  /// Returns false if the request comes from a page of an origin that is not in the list. Pages of the gate itself are
  /// admitted. So is a request without `Origin`, because a page sends none.
  bool admits(const Request& request) const;

 private:
  enum class Origins : std::uint8_t { none, fixed, any, reflected, listed };

  bool is_listed(std::string_view origin) const;
  void append_origin(std::string& out, const Request* request, bool takes_events) const;
  bool has_fields_for(const Request* request) const;

  Origins origins_ = Origins::none;
  std::vector<std::string> listed_;  // sorted
  bool credentials_ = false;
  bool default_allow_ = true;   // the three names are allowed if a preflight asks
  bool default_expose_ = true;  // the gate's fields are exposed if a response has them
  std::string fixed_origin_;    // the field, of a fixed text
  std::string allow_;           // the field without its line end
  std::string expose_;          // the field without its line end
  std::string max_age_;         // the field
  std::string usual_;           // all fields of most responses, unless they depend on the origin
};

/// Returns the 403 response to events of a page that `admits` does not admit.
Response foreign_origin_response(const Request& request);

}  // namespace eventgate
