#include "eventgate/json/decimal.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

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

TEST(ExactNumber, IntegersInDifferentNotations_AreEqual) {
  EXPECT_TRUE(accepts(R"({"const": 100})", "1e2"));
  EXPECT_TRUE(accepts(R"({"const": 100})", "100.000"));
  EXPECT_TRUE(accepts(R"({"const": 0})", "-0.0"));
  EXPECT_TRUE(accepts(R"({"const": 0})", "0e999999999999999999999999"));
  EXPECT_FALSE(accepts(R"({"const": 9007199254740992})", "9007199254740993"));
  EXPECT_TRUE(accepts(R"({"maximum": 1})", "0.9999999999999999e0"));
  EXPECT_FALSE(accepts(R"({"maximum": 1})", "1e99999999999999999999"));
}

TEST(ExactNumber, DecimalValueDecidesWhetherANumberIsAnInteger) {
  for (const char* number : {"1", "-0", "1.0", "1e2", "1e300", "100000000000000000000000000", "-12.50e1", "0.0e-400",
                             "120e-1", "0e-99999999999999999999", "9007199254740993.000", "1.5E+1", "0.00000012e8"})
    EXPECT_TRUE(accepts(R"({"type": "integer"})", number)) << number;
  for (const char* number : {"1.5", "1e-1", "0.1", "1.0000000000000000000001", "-1.0000000000000000000001", "1e-400",
                             "-1e-400", "9007199254740991.4", "9007199254740993.5", "0.99999999999999999999",
                             "1e-99999999999999999999", "1.5e-2000000000000", "120e-2", "123.4500e1"})
    EXPECT_FALSE(accepts(R"({"type": "integer"})", number)) << number;
  const ValidatedEvent refused = validated(*compiled(R"({"type": "integer"})"), "1e-400");
  ASSERT_EQ(refused.errors.size(), 1u);
  EXPECT_EQ(refused.errors[0].message, "should be integer");
}

TEST(ExactNumber, DoubleIsAnInteger_NumberIsComparedByItsDigits) {
  EXPECT_FALSE(accepts(R"({"maximum": 1})", "1.0000000000000000000001"));
  EXPECT_TRUE(accepts(R"({"exclusiveMinimum": 1})", "1.0000000000000000000001"));
  EXPECT_FALSE(accepts(R"({"minimum": 1})", "0.99999999999999999999999"));
  EXPECT_TRUE(accepts(R"({"exclusiveMaximum": 1})", "0.99999999999999999999999"));
  EXPECT_FALSE(accepts(R"({"maximum": 0})", "1e-400"));
  EXPECT_FALSE(accepts(R"({"maximum": 0})", "1e-99999999999999999999"));
  EXPECT_TRUE(accepts(R"({"exclusiveMaximum": 0})", "-1e-400"));
  EXPECT_FALSE(accepts(R"({"maximum": 9007199254740991})", "9007199254740991.4"));
  EXPECT_TRUE(accepts(R"({"exclusiveMinimum": 9007199254740991})", "9007199254740991.4"));
  EXPECT_FALSE(accepts(R"({"const": 1})", "1.0000000000000000000001"));
  EXPECT_FALSE(accepts(R"({"const": 0})", "1e-400"));
  EXPECT_FALSE(accepts(R"({"enum": [0, 1, 9007199254740991]})", "9007199254740991.4"));
  EXPECT_FALSE(accepts(R"({"multipleOf": 1})", "1.0000000000000000000001"));
  EXPECT_FALSE(accepts(R"({"multipleOf": 0.01})", "1e-400"));
  EXPECT_FALSE(accepts(R"({"multipleOf": 1})", "9007199254740991.4"));
  EXPECT_TRUE(accepts(R"({"uniqueItems": true})", "[1, 1.0000000000000000000001, 0, 1e-400, 1e-401, -1e-400]"));
  EXPECT_TRUE(accepts(R"({"uniqueItems": true})",
                      "[1, 1.0000000000000000000001, 0, 1e-400, 1e-401, -1e-400, 2, 3, 4, 2.0000000000000000000001]"));
  EXPECT_FALSE(accepts(R"({"uniqueItems": true})", "[1, 2, 3, 4, 5, 6, 7, 8, 1e-400, 0.1e-399]"));
  EXPECT_TRUE(accepts(R"({"uniqueItems": true, "items": {"type": "number"}})", "[1e-400, 0, 1e-500]"));
}

TEST(ExactNumber, Comparison_IsATotalOrder) {
  // In order; those of one row are equal.
  const std::vector<std::vector<std::string>> rows = {{"-1e300"},
                                                      {"-9007199254740993"},
                                                      {"-9007199254740992.5"},
                                                      {"-1.00000000000000000000001"},
                                                      {"-1", "-10e-1"},
                                                      {"-0.1", "-0.1000000000000000000001"},
                                                      {"-1e-400"},
                                                      {"0", "-0", "0e5", "0.0e-999999999999"},
                                                      {"1e-2000000000000"},
                                                      {"1e-400", "0.01e-398"},
                                                      {"0.1", "0.10000000000000001"},
                                                      {"0.99999999999999999999999"},
                                                      {"1", "1.0", "100e-2"},
                                                      {"1.00000000000000000000001"},
                                                      {"9007199254740992"},
                                                      {"9007199254740992.25"},
                                                      {"9007199254740993"},
                                                      {"1e300"}};
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < rows.size(); ++j)
      for (const std::string& a : rows[i])
        for (const std::string& b : rows[j]) {
          ExactNumber x, y;
          x.read(a);
          y.read(b);
          EXPECT_EQ(compare(x, y) < 0, i < j) << a << " and " << b;
          EXPECT_EQ(compare(x, y) > 0, i > j) << a << " and " << b;
        }
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
  EXPECT_FALSE(accepts(R"({"type": "integer"})", "1." + std::string(100000, '0') + "1"));
}

TEST(IntegerLiteral, IntegerInAnyNotation_IsRead) {
  const std::vector<std::pair<std::string, std::int64_t>> numbers{{"0", 0},
                                                                  {"-0.0", 0},
                                                                  {"1.0", 1},
                                                                  {"-1.5e1", -15},
                                                                  {"1e3", 1000},
                                                                  {"100e-2", 1},
                                                                  {"0.1E+1", 1},
                                                                  {"0e999999", 0},
                                                                  {"1.2300e2", 123},
                                                                  {"9223372036854775807.0", INT64_MAX},
                                                                  {"1e18", 1000000000000000000},
                                                                  {"-9223372036854775808.0", INT64_MIN}};
  for (const auto& [text, value] : numbers) EXPECT_EQ(integer_literal(text), value) << text;
}

TEST(IntegerLiteral, NumberIsNotAnIntegerOf64Bits_HasNone) {
  for (const char* text : {"0.5", "1.5", "1e-1", "9223372036854775808", "-9223372036854775809.0", "1e19", "1e400",
                           "1e-99999999999999999999", "1e99999999999999999999"})
    EXPECT_EQ(integer_literal(text), std::nullopt) << text;
}

}  // namespace
}  // namespace eventgate
