#include "eventgate/http/router.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/percent.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kVersion = "/v1";
constexpr std::string_view kAnyMethod = "GET,HEAD,POST,OPTIONS";

bool has_escaped_slash(std::string_view path) {
  for (std::size_t at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1))
    if (percent_escape_at(path, at) == '/') return true;
  return false;
}

/// Returns the path and query of an absolute-form target, or the target itself.
std::string_view origin_form(std::string_view target) {
  if (target.empty() || target.front() == '/') return target;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() <= scheme.size() || !equals_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    const std::size_t end = target.find_first_of("/?#", scheme.size());
    return end == std::string_view::npos ? std::string_view("/") : target.substr(end);
  }
  return target;
}

/// Returns the resource of `path` without its methods.
Router::Resource resource_of(const Route& route) {
  Router::Resource resource;
  resource.prefix = route.path;
  if (const std::size_t brace = route.path.find("/{"); brace != std::string_view::npos) {
    resource.prefix = route.path.substr(0, brace);
    resource.has_parameter = true;
  }
  resource.label = resource.prefix.size() > 1 ? resource.prefix.substr(1) : "root";
  resource.own_origin_only = route.own_origin_only;
  resource.takes_last_event_id = route.takes_last_event_id;
  resource.takes_events = route.takes_events;
  return resource;
}

Response with_allow(Response response, std::string_view allow) {
  response.extra_headers.append("allow: ").append(allow).append("\r\n");
  return response;
}

}  // namespace

Router::Router(std::vector<Route> routes, std::string_view hint) : routes_(std::move(routes)), hint_(hint) {
  for (const Route& route : routes_) {
    Resource made = resource_of(route);
    const auto same_path = [&made](const Resource& other) {
      return other.prefix == made.prefix && other.has_parameter == made.has_parameter;
    };
    auto found = std::find_if(resources_.begin(), resources_.end(), same_path);
    if (found == resources_.end()) found = resources_.insert(found, std::move(made));
    found->endpoints[static_cast<std::size_t>(route.method)] = route.endpoint.get();
    if (route.method == Method::get) found->endpoints[static_cast<std::size_t>(Method::head)] = route.endpoint.get();
  }
  for (Resource& resource : resources_) {
    if (resource.endpoint(Method::get)) resource.allow = "GET,HEAD";
    if (resource.endpoint(Method::post)) resource.allow += resource.allow.empty() ? "POST" : ",POST";
  }
}

const Router::Resource* Router::find_resource(std::string_view path) const {
  if (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  for (const Resource& resource : resources_)
    if (!resource.has_parameter && equals_ignoring_case(path, resource.prefix)) return &resource;
  return nullptr;
}

/// Matches a path that ends with a parameter. The segments are cut from the path as sent, because an escaped slash
/// belongs to the parameter.
void Router::match_parameter(std::string_view path, Match& match) const {
  for (const Resource& resource : resources_) {
    const std::size_t size = resource.prefix.size();
    if (!resource.has_parameter || path.size() <= size + 1 || path[size] != '/' ||
        !equals_ignoring_case(path.substr(0, size), resource.prefix))
      continue;
    std::string_view segment = path.substr(size + 1);
    if (segment.size() > 1 && segment.back() == '/') segment.remove_suffix(1);
    if (segment.find('/') != std::string_view::npos) continue;
    match.resource = &resource;
    match.parameter = *percent_decode_strict(segment);
    return;
  }
}

Router::Match Router::find(std::string_view target) const {
  Match match;
  // Most requests name a path exactly.
  for (const Resource& resource : resources_) {
    if (resource.has_parameter || target != resource.prefix) continue;
    match.resource = &resource;
    return match;
  }
  target = origin_form(target);
  target = target.substr(0, target.find('#'));
  const std::size_t mark = target.find('?');
  if (mark != std::string_view::npos) match.query = target.substr(mark + 1);
  std::string path(target.substr(0, mark));
  if (path.empty()) path = "/";
  if (equals_ignoring_case(std::string_view(path).substr(0, kVersion.size() + 2), "/v1//"))
    path.erase(kVersion.size(), 1);

  if (path.find('%') == std::string::npos) {
    match.resource = find_resource(path);
  } else {
    const std::optional<std::string> decoded = percent_decode_strict(path);
    if (!decoded) {
      match.malformed = true;
      return match;
    }
    // No segment of a route has a slash.
    if (!has_escaped_slash(path)) match.resource = find_resource(*decoded);
  }
  if (!match.resource) match_parameter(path, match);
  return match;
}

Response Router::default_response(const Match& match, const Request& request) const {
  if (match.malformed)
    return rejection(400, "The path has a % that is not followed by two hexadecimal digits.", "malformed_target",
                     request);
  if (!match.resource) {
    if (request.method_name() == "CONNECT")
      return with_allow(problem(405, "This is no proxy. " + hint_, request), kAnyMethod);
    return problem(404, "Nothing is at this path. " + hint_, request);
  }
  std::string allow = match.resource->allow;
  Response response;
  if (request.method == Method::options) {
    response.content_type = kHtmlType;
    response.body = allow;
    if (match.resource->takes_last_event_id)
      response.extra_headers = "access-control-allow-headers: last-event-id, authorization\r\n";
  } else {
    if (match.resource->takes_last_event_id) allow = "GET, HEAD, OPTIONS";
    response = problem(405, "Expected " + allow + ".", request);
  }
  response.own_origin_only = match.resource->own_origin_only;
  return with_allow(std::move(response), allow);
}

}  // namespace eventgate
