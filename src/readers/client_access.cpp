#include "eventgate/readers/client_access.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

#include "eventgate/base/ascii.hpp"

namespace eventgate {
namespace {

constexpr std::size_t kMaxClient = 64;  // bytes: the longest IPv6 address has 45, with a zone some more
constexpr unsigned kMappedBits = 96;    // of an IPv4 address in IPv6

struct Address {
  std::array<std::uint8_t, 16> bytes{};
  bool is_v4 = false;
};

std::optional<Address> parse_address(std::string_view text) {
  char terminated[kMaxClient];
  if (text.empty() || text.size() >= sizeof terminated) return std::nullopt;
  terminated[text.copy(terminated, text.size())] = '\0';
  if (std::strlen(terminated) != text.size()) return std::nullopt;
  Address address;
  if (inet_pton(AF_INET6, terminated, address.bytes.data()) == 1) return address;
  if (inet_pton(AF_INET, terminated, address.bytes.data() + 12) != 1) return std::nullopt;
  address.bytes[10] = address.bytes[11] = 0xff;
  address.is_v4 = true;
  return address;
}

/// Sets the bits behind the first `bits` to zero.
void mask(std::array<std::uint8_t, 16>& bytes, unsigned bits) {
  for (unsigned i = 0; i < bytes.size(); ++i) {
    const unsigned kept = bits <= i * 8 ? 0 : std::min(bits - i * 8, 8U);
    bytes[i] = static_cast<std::uint8_t>(bytes[i] & (0xff00U >> kept));
  }
}

/// Removes the port of `1.2.3.4:80` and `[::1]:80`, which some proxies write.
std::string_view without_port(std::string_view text) {
  if (text.starts_with('[')) return text.substr(1, text.find(']') - 1);
  const std::size_t colon = text.find(':');
  return colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos ? text.substr(0, colon)
                                                                                                : text;
}

}  // namespace

std::optional<Network> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned width = address->is_v4 ? 32 : 128;
  unsigned bits = width;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    if (!is_all_digits(digits) || digits.size() > 3) return std::nullopt;
    std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (bits > width) return std::nullopt;
  }
  Network network{address->bytes, bits + (address->is_v4 ? kMappedBits : 0)};
  mask(network.address, network.bits);
  return network;
}

bool is_in_networks(std::string_view address, const std::vector<Network>& networks) {
  const auto parsed = parse_address(address);
  if (!parsed) return false;
  return std::any_of(networks.begin(), networks.end(), [&parsed](const Network& network) {
    auto bytes = parsed->bytes;
    mask(bytes, network.bits);
    return bytes == network.address;
  });
}

std::string client_of(std::optional<std::string_view> x_client_ip, std::optional<std::string_view> x_forwarded_for,
                      std::string_view socket_address, const std::vector<Network>& trusted) {
  std::string_view client = trim(x_client_ip.value_or(""));
  if (client.empty() && x_forwarded_for && is_in_networks(socket_address, trusted)) {
    const std::string_view leftmost = without_port(trim(x_forwarded_for->substr(0, x_forwarded_for->find(','))));
    // A proxy may write `unknown`: then its own address is all that is known.
    if (parse_address(leftmost)) client = leftmost;
  }
  if (client.empty()) client = socket_address;
  return std::string(client.substr(0, kMaxClient));
}

bool has_bearer_token(std::optional<std::string_view> authorization, std::string_view token) {
  constexpr std::string_view kScheme = "bearer ";
  if (!authorization || token.empty() || authorization->size() < kScheme.size()) return false;
  if (!equals_ignoring_case(authorization->substr(0, kScheme.size()), kScheme)) return false;
  const std::string_view sent = trim(authorization->substr(kScheme.size()));
  unsigned difference = sent.size() == token.size() ? 0 : 1;
  for (std::size_t i = 0; i < sent.size(); ++i)
    difference |= static_cast<unsigned>(static_cast<unsigned char>(sent[i]) ^
                                        static_cast<unsigned char>(token[i % token.size()]));
  return difference == 0;
}

}  // namespace eventgate
