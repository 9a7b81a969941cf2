#include "eventgate/readers/client_access.hpp"

#include <gtest/gtest.h>

namespace eventgate {
namespace {

std::vector<Network> networks(std::initializer_list<const char*> texts) {
  std::vector<Network> result;
  for (const char* const text : texts) result.push_back(parse_network(text).value());
  return result;
}

TEST(Network, ReadsAddressesAndPrefixesOfBothKinds) {
  EXPECT_TRUE(is_in_networks("10.1.2.3", networks({"10.0.0.0/8"})));
  EXPECT_TRUE(is_in_networks("10.1.2.3", networks({"10.9.9.9/8"})));
  EXPECT_FALSE(is_in_networks("11.1.2.3", networks({"10.0.0.0/8"})));
  EXPECT_TRUE(is_in_networks("::ffff:10.1.2.3", networks({"10.0.0.0/8"})));
  EXPECT_TRUE(is_in_networks("2001:db8::1", networks({"192.0.2.1", "2001:db8::/32"})));
  EXPECT_FALSE(is_in_networks("2001:db9::1", networks({"2001:db8::/32"})));
  EXPECT_TRUE(is_in_networks("192.0.2.1", networks({"192.0.2.1"})));
  EXPECT_TRUE(is_in_networks("192.0.2.1", networks({"0.0.0.0/0"})));
  EXPECT_FALSE(is_in_networks("::1", networks({"0.0.0.0/0"})));
  EXPECT_TRUE(is_in_networks("10.0.0.129", networks({"10.0.0.128/25"})));
  EXPECT_FALSE(is_in_networks("10.0.0.127", networks({"10.0.0.128/25"})));
}

TEST(Network, RefusesWhatIsNone) {
  for (const char* const text : {"", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/-1", "a",
                                 "10.0.0.0/8x", "10.0.0.0/0008", "1.2.3.4 "})
    EXPECT_FALSE(parse_network(text)) << text;
}

TEST(Client, XClientIpCountsFirst) {
  EXPECT_EQ(client_of("10.1.1.1", "10.2.2.2", "127.0.0.1", networks({"127.0.0.1"})), "10.1.1.1");
}

TEST(Client, XForwardedForCountsBehindATrustedProxyOnly) {
  EXPECT_EQ(client_of({}, " 10.2.2.2 , 10.3.3.3", "127.0.0.1", networks({"127.0.0.0/8"})), "10.2.2.2");
  EXPECT_EQ(client_of({}, "10.2.2.2:8080", "127.0.0.1", networks({"127.0.0.0/8"})), "10.2.2.2");
  EXPECT_EQ(client_of({}, "[2001:db8::1]:80", "127.0.0.1", networks({"127.0.0.0/8"})), "2001:db8::1");
  EXPECT_EQ(client_of({}, "10.2.2.2", "192.0.2.1", networks({"127.0.0.0/8"})), "192.0.2.1");
  EXPECT_EQ(client_of({}, "10.2.2.2", "192.0.2.1", {}), "192.0.2.1");
  EXPECT_EQ(client_of({}, "unknown", "127.0.0.1", networks({"127.0.0.0/8"})), "127.0.0.1");
  EXPECT_EQ(client_of("", {}, "127.0.0.1", {}), "127.0.0.1");
}

TEST(Client, IsCutAt64Bytes) { EXPECT_EQ(client_of(std::string(1000, 'x'), {}, "::1", {}).size(), 64u); }

TEST(BearerToken, IsThatOfTheOption) {
  constexpr std::string_view kToken = "0123456789abcdef";
  EXPECT_TRUE(has_bearer_token("Bearer 0123456789abcdef", kToken));
  EXPECT_TRUE(has_bearer_token("bearer  0123456789abcdef ", kToken));
  for (const char* const other :
       {"", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdeg", "Bearer 0123456789abcdef0",
        "Basic 0123456789abcdef", "0123456789abcdef", "Bearer 0123456789abcdef0123456789abcdef"})
    EXPECT_FALSE(has_bearer_token(other, kToken)) << other;
  EXPECT_FALSE(has_bearer_token({}, kToken));
  EXPECT_FALSE(has_bearer_token("Bearer ", ""));
}

}  // namespace
}  // namespace eventgate
