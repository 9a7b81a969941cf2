#include "eventgate/base/quote.hpp"

#include <gtest/gtest.h>

namespace eventgate {
namespace {

TEST(Quote, LongTextIsCutBetweenCodePoints) {
  EXPECT_EQ(quote("abc", 3), "'abc'");
  EXPECT_EQ(quote("abcd", 3), "'abc...'");
  EXPECT_EQ(quote("ab\xC3\xA4", 3), "'ab...'");
  EXPECT_EQ(shorten("abcd", 3), "abc...");
  EXPECT_EQ(quote(std::string(201, 'x')), "'" + std::string(200, 'x') + "...'");
}

}  // namespace
}  // namespace eventgate
