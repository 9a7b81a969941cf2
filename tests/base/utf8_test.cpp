#include "eventgate/base/utf8.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace eventgate {
namespace {

std::string encoded(unsigned code_point) {
  std::string text;
  append_utf8(text, code_point);
  return text;
}

TEST(Utf8, EveryCodePoint_IsDecodedAsEncoded) {
  for (unsigned code_point = 0; code_point <= 0x10FFFF; ++code_point) {
    if (code_point >= 0xD800 && code_point <= 0xDFFF) continue;
    const std::string text = encoded(code_point);
    const Utf8Step step = utf8_step(text.data(), text.data() + text.size());
    ASSERT_TRUE(step.valid) << code_point;
    ASSERT_EQ(step.size, text.size()) << code_point;
  }
}

TEST(Utf8, InvalidBytesAreFoundAndReplacedOneByOne) {
  struct Case {
    std::string bytes;
    std::size_t invalid_at;
    std::string replaced;
  };
  const std::string r = kReplacementCharacter;
  const std::vector<Case> cases{{"a\x80", 1, "a" + r},                   // a continuation byte alone
                                {"\xC0\xAF", 0, r + r},                  // overlong
                                {"\xE0\x80\x80", 0, r + r + r},          // overlong
                                {"\xED\xA0\x80", 0, r + r + r},          // a surrogate
                                {"\xF4\x90\x80\x80", 0, r + r + r + r},  // above U+10FFFF
                                {"\xF5", 0, r},                          // never a first byte
                                {"x\xE2\x82", 1, "x" + r + r},           // cut
                                {"\xF0\x9F\x98\x80", std::string::npos, "\xF0\x9F\x98\x80"}};
  for (const Case& one : cases) {
    EXPECT_EQ(find_invalid_utf8(one.bytes), one.invalid_at) << one.bytes;
    EXPECT_EQ(to_valid_utf8(one.bytes), one.replaced) << one.bytes;
  }
}

TEST(Utf8, Prefix_EndsBetweenCodePoints) {
  const std::string text = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80";  // 1, 2, 3 and 4 bytes
  const std::vector<std::size_t> sizes{0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
  for (std::size_t max = 0; max < sizes.size(); ++max)
    EXPECT_EQ(utf8_prefix(text, max), text.substr(0, sizes[max])) << max;
  EXPECT_EQ(utf8_prefix(text, 99), text);
  EXPECT_EQ(utf8_prefix("", 0), "");
}

TEST(Utf8, Suffix_BeginsBetweenCodePoints) {
  const std::string text = "\xF0\x9F\x98\x80\xE2\x82\xAC\xC3\xA4z";  // 4, 3, 2 and 1 bytes
  const std::vector<std::size_t> sizes{0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
  for (std::size_t max = 0; max < sizes.size(); ++max)
    EXPECT_EQ(utf8_suffix(text, max), text.substr(text.size() - sizes[max])) << max;
  EXPECT_EQ(utf8_suffix(text, 99), text);
}

TEST(Utf8, TextThatIsNotUtf8IsCutAtTheLimit) {
  const std::string text(10, '\x80');
  EXPECT_EQ(utf8_prefix(text, 6).size(), 6U);
  EXPECT_EQ(utf8_suffix(text, 6).size(), 6U);
}

TEST(Utf8, CodePointsAreCounted) {
  const std::string text = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80";
  EXPECT_EQ(count_code_points(text), 4U);
  EXPECT_EQ(count_code_points(""), 0U);
}

TEST(ToValidUtf8, InvalidUtf8_EachByteIsReplaced) {
  EXPECT_EQ(to_valid_utf8("plain é \U0001F600 \n"), "plain é \U0001F600 \n");
  EXPECT_EQ(to_valid_utf8("a\xE9"
                          "b"),
            "a\uFFFD"
            "b");
  EXPECT_EQ(to_valid_utf8("\xE2\x82|"), "\uFFFD\uFFFD|");
  EXPECT_EQ(to_valid_utf8("\xF0\x9F\x98"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(to_valid_utf8("\xC3\xC3\xA9"), "\uFFFDé");
  EXPECT_EQ(to_valid_utf8(""), "");
}

TEST(FirstCodePoints, CutsBetweenCodePoints) {
  EXPECT_EQ(first_code_points("aé\u20AC\U0001F600z", 0), "");
  EXPECT_EQ(first_code_points("aé\u20AC\U0001F600z", 2), "aé");
  EXPECT_EQ(first_code_points("aé\u20AC\U0001F600z", 4), "aé\u20AC\U0001F600");
  EXPECT_EQ(first_code_points("aé\u20AC\U0001F600z", 5), "aé\u20AC\U0001F600z");
  EXPECT_EQ(first_code_points("aé", 400), "aé");
  EXPECT_EQ(first_code_points("", 3), "");
}

}  // namespace
}  // namespace eventgate
