#include "eventgate/json/json_text.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace eventgate {
namespace {

using namespace std::string_view_literals;

TEST(JsonString, EscapesAsJsonStringifyDoes) {
  EXPECT_EQ(json_string("plain /'\x7F"), "\"plain /'\x7F\"");
  EXPECT_EQ(json_string("\"\\\b\f\n\r\t"), R"("\"\\\b\f\n\r\t")");
  EXPECT_EQ(json_string("\0\x01\x0B\x1F"sv), R"("\u0000\u0001\u000b\u001f")");
  EXPECT_EQ(json_string(""), "\"\"");
}

TEST(JsonString, EscapesAByteAtEveryPosition) {
  for (int byte = 0; byte < 0x80; ++byte) {
    const std::string alone = json_string(std::string(1, static_cast<char>(byte)));
    const std::string escaped = alone.substr(1, alone.size() - 2);
    for (std::size_t before = 0; before < 50; ++before) {
      const std::string left(before, 'a'), right(49 - before, '~');
      ASSERT_EQ(json_string(left + static_cast<char>(byte) + right), '"' + left + escaped + right + '"') << byte;
    }
  }
}

TEST(JsonString, EscapesManyBytesInARow) {
  // Of all lengths about the pieces that it is made in.
  for (const std::size_t count : {1, 7, 8, 15, 16, 17, 33, 511, 512, 513, 527, 528, 529, 5000}) {
    std::string text, expected = "\"";
    for (std::size_t i = 0; i < count; ++i) {
      text += i % 3 == 0 ? "\x1F" : i % 3 == 1 ? "\"" : "\u20AC";
      expected += i % 3 == 0 ? "\\u001f" : i % 3 == 1 ? "\\\"" : "\u20AC";
    }
    ASSERT_EQ(json_string(text), expected + '"') << count;
  }
}

TEST(JsonString, UnicodeStaysAsItIs) {
  EXPECT_EQ(json_string("é\u2028\u20AC\U0001F600\uFFFF\U0010FFFF"), "\"é\u2028\u20AC\U0001F600\uFFFF\U0010FFFF\"");
}

TEST(JsonString, InvalidUtf8IsReplacedOncePerMaximalPart) {
  EXPECT_EQ(json_string("a\xFF"
                        "b"),
            "\"a\uFFFD"
            "b\"");
  EXPECT_EQ(json_string("\xC0\x80"), "\"\uFFFD\uFFFD\"");                      // overlong: no part of anything
  EXPECT_EQ(json_string("\xE0\x80\x80"), "\"\uFFFD\uFFFD\uFFFD\"");            // overlong
  EXPECT_EQ(json_string("\xED\xA0\x80"), "\"\uFFFD\uFFFD\uFFFD\"");            // a surrogate
  EXPECT_EQ(json_string("\xF4\x90\x80\x80"), "\"\uFFFD\uFFFD\uFFFD\uFFFD\"");  // beyond U+10FFFF
  EXPECT_EQ(json_string("\xE2\x82"), "\"\uFFFD\"");                            // cut
  EXPECT_EQ(json_string("\xF0\x9F\x98|\xE2\x82\""), "\"\uFFFD|\uFFFD\\\"\"");  // cut, and what follows is kept
  EXPECT_EQ(json_string("\x80\x80"), "\"\uFFFD\uFFFD\"");
}

TEST(AppendJsonString, KeepsTheTextBefore) {
  std::string out = "{";
  append_json_string(out, "a");
  EXPECT_EQ(out, "{\"a\"");
}

TEST(JsNumber, EqualsJavaScriptsText) {
  EXPECT_EQ(js_number(-0.0), "0");
  EXPECT_EQ(js_number(1e20), "100000000000000000000");
  EXPECT_EQ(js_number(1.5e21), "1.5e+21");
  EXPECT_EQ(js_number(-0.000001), "-0.000001");
  EXPECT_EQ(js_number(1e-7), "1e-7");
  EXPECT_EQ(js_number(1234567.8), "1234567.8");
  EXPECT_EQ(js_number(9007199254740993.0), "9007199254740992");
  EXPECT_EQ(js_number(5e-324), "5e-324");
  EXPECT_EQ(js_number(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
  EXPECT_EQ(js_number(std::numeric_limits<double>::infinity()), "null");
}

TEST(ArrayIndex, HasAtMost32BitsAndNoLeadingZeros) {
  EXPECT_EQ(array_index("0"), 0u);
  EXPECT_EQ(array_index("4294967294"), 4294967294u);
  for (const char* key : {"", "01", "00", "4294967295", "9999999999", "18446744073709551616", "-1", "1.0", " 1", "1a"})
    EXPECT_EQ(array_index(key), std::nullopt) << key;
}

}  // namespace
}  // namespace eventgate
