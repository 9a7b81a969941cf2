#include "head_check.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "eventgate/base/ascii.hpp"

namespace eventgate {

namespace {

constexpr auto kNameCharacters = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                       "-._~!$&'()*+,;="))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}();

/// Returns true for `unreserved` and `sub-delims` of RFC 3986.
bool is_name_character(char c) { return kNameCharacters[static_cast<unsigned char>(c)]; }

/// Returns true for a `reg-name` of RFC 3986. Every IPv4 address is one, too.
bool is_registered_name(std::string_view name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (is_name_character(name[i])) continue;
    if (name[i] != '%' || name.size() - i < 3 || !is_hex_digit(name[i + 1]) || !is_hex_digit(name[i + 2])) return false;
    i += 2;
  }
  return true;
}

/// Returns true for the text between the brackets of an IP-literal: IPv6address or IPvFuture of RFC 3986.
bool is_ip_literal(std::string_view literal) {
  if (!literal.empty() && (literal[0] == 'v' || literal[0] == 'V')) {
    const std::size_t dot = literal.find('.');
    if (dot == std::string_view::npos || dot < 2 || dot + 1 == literal.size()) return false;
    const std::string_view version = literal.substr(1, dot - 1);
    const std::string_view address = literal.substr(dot + 1);
    return std::all_of(version.begin(), version.end(), is_hex_digit) &&
           std::all_of(address.begin(), address.end(), [](char c) { return c == ':' || is_name_character(c); });
  }
  in6_addr address;
  return literal.size() < INET6_ADDRSTRLEN && ::inet_pton(AF_INET6, std::string(literal).c_str(), &address) == 1;
}

/// Returns true for `METHOD target HTTP/1.x`, without the end of the line.
bool is_request_line(std::string_view line) {
  const std::size_t method_end = line.find(' ');
  const std::size_t target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || method_end == 0 || target_end <= method_end + 1) return false;
  const std::string_view method = line.substr(0, method_end);
  const std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  const std::string_view version = line.substr(target_end + 1);
  return std::all_of(method.begin(), method.end(), is_token_character) && target.find(' ') == std::string_view::npos &&
         version.size() == 8 && version.starts_with("HTTP/1.") && is_ascii_digit(version[7]);
}

}  // namespace

bool is_token_character(char c) {
  return is_ascii_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_field_text(char c) { return (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) || c == '\t'; }

bool is_host(std::string_view value) {
  std::string_view port;
  std::string_view host = value;
  if (value.starts_with('[')) {
    const std::size_t end = value.find(']');
    if (end == std::string_view::npos || !is_ip_literal(value.substr(1, end - 1))) return false;
    host = {};
    port = value.substr(end + 1);
  } else if (const std::size_t colon = value.find(':'); colon != std::string_view::npos) {
    host = value.substr(0, colon);
    port = value.substr(colon);
  }
  if (!port.empty() && port[0] != ':') return false;
  const std::string_view digits = port.substr(std::min<std::size_t>(port.size(), 1));
  return is_registered_name(host) && std::all_of(digits.begin(), digits.end(), is_ascii_digit);
}

bool is_malformed_start(std::string_view start) {
  const std::size_t end = start.find('\n');
  if (end == std::string_view::npos) return has_malformed_field(start);
  return !start.substr(0, end).ends_with('\r') || !is_request_line(start.substr(0, end - 1)) ||
         has_malformed_field(start.substr(end + 1));
}

bool has_malformed_field(std::string_view fields) {
  while (!fields.empty()) {
    const std::size_t end = fields.find('\n');
    const bool whole = end != std::string_view::npos;
    std::string_view line = fields.substr(0, end);
    if (whole && !line.ends_with('\r')) return true;
    if (line.ends_with('\r')) line.remove_suffix(1);  // its LF may be on the way
    if (line.starts_with(' ') || line.starts_with('\t') || !std::all_of(line.begin(), line.end(), is_field_text))
      return true;
    if (!whole) return false;
    fields.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace eventgate
