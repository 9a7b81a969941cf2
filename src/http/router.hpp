#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "request.hpp"

namespace eventgate {

enum class Route : std::uint8_t {
  unknown,
  events,
  test_events,
  stream_configs,
  info,
  info_name,
  info_version,
  info_home,
  root,
  robots,
  healthz,
  readyz,
  live_page,
  live_feed,
  live_schema,
};

/// The route without its first slash, as metrics name it; empty for `unknown`.
std::string_view route_path(Route route);

/// Whether the route is one of the live page's.
bool is_live(Route route);

/// The methods the route takes, as `Allow` says it; empty for `unknown`.
std::string_view route_allow(Route route);

/// Whether the route takes `method` (`options` aside, which all take).
bool route_takes(Route route, Method method);

/// Parameters of a query, decoded, in order.
using Query = std::vector<std::pair<std::string, std::string>>;

/// `path` with its percent escapes decoded. Returns nullopt if two hexadecimal digits do not follow a `%`.
std::optional<std::string> path_decoded(std::string_view path);

/// A name or value of a query with its percent escapes decoded and `+` as a space. If a `%` is not followed by two
/// hexadecimal digits, or what is decoded is no UTF-8, every escape of it stands for itself, as in the original.
std::string query_decoded(std::string_view text);

/// Parses the parameters of `query`, which begins behind the `?`.
Query parse_query(std::string_view query);

/// What a request's target leads to.
struct Target {
  Route route = Route::unknown;
  /// Two hexadecimal digits do not follow a `%` of the path: nothing else is set.
  bool malformed = false;
  /// As sent, without the `?`.
  std::string_view query;
  /// The streams named behind `/v1/stream-configs/`, decoded and in order; empty if none is: all.
  std::vector<std::string> streams;
};

/// Finds the route of a target: case does not count, nor does one slash at the end or a second one behind `/v1`, as in
/// the original. An escaped slash separates no segments.
///
/// Immutable.
class Router {
 public:
  /// Whether the routes that need a setting are there.
  Router(bool test_events, bool stream_configs, bool live = false)
      : test_events_(test_events), stream_configs_(stream_configs), live_(live) {}

  /// `target` is origin-form (`/path?query`) or absolute-form (`http://host/path?query`). The result refers to it.
  Target find(std::string_view target) const;

 private:
  Route route_of(std::string_view path) const;

  bool test_events_;
  bool stream_configs_;
  bool live_;
};

}  // namespace eventgate
