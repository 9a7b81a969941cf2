#include "eventgate/http/origin.hpp"

#include <gtest/gtest.h>

#include <string>

namespace eventgate {
namespace {

TEST(Origin, IsWhatBrowsersWrite) {
  for (const std::string origin :
       {"https://example.org", "http://127.0.0.1:8192", "http://[::1]:8080", "https://xn--bcher-kva.example",
        "capacitor://localhost", "http://a_b.internal", "chrome-extension://abcdefghijklmnop", "file://", "null"})
    EXPECT_EQ(origin_problem(origin), "") << origin;
}

TEST(Origin, AnyOtherTextHasAReason) {
  for (const std::string text :
       {"", "*", "example.org", "https://", "https://example.org/", "https://example.org?a", "https://Example.org",
        "Https://example.org", "https://user@example.org", "https://example.org:443", "http://example.org:080",
        "https://example.org:123456", "https://example.org:", "https://a,https://b", "https://a b", "https://a\xc3\xbc",
        "https://[::1", "null ", "NULL"})
    EXPECT_NE(origin_problem(text), "") << text;
  EXPECT_NE(origin_problem("https://" + std::string(300, 'a')), "");
}

}  // namespace
}  // namespace eventgate
