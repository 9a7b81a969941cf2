#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Who a client is, and what it may see. Every function is pure, so any thread may call it.

namespace eventgate {

/// A network of IP addresses, such as `10.0.0.0/8`, `2001:db8::/32`, or one address.
struct Network {
  std::array<std::uint8_t, 16> address{};  ///< IPv4 addresses are mapped to IPv6 (RFC 4291, section 2.5.5.2).
  unsigned bits = 128;

  bool operator==(const Network&) const = default;
};

/// Returns the network that `text` names, or nullopt.
std::optional<Network> parse_network(std::string_view text);

/// Returns true if `address` is an IP address in one of `networks`.
bool is_in_networks(std::string_view address, const std::vector<Network>& networks);

/// Returns the client whose connections `client_ip_connection_limit` counts: `X-Client-IP`, else the leftmost address
/// of `X-Forwarded-For` if the socket's address is in `trusted`, else the socket's address. At most 64 bytes; the text
/// is the client's, so it is no label and no part of a log line without quotes.
std::string client_of(std::optional<std::string_view> x_client_ip, std::optional<std::string_view> x_forwarded_for,
                      std::string_view socket_address, const std::vector<Network>& trusted);

/// Returns true if `authorization` is `Bearer` with `token`. Takes the same time wherever the texts differ. An empty
/// `token` is nobody's.
bool has_bearer_token(std::optional<std::string_view> authorization, std::string_view token);

}  // namespace eventgate
