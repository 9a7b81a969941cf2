#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/http/endpoint.hpp"
#include "eventgate/http/request.hpp"
#include "eventgate/http/response.hpp"

// The route table. Responses that no endpoint makes follow from it: 404 for other paths, 405 for other methods of a
// path, OPTIONS, and their `Allow`.

namespace eventgate {

/// One row of the route table.
struct Route {
  Method method = Method::get;  ///< `get`, which takes HEAD too, or `post`.
  std::string_view path;        ///< Such as `/v1/events`. A last segment `{name}` matches any one segment.
  std::string_view operation;   ///< `operationId` in the OpenAPI document.
  std::unique_ptr<Endpoint> endpoint;
  /// True: the 405 and OPTIONS responses of the path have no CORS headers.
  bool own_origin_only = false;
  /// True: pages of other origins may send Last-Event-ID (CORS).
  bool takes_last_event_id = false;
  /// True: pages send events there, and the endpoint reads no credentials. CorsPolicy says what follows.
  bool takes_events = false;
};

/// Finds the endpoint of a request. Case does not count in a path, and neither does one slash at its end or a second
/// one after `/v1`, as in the original. An escaped slash separates no segments.
///
/// Thread-safe: immutable.
class Router {
 public:
  /// The rows of one path.
  struct Resource {
    std::string_view prefix;  ///< The path; without the last segment if that is a parameter.
    bool has_parameter = false;
    std::string_view label;  ///< The path in metrics: without its first slash, `root` for `/`.
    std::string allow;       ///< Value of `Allow`.
    bool own_origin_only = false;
    bool takes_last_event_id = false;
    bool takes_events = false;
    std::array<Endpoint*, 3> endpoints{};  ///< By `Method`: get, head, post. Null: the method is not allowed.

    /// Returns null if the path does not take `method`.
    Endpoint* endpoint(Method method) const {
      const auto index = static_cast<std::size_t>(method);
      return index < endpoints.size() ? endpoints[index] : nullptr;
    }
  };

  /// The result of `find`.
  struct Match {
    const Resource* resource = nullptr;  ///< Null: no route has this path.
    bool malformed = false;              ///< True: a `%` of the path begins no escape.
    std::string_view query;              ///< As sent, without the `?`. Refers to the target.
    std::string parameter;               ///< The decoded last segment, if the resource has a parameter.
  };

  /// `hint` ends the text of a 404, and says where to look.
  Router(std::vector<Route> routes, std::string_view hint);

  /// Finds the resource of a target in origin-form (`/path?query`) or absolute-form (`http://host/path?query`).
  Match find(std::string_view target) const;

  /// Returns the response to a request for which `match` has no endpoint: 400, 404, 405 or that of OPTIONS.
  Response default_response(const Match& match, const Request& request) const;

  const std::vector<Route>& routes() const { return routes_; }

 private:
  const Resource* find_resource(std::string_view path) const;
  void match_parameter(std::string_view path, Match& match) const;

  std::vector<Route> routes_;
  std::vector<Resource> resources_;
  std::string hint_;
};

}  // namespace eventgate
