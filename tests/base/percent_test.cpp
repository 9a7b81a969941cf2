#include "eventgate/base/percent.hpp"

#include <gtest/gtest.h>

namespace eventgate {
namespace {

TEST(Percent, DecodesEscapesOfBothCases) {
  EXPECT_EQ(percent_decode("a%2Fb%2f%00"), std::string("a/b/\0", 5));
  EXPECT_EQ(percent_decode_strict("a%2Fb%2f"), "a/b/");
}

TEST(Percent, MalformedEscape_IsKeptAndFailsInTheStrictForm) {
  for (const char* text : {"%", "a%", "%2", "%2x", "%x2", "%%"}) {
    EXPECT_EQ(percent_decode(text), text);
    EXPECT_EQ(form_decode(text), text);
    EXPECT_EQ(percent_decode_strict(text), std::nullopt) << text;
  }
  EXPECT_EQ(percent_decode("%%41"), "%A");
}

TEST(Percent, PlusIsASpaceOnlyInAForm) {
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode_strict("a+b"), "a+b");
  EXPECT_EQ(form_decode("a+b%2B"), "a b+");
}

TEST(Percent, EscapeAtReadsOneEscape) {
  EXPECT_EQ(percent_escape_at("x%2F", 1), '/');
  EXPECT_EQ(percent_escape_at("x%2F", 0), -1);
  EXPECT_EQ(percent_escape_at("x%2", 1), -1);
  EXPECT_EQ(percent_escape_at("%FF", 0), 255);
}

TEST(Percent, EncodesAsEncodeUriComponent) {
  EXPECT_EQ(percent_encode("aZ09-_.!~*'()"), "aZ09-_.!~*'()");
  EXPECT_EQ(percent_encode("a/b c%\xC3\xA4"), "a%2Fb%20c%25%C3%A4");
}

}  // namespace
}  // namespace eventgate
