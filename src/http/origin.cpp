#include "eventgate/http/origin.hpp"

#include <algorithm>
#include <cstddef>

namespace eventgate {

namespace {

/// Bytes of the longest origin. A host name has at most 253.
constexpr std::size_t kMaxOrigin = 300;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_scheme(std::string_view scheme) {
  return !scheme.empty() && is_lower(scheme.front()) && std::all_of(scheme.begin(), scheme.end(), [](char c) {
    return is_lower(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  });
}

bool is_host_name(std::string_view host) {
  const bool is_address = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (is_address) host = host.substr(1, host.size() - 2);
  return !host.empty() && std::all_of(host.begin(), host.end(), [is_address](char c) {
    return is_lower(c) || is_digit(c) || (is_address ? c == ':' : c == '-' || c == '.' || c == '_');
  });
}

bool is_port(std::string_view port) {
  return !port.empty() && port.size() <= 5 && port.front() != '0' && std::all_of(port.begin(), port.end(), is_digit);
}

}  // namespace

std::string origin_problem(std::string_view text) {
  if (text == "null") return {};
  if (text.size() > kMaxOrigin) return "it is too long";
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return "it has no scheme, such as https://";
  const std::string_view scheme = text.substr(0, colon);
  if (!is_scheme(scheme)) return "its scheme is not lower-case letters";
  std::string_view host = text.substr(colon + 3);
  if (host.empty() && scheme == "file") return {};
  if (host.find_first_of("/?#") != std::string_view::npos) return "it has a path; an origin ends behind host and port";
  if (host.find('*') != std::string_view::npos) return "it has a *; each host is an entry";
  const std::size_t bracket = host.rfind(']');
  const std::size_t port_at = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (port_at != std::string_view::npos) {
    const std::string_view port = host.substr(port_at + 1);
    host = host.substr(0, port_at);
    if (!is_port(port)) return "its port is not a number";
    if ((scheme == "https" && port == "443") || (scheme == "http" && port == "80"))
      return "it has the default port, which browsers leave out";
  }
  if (!is_host_name(host)) return "its host is not as browsers write it: lower-case ASCII";
  return {};
}

}  // namespace eventgate
