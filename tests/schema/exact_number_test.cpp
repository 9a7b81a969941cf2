#include <gtest/gtest.h>

#include "support/validated_event.hpp"

// Numbers of any length, compared exactly, through the keywords that compare them.

namespace eventgate {
namespace {

bool accepts(const std::string& schema, const std::string& number) {
  return validated(*compiled(schema), number).valid();
}

TEST(ExactNumber, IntegersCompareExactlyAtAnyLength) {
  EXPECT_TRUE(accepts(R"({"maximum": 9007199254740993})", "9007199254740993"));
  EXPECT_FALSE(accepts(R"({"maximum": 9007199254740993})", "9007199254740994"));
  EXPECT_FALSE(accepts(R"({"maximum": 9007199254740992})", "9007199254740993"));
  EXPECT_FALSE(accepts(R"({"exclusiveMinimum": 18446744073709551615})", "18446744073709551615"));
  EXPECT_TRUE(accepts(R"({"exclusiveMinimum": 18446744073709551615})", "18446744073709551616"));
  EXPECT_TRUE(accepts(R"({"maximum": 1e300})", std::string(300, '9')));
  EXPECT_FALSE(accepts(R"({"maximum": 1e300})", "1" + std::string(299, '0') + "01"));
  EXPECT_TRUE(accepts(R"({"minimum": -9223372036854775808})", "-9223372036854775808"));
  EXPECT_FALSE(accepts(R"({"minimum": -9223372036854775808})", "-9223372036854775809"));
}

TEST(ExactNumber, FractionsCompareAsDoubles) {
  EXPECT_TRUE(accepts(R"({"maximum": 0.1})", "0.1000000000000000000000001"));
  EXPECT_FALSE(accepts(R"({"maximum": 0.1})", "0.10000000000000002"));
  EXPECT_TRUE(accepts(R"({"const": 0.1})", "1.0e-1"));
  EXPECT_TRUE(accepts(R"({"minimum": 1.5})", "15e-1"));
  EXPECT_FALSE(accepts(R"({"exclusiveMinimum": 1.5})", "1.5"));
}

TEST(ExactNumber, AnIntegerIsItselfHoweverItIsWritten) {
  EXPECT_TRUE(accepts(R"({"const": 100})", "1e2"));
  EXPECT_TRUE(accepts(R"({"const": 100})", "100.000"));
  EXPECT_TRUE(accepts(R"({"const": 0})", "-0.0"));
  EXPECT_TRUE(accepts(R"({"const": 0})", "0e999999999999999999999999"));
  EXPECT_FALSE(accepts(R"({"const": 9007199254740992})", "9007199254740993"));
  EXPECT_TRUE(accepts(R"({"maximum": 1})", "0.9999999999999999e0"));
  EXPECT_FALSE(accepts(R"({"maximum": 1})", "1e99999999999999999999"));
  EXPECT_TRUE(accepts(R"({"maximum": 0})", "1e-99999999999999999999"));
}

TEST(ExactNumber, TypeIntegerIsJudgedAsAJavaScriptNumber) {
  for (const char* number : {"1", "-0", "1.0", "1e2", "1e300", "100000000000000000000000000", "9007199254740993.5"})
    EXPECT_TRUE(accepts(R"({"type": "integer"})", number)) << number;
  for (const char* number : {"1.5", "1e-1", "0.1"}) EXPECT_FALSE(accepts(R"({"type": "integer"})", number)) << number;
}

TEST(ExactNumber, MultipleOfIsExactOnDecimals) {
  EXPECT_TRUE(accepts(R"({"multipleOf": 0.1})", "0.3"));
  EXPECT_FALSE(accepts(R"({"multipleOf": 0.1})", "0.35"));
  EXPECT_TRUE(accepts(R"({"multipleOf": 0.01})", "19.99"));
  EXPECT_TRUE(accepts(R"({"multipleOf": 7})", "7" + std::string(1000, '0')));
  EXPECT_FALSE(accepts(R"({"multipleOf": 7})", "8" + std::string(1000, '0')));
  EXPECT_TRUE(accepts(R"({"multipleOf": 1})", "1e308"));
  EXPECT_FALSE(accepts(R"({"multipleOf": 0.123456789})", "1e308"));
  EXPECT_TRUE(accepts(R"({"multipleOf": 0.0001})", "0.0075"));
  EXPECT_FALSE(accepts(R"({"multipleOf": 0.0001})", "0.00751"));
  EXPECT_TRUE(accepts(R"({"multipleOf": 1e21})", "3e21"));
  EXPECT_TRUE(accepts(R"({"multipleOf": 18446744073709551615})", "36893488147419103230"));
  EXPECT_TRUE(accepts(R"({"multipleOf": 3})", "0"));
  EXPECT_TRUE(accepts(R"({"multipleOf": 5})", "-10"));
}

TEST(ExactNumber, AThousandDigitsTakeLinearTime) {
  const std::string digits(100000, '7');
  EXPECT_FALSE(accepts(R"({"type": "number", "maximum": 5, "multipleOf": 3, "enum": [1.5, 2]})", digits));
}

}  // namespace
}  // namespace eventgate
