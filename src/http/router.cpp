#include "router.hpp"

#include <algorithm>

#include "eventgate/base/utf8.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kVersion = "/v1";
constexpr std::string_view kEventsPath = "/v1/events";
constexpr std::string_view kStreamConfigsPath = "/v1/stream-configs";

struct RouteEntry {
  Route route;
  std::string_view path;
};

constexpr RouteEntry kRoutes[] = {
    {Route::events, kEventsPath},
    {Route::test_events, "/v1/_test/events"},
    {Route::stream_configs, kStreamConfigsPath},
    {Route::info, "/_info"},
    {Route::info_name, "/_info/name"},
    {Route::info_version, "/_info/version"},
    {Route::info_home, "/_info/home"},
    {Route::root, "/"},
    {Route::robots, "/robots.txt"},
    {Route::healthz, "/healthz"},
    {Route::readyz, "/readyz"},
    {Route::live_page, "/live"},
    {Route::live_feed, "/v1/live"},
    {Route::live_schema, "/v1/live/schema"},
};

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The byte of the escape at `at` in `text`, which is a `%`; less than 0 if two hexadecimal digits do not follow it.
int escaped_byte(std::string_view text, std::size_t at) {
  if (text.size() - at < 3) return -1;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool has_escaped_slash(std::string_view path) {
  for (std::size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1))
    if (escaped_byte(path, at) == '/') return true;
  return false;
}

/// The path and query of an absolute-form target, or the target itself.
std::string_view origin_form(std::string_view target) {
  if (target.empty() || target.front() == '/') return target;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() <= scheme.size() || !equals_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    const std::size_t end = target.find_first_of("/?#", scheme.size());
    return end == std::string_view::npos ? std::string_view("/") : target.substr(end);
  }
  return target;
}

/// The names in `list`, separated by commas or bars; empty ones left out.
std::vector<std::string> names_of(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t end = list.find_first_of(",|");
    if (const std::string_view name = list.substr(0, end); !name.empty()) names.emplace_back(name);
    if (end == std::string_view::npos) break;
    list.remove_prefix(end + 1);
  }
  return names;
}

}  // namespace

std::string_view route_path(Route route) {
  if (route == Route::root) return "root";
  for (const RouteEntry& entry : kRoutes)
    if (entry.route == route) return entry.path.substr(1);
  return {};
}

bool is_live(Route route) {
  return route == Route::live_page || route == Route::live_feed || route == Route::live_schema;
}

std::string_view route_allow(Route route) {
  switch (route) {
    case Route::unknown:
      return {};
    case Route::events:
      return "POST";
    case Route::test_events:
    case Route::live_feed:
    case Route::live_schema:
    case Route::stream_configs:
    case Route::info:
    case Route::info_name:
    case Route::info_version:
    case Route::info_home:
    case Route::root:
    case Route::robots:
    case Route::healthz:
    case Route::readyz:
    case Route::live_page:
      return "GET,HEAD";
  }
  return {};
}

bool route_takes(Route route, Method method) {
  switch (method) {
    case Method::get:
    case Method::head:
      return route != Route::unknown && route != Route::events;
    case Method::post:
      return route == Route::events;
    case Method::options:
    case Method::other:
      return false;
  }
  return false;
}

std::optional<std::string> path_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int byte = escaped_byte(text, i);
    if (byte < 0) return std::nullopt;
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

std::string query_decoded(std::string_view text) {
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '+', ' ');
  // As the original's parser (qs): JavaScript's decodeURIComponent takes all of it or nothing.
  if (text.find('%') == std::string_view::npos) return plain;
  std::optional<std::string> decoded = path_decoded(plain);
  if (!decoded || to_valid_utf8(*decoded) != *decoded) return plain;
  return *std::move(decoded);
}

Query parse_query(std::string_view query) {
  Query parameters;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view parameter = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (parameter.empty()) continue;
    const std::size_t equals = parameter.find('=');
    parameters.emplace_back(
        query_decoded(parameter.substr(0, equals)),
        query_decoded(equals == std::string_view::npos ? std::string_view() : parameter.substr(equals + 1)));
  }
  return parameters;
}

Route Router::route_of(std::string_view path) const {
  if (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  for (const RouteEntry& entry : kRoutes) {
    if (!equals_ignoring_case(path, entry.path)) continue;
    if (entry.route == Route::test_events && !test_events_) return Route::unknown;
    if (entry.route == Route::stream_configs && !stream_configs_) return Route::unknown;
    if (is_live(entry.route) && !live_) return Route::unknown;
    return entry.route;
  }
  return Route::unknown;
}

Target Router::find(std::string_view target) const {
  Target found;
  if (target == kEventsPath) {
    found.route = Route::events;
    return found;
  }
  target = origin_form(target);
  target = target.substr(0, target.find('#'));
  const std::size_t mark = target.find('?');
  if (mark != std::string_view::npos) found.query = target.substr(mark + 1);
  std::string path(target.substr(0, mark));
  if (path.empty()) path = "/";
  // As the original takes it.
  if (equals_ignoring_case(std::string_view(path).substr(0, kVersion.size() + 2), "/v1//"))
    path.erase(kVersion.size(), 1);

  if (path.find('%') == std::string::npos) {
    found.route = route_of(path);
  } else {
    const auto decoded = path_decoded(path);
    if (!decoded) {
      found.malformed = true;
      return found;
    }
    // An escaped slash separates no segments, and no segment of a route has one.
    if (!has_escaped_slash(path)) found.route = route_of(*decoded);
  }
  if (found.route != Route::unknown || !stream_configs_) return found;

  // The names are cut from the path as sent: an escaped slash belongs to a name.
  const std::size_t prefix = kStreamConfigsPath.size();
  if (path.size() <= prefix + 1 || path[prefix] != '/' ||
      !equals_ignoring_case(std::string_view(path).substr(0, prefix), kStreamConfigsPath))
    return found;
  std::string_view names = std::string_view(path).substr(prefix + 1);
  if (names.size() > 1 && names.back() == '/') names.remove_suffix(1);
  if (names.find('/') != std::string_view::npos) return found;
  found.route = Route::stream_configs;
  found.streams = names_of(*path_decoded(names));
  if (found.streams.empty()) found.streams.emplace_back();  // Only separators: none, not all.
  return found;
}

}  // namespace eventgate
