#include "eventgate/base/ascii.hpp"

#include <gtest/gtest.h>

namespace eventgate {
namespace {

TEST(Ascii, HexValueReadsBothCasesAndNothingElse) {
  EXPECT_EQ(hex_value('0'), 0);
  EXPECT_EQ(hex_value('9'), 9);
  EXPECT_EQ(hex_value('a'), 10);
  EXPECT_EQ(hex_value('F'), 15);
  for (const char c : {'g', 'G', '/', ':', '@', '`', ' ', '\x80', '\xC1', '\x10'}) EXPECT_FALSE(is_hex_digit(c)) << c;
}

TEST(Ascii, ClassesExcludeNeighboursAndBytesAbove127) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool digit = byte >= 48 && byte <= 57;
    const bool letter = (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122);
    EXPECT_EQ(is_ascii_digit(c), digit) << byte;
    EXPECT_EQ(is_ascii_letter(c), letter) << byte;
    EXPECT_EQ(is_ascii_alphanumeric(c), digit || letter) << byte;
  }
}

TEST(Ascii, IsAllDigitsNeedsADigit) {
  EXPECT_TRUE(is_all_digits("0123456789"));
  EXPECT_FALSE(is_all_digits(""));
  EXPECT_FALSE(is_all_digits("1a"));
  EXPECT_FALSE(is_all_digits("-1"));
}

TEST(Ascii, LowerCase_ChangesLettersOnly) { EXPECT_EQ(to_ascii_lower("AZaz[\xC3\x84@"), "azaz[\xC3\x84@"); }

TEST(Ascii, EqualsIgnoringCaseComparesLettersOnly) {
  EXPECT_TRUE(equals_ignoring_case("Content-TYPE", "content-type"));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
  EXPECT_FALSE(equals_ignoring_case("[", "{"));
}

TEST(Ascii, TrimRemovesBlanksAtBothEnds) {
  EXPECT_EQ(trim(" \ta b\t "), "a b");
  EXPECT_EQ(trim(" \t"), "");
  EXPECT_EQ(trim("\na\n", "\n"), "a");
}

}  // namespace
}  // namespace eventgate
