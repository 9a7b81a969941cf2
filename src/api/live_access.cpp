#include "live_access.hpp"

#include <cstddef>

#include "eventgate/base/ascii.hpp"

namespace eventgate {

namespace {

/// Returns true for 127.0.0.0/8 and ::1. `address` is as inet_ntop writes it.
bool is_loopback(std::string_view address) { return address.starts_with("127.") || address == "::1"; }

/// Returns true if `Host: host` names this host itself. Any other name may be one that an attacker has pointed here, so
/// that a page of his site is of the same origin (DNS rebinding).
bool is_loopback_host(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, 5) == "[::1]" && (host.size() == 5 || host[5] == ':');
  host = host.substr(0, host.find(':'));
  if (equals_ignoring_case(host, "localhost")) return true;
  constexpr std::string_view kSuffix = ".localhost";  // RFC 6761, section 6.3
  if (host.size() > kSuffix.size() && equals_ignoring_case(host.substr(host.size() - kSuffix.size()), kSuffix))
    return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// Returns true for the header fields in which proxies describe themselves or their client: `X-Forwarded-*` and
/// `X-Envoy-*`, `Forwarded` and `Via`, and those that end with `-Client-IP` or `-Connecting-IP`.
bool is_proxy_field(std::string_view name) {
  const std::string lower = to_ascii_lower(name);
  for (const std::string_view prefix : {"x-forwarded", "x-envoy-"})
    if (lower.starts_with(prefix)) return true;
  for (const std::string_view suffix : {"-client-ip", "-connecting-ip"})
    if (lower.ends_with(suffix)) return true;
  return lower == "forwarded" || lower == "via" || lower == "x-real-ip";
}

/// Returns true if a proxy may have sent the request. Some proxies speak HTTP/1.0, and no browser does.
bool is_proxied(const Request& request) { return request.http_1_0 || request.any_field_name(is_proxy_field); }

/// Returns true if a page of this origin, or no page, has sent the request (Fetch Metadata; RFC 6454, section 7).
bool is_same_origin(const Request& request) {
  const std::string_view site = request.field("sec-fetch-site").value_or("same-origin");
  if (site != "same-origin" && site != "none") return false;
  const auto origin = request.field("origin");
  if (!origin) return true;
  const std::string_view host = request.field("host").value_or("");
  for (const std::string_view scheme : {"http://", "https://"})
    if (origin->starts_with(scheme) && equals_ignoring_case(origin->substr(scheme.size()), host)) return true;
  return false;
}

/// Compares `given` with the token. The time depends on the size of `given` alone, so that it says nothing of the
/// token.
bool is_token(std::string_view given, std::string_view token) {
  unsigned difference = given.size() != token.size();
  for (std::size_t i = 0; i < given.size(); ++i)
    difference |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(token[i % token.size()]);
  return difference == 0;
}

}  // namespace

std::optional<Response> LiveAccess::check_page(const Exchange& exchange) const {
  if (!token_.empty()) return std::nullopt;
  const Request& request = exchange.request();
  if (!is_loopback(exchange.remote_address()) || is_proxied(request))
    return live_rejection(403,
                          "Events are shown to clients on this host only, not through a proxy. Set live_token to show "
                          "them to others.",
                          "live_not_loopback", request);
  if (!is_loopback_host(request.field("host").value_or("")))
    return live_rejection(403,
                          "Expected localhost, 127.0.0.1 or [::1] as the host. Set live_token to show events under "
                          "another name.",
                          "live_not_loopback", request);
  return std::nullopt;
}

std::optional<Response> LiveAccess::check_data(const Exchange& exchange) const {
  if (std::optional<Response> rejected = check_page(exchange)) return rejected;
  const Request& request = exchange.request();
  if (!is_same_origin(request))
    return live_rejection(403, "Events are not shown to pages of other origins.", "live_other_origin", request);
  if (token_.empty()) return std::nullopt;
  constexpr std::string_view kBearer = "bearer ";
  const std::string_view given = request.field("authorization").value_or("");
  if (given.size() > kBearer.size() && equals_ignoring_case(given.substr(0, kBearer.size()), kBearer) &&
      is_token(given.substr(kBearer.size()), token_))
    return std::nullopt;
  Response response =
      live_rejection(401,
                     given.empty() ? "Expected `Authorization: Bearer TOKEN`, with the token of the option live_token."
                                   : "The token of Authorization is not that of the option live_token.",
                     "live_token", request);
  response.extra_headers = "www-authenticate: Bearer\r\n";
  return response;
}

Response live_rejection(unsigned status, std::string_view detail, std::string_view cause, const Request& request) {
  Response response = rejection(status, detail, cause, request);
  response.own_origin_only = true;
  return response;
}

}  // namespace eventgate
