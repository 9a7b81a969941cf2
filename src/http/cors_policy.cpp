#include "cors_policy.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "eventgate/base/ascii.hpp"
#include "eventgate/http/origin.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kMethods = "access-control-allow-methods: post\r\n";
constexpr std::string_view kCredentials = "access-control-allow-credentials: true\r\n";
constexpr std::string_view kVary = "vary: Origin\r\n";

/// Names that a preflight is allowed beside the original's, if it asks for them.
constexpr std::array<std::string_view, 3> kAlsoAllowed{"content-encoding", "x-request-id", "traceparent"};
/// Fields that a page may read beside the original's, if the response has them.
constexpr std::array<std::string_view, 2> kAlsoExposed{"retry-after", "x-eventgate-durability"};

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

/// Returns true if `list`, of elements between commas, has `name` in any case.
bool has_element(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (equals_ignoring_case(trim(list.substr(0, end)), name)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

/// Returns true if `fields`, each with its CRLF, have one named `name`, which is in lower case.
bool has_field(std::string_view fields, std::string_view name) {
  while (!fields.empty()) {
    if (fields.size() > name.size() && fields[name.size()] == ':' &&
        equals_ignoring_case(fields.substr(0, name.size()), name))
      return true;
    fields.remove_prefix(std::min(fields.find('\n'), fields.size() - 1) + 1);
  }
  return false;
}

bool is_preflight(const Request& request) {
  return request.method == Method::options && request.field("access-control-request-method").has_value();
}

/// Returns true if a browser sent the request with credentials, and shows the page no response that does not allow
/// them.
bool has_credentials(const Request& request) {
  return request.field("sec-fetch-mode").value_or("") == "cors" && request.any_field_name([](std::string_view name) {
    return equals_ignoring_case(name, "cookie") || equals_ignoring_case(name, "sec-fetch-storage-access");
  });
}

/// Returns true if the page is the gate's own: the host of its origin is that of the request.
bool is_own_origin(std::string_view origin, const Request& request) {
  const std::size_t host = origin.find("://");
  return host != std::string_view::npos &&
         equals_ignoring_case(origin.substr(host + 3), request.field("host").value_or(""));
}

void append_echo(std::string& out, std::string_view origin) {
  out.append("access-control-allow-origin: ").append(origin).append("\r\n");
}

}  // namespace

CorsPolicy::CorsPolicy(const HttpOptions& options) {
  if (!options.cors_origins.empty()) {
    origins_ = Origins::listed;
    listed_ = options.cors_origins;
    std::sort(listed_.begin(), listed_.end());
  } else if (options.cors) {
    origins_ = *options.cors == "*" ? Origins::any : *options.cors == "reflect" ? Origins::reflected : Origins::fixed;
  }
  credentials_ = options.cors_credentials;
  default_allow_ = !options.cors_allow_headers;
  default_expose_ = !options.cors_expose_headers;
  allow_ = "access-control-allow-headers: " +
           (default_allow_ ? "accept, x-requested-with, content-type" : joined(*options.cors_allow_headers));
  expose_ = "access-control-expose-headers: " + (default_expose_ ? "etag" : joined(*options.cors_expose_headers));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options.cors_max_age).count();
  max_age_ = "access-control-max-age: " + std::to_string(seconds) + "\r\n";
  if (origins_ != Origins::fixed && origins_ != Origins::any) return;
  append_echo(fixed_origin_, *options.cors);
  if (credentials_) fixed_origin_ += kCredentials;
  usual_.append(fixed_origin_).append(allow_).append("\r\n").append(expose_).append("\r\n").append(kMethods);
}

bool CorsPolicy::is_listed(std::string_view origin) const {
  return std::binary_search(listed_.begin(), listed_.end(), origin);
}

bool CorsPolicy::admits(const Request& request) const {
  if (origins_ != Origins::listed || request.origin().empty()) return true;
  return is_listed(request.origin()) || is_own_origin(request.origin(), request);
}

/// Returns true if the page that sent `request` may read the response.
bool CorsPolicy::has_fields_for(const Request* request) const {
  if (origins_ == Origins::any || origins_ == Origins::fixed) return true;
  if (origins_ == Origins::none || !request || request->origin().empty()) return false;
  return origins_ == Origins::listed ? is_listed(request->origin()) : origin_problem(request->origin()).empty();
}

/// Appends the origin that may read the response, and whether with credentials. Credentials are never allowed to
/// `null`, because the page of any sandbox and of any file has this origin.
void CorsPolicy::append_origin(std::string& out, const Request* request, bool takes_events) const {
  const std::string_view origin = request ? request->origin() : std::string_view();
  if (origins_ == Origins::fixed || origins_ == Origins::any) {
    // The gate reads no cookies, so it may show its answer to a page whose browser sent some.
    if (origins_ == Origins::any && takes_events && !origin.empty() && origin != "null" &&
        request->method == Method::post && has_credentials(*request) && origin_problem(origin).empty()) {
      append_echo(out, origin);
      out.append(kCredentials).append(kVary);
      return;
    }
    out += fixed_origin_;
    return;
  }
  append_echo(out, origin);
  if (credentials_ && origin != "null") out += kCredentials;
}

void CorsPolicy::append(std::string& out, const Response& response, const Request* request, bool takes_events) const {
  if (origins_ == Origins::none) return;
  const bool preflight = request && is_preflight(*request);
  if (!usual_.empty() && !preflight && response.extra_headers.empty() && (!request || request->origin().empty())) {
    out += usual_;
    return;
  }
  if (origins_ == Origins::reflected || origins_ == Origins::listed) out += kVary;
  if (!has_fields_for(request)) return;
  append_origin(out, request, takes_events);
  out += allow_;
  if (preflight && default_allow_) {
    const std::string asked = request->combined_field("access-control-request-headers").value_or("");
    for (const std::string_view name : kAlsoAllowed)
      if (has_element(asked, name)) out.append(", ").append(name);
  }
  out.append("\r\n").append(expose_);
  if (default_expose_)
    for (const std::string_view name : kAlsoExposed)
      if (has_field(response.extra_headers, name)) out.append(", ").append(name);
  out.append("\r\n").append(kMethods);
  if (preflight) out += max_age_;
}

Response foreign_origin_response(const Request& request) {
  constexpr std::size_t kMaxQuoted = 100;  // bytes of the client's text
  return rejection(
      403,
      "Pages of the origin " + std::string(request.origin().substr(0, kMaxQuoted)) + " may not send events (cors).",
      "origin", request);
}

}  // namespace eventgate
