#include "gate/integer_literal.hpp"

#include <gtest/gtest.h>

namespace eventgate {
namespace {

TEST(IntegerLiteral, IsTheValueOfANumberWithFractionOrExponent) {
  EXPECT_EQ(integer_literal("1.0"), 1);
  EXPECT_EQ(integer_literal("-2.50E+1"), -25);
  EXPECT_EQ(integer_literal("100e-2"), 1);
  EXPECT_EQ(integer_literal("-0.0"), 0);
  EXPECT_EQ(integer_literal("0e999999999999999999999"), 0);
  EXPECT_EQ(integer_literal("-9.223372036854775808e18"), INT64_MIN);
}

TEST(IntegerLiteral, IsNoneBeyond64Bits) {
  EXPECT_EQ(integer_literal("9.223372036854775808e18"), std::nullopt);
  EXPECT_EQ(integer_literal("1e300"), std::nullopt);
  EXPECT_EQ(integer_literal("1e999999999999999999999"), std::nullopt);
}

}  // namespace
}  // namespace eventgate
