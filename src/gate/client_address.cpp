#include "eventgate/gate/client_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "eventgate/base/ascii.hpp"

namespace eventgate {

namespace {

/// Returns true if `text` is empty or a colon and digits.
bool is_port(std::string_view text) { return text.empty() || (text.front() == ':' && is_all_digits(text.substr(1))); }

bool is_ip_address(int family, std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.empty() || text.size() >= terminated.size()) return false;
  std::copy(text.begin(), text.end(), terminated.begin());
  in6_addr address;
  return ::inet_pton(family, terminated.data(), &address) == 1;
}

/// Returns the IPv4 or IPv6 address in a proxy's header, without blanks, brackets, port and zone. Returns an empty text
/// if there is none.
std::string_view ip_address(std::string_view text) {
  text = trim(text);
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || !is_port(text.substr(end + 1))) return {};
    text = text.substr(1, end - 1);
  } else if (const std::size_t colon = text.find(':');
             colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    // A single colon separates an IPv4 address and a port.
    if (!is_port(text.substr(colon))) return {};
    text = text.substr(0, colon);
  }
  const std::string_view address = text.substr(0, text.find('%'));
  if (address.size() < text.size() && is_ip_address(AF_INET, address)) return {};
  return is_ip_address(AF_INET, address) || is_ip_address(AF_INET6, address) ? address : std::string_view();
}

}  // namespace

std::string_view client_address(const RequestContext& context) {
  std::string_view address = ip_address(context.header("x-client-ip").value_or(""));
  if (address.empty()) {
    const std::string_view forwarded = context.header("x-forwarded-for").value_or("");
    address = ip_address(forwarded.substr(0, forwarded.find(',')));
  }
  return address.empty() ? std::string_view(context.remote_address) : address;
}

}  // namespace eventgate
