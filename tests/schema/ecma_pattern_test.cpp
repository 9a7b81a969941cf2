#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventgate/json/json_text.hpp"
#include "support/validated_event.hpp"

// ECMA-262 patterns run by RE2, through schemas that use them.

namespace eventgate {
namespace {

std::string schema_of(const std::string& pattern) { return "{\"pattern\": " + json_string(pattern) + "}"; }

/// Which of `texts` JavaScript's RegExp.test would accept.
std::vector<std::string> matching(const std::string& pattern, const std::vector<std::string>& texts) {
  const auto schema = compiled(schema_of(pattern));
  std::vector<std::string> found;
  for (const std::string& text : texts)
    if (validated(*schema, json_string(text)).valid()) found.push_back(text);
  return found;
}

std::string error_of(const std::string& pattern) {
  try {
    compiled(schema_of(pattern));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "none";
}

using testing::ElementsAre;
using testing::HasSubstr;

TEST(EcmaPattern, IsFoundAnywhereUnlessAnchored) {
  EXPECT_THAT(matching("b", {"abc", "ac"}), ElementsAre("abc"));
  EXPECT_THAT(matching("^b$", {"b", "ab", "b\n", "\nb"}), ElementsAre("b"));
}

TEST(EcmaPattern, DotStopsAtEveryLineTerminator) {
  EXPECT_THAT(matching("^.$", {"a", "\n", "\r", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xC2\x85", "\xF0\x9F\x98\x80"}),
              ElementsAre("a", "\xC2\x85", "\xF0\x9F\x98\x80"));
}

TEST(EcmaPattern, SpaceMatchesUnicode_DigitsAndWordsMatchAsciiOnly) {
  EXPECT_THAT(matching("^\\s$", {" ", "\v", "\xC2\xA0", "\xEF\xBB\xBF", "\xE3\x80\x80", "a"}),
              ElementsAre(" ", "\v", "\xC2\xA0", "\xEF\xBB\xBF", "\xE3\x80\x80"));
  EXPECT_THAT(matching("^\\S$", {"\xC2\xA0", "a"}), ElementsAre("a"));
  EXPECT_THAT(matching("^\\d$", {"1", "\xD9\xA3"}), ElementsAre("1"));
  EXPECT_THAT(matching("^\\w$", {"_", "\xC3\xA9"}), ElementsAre("_"));
  EXPECT_THAT(matching("^[^\\W_]$", {"_", "a"}), ElementsAre("a"));
}

TEST(EcmaPattern, CharacterEscapes_MatchTheirCharacters) {
  EXPECT_THAT(matching("^\\u00e9\\x41\\cJ\\0\\t\\/\\-$", {std::string("\xC3\xA9"
                                                                      "A\n\0\t/-",
                                                                      8)}),
              testing::SizeIs(1));
  EXPECT_THAT(matching("^\\uD83D\\uDE00$", {"\xF0\x9F\x98\x80"}), testing::SizeIs(1));
  EXPECT_THAT(matching("^[\\uD83D\\uDE00]{2}$", {"\xF0\x9F\x98\x80\xF0\x9F\x98\x80"}), testing::SizeIs(1));
  EXPECT_THAT(matching("^\\_\\e\\p{L}\\8$", {"_ep{L}8"}), testing::SizeIs(1));
  EXPECT_THAT(matching("^\\c\\u{2}$", {"\\cuu"}), testing::SizeIs(1));
}

TEST(EcmaPattern, Classes_FollowAnnexB) {
  EXPECT_THAT(matching("^[^]$", {"\n", "a", ""}), ElementsAre("\n", "a"));
  EXPECT_THAT(matching("[]", {"", "a"}), ElementsAre());
  EXPECT_THAT(matching("^[\\w-a]$", {"-", "b", "."}), ElementsAre("-", "b"));
  EXPECT_THAT(matching("^[[:alpha:]]$", {":]", "a]", "b]", "b"}), ElementsAre(":]", "a]"));
  EXPECT_THAT(matching("^[\\b]$", {"\b", "b"}), ElementsAre("\b"));
  EXPECT_THAT(matching("^[a&&b]$", {"&", "a"}), ElementsAre("&", "a"));
  EXPECT_THAT(matching("^[\\u0000-\\uFFFF]$", {"\xF0\x9F\x98\x80", "a"}), testing::SizeIs(2));
}

TEST(EcmaPattern, BracesWithoutAQuantifier_MatchThemselves) {
  EXPECT_THAT(matching("^a{,2}$", {"a{,2}", "aa"}), ElementsAre("a{,2}"));
  EXPECT_THAT(matching("^{a}]$", {"{a}]"}), testing::SizeIs(1));
  EXPECT_THAT(matching("^(?:ab){2,3}?$", {"abab", "ab"}), ElementsAre("abab"));
}

TEST(EcmaPattern, PatternIsMalformed_SchemaIsUnusable) {
  EXPECT_THAT(error_of("(a"), AllOf(HasSubstr("#/pattern is '(a'"), HasSubstr("a ')' for each '('")));
  EXPECT_THAT(error_of("a)"), HasSubstr("without its '('"));
  EXPECT_THAT(error_of("[a"), HasSubstr("']' for each '['"));
  EXPECT_THAT(error_of("*"), HasSubstr("something to repeat before '*'"));
  EXPECT_THAT(error_of("a{2,1}"), HasSubstr("smaller number first"));
  EXPECT_THAT(error_of("[b-a]"), HasSubstr("in order"));
  EXPECT_THAT(error_of("a\\"), HasSubstr("behind the last '\\'"));
  EXPECT_THAT(error_of("(?i)a"), HasSubstr("(?:"));
}

TEST(EcmaPattern, PatternIsBeyondRe2_SchemaIsUnusable) {
  EXPECT_THAT(error_of("(?=a)b"), HasSubstr("look-ahead"));
  EXPECT_THAT(error_of("(?<!a)b"), HasSubstr("look-behind"));
  EXPECT_THAT(error_of("(a)\\1"), HasSubstr("a back-reference"));
  EXPECT_THAT(error_of("(?<n>a)\\k<n>"), HasSubstr("a back-reference"));
  EXPECT_THAT(error_of("a{1001}"), HasSubstr("1000 repetitions"));
  EXPECT_THAT(error_of("\\uD800"), HasSubstr("a lone surrogate"));
  EXPECT_THAT(error_of("((a{1,100}){1,100}){1,100}"), HasSubstr("RE2 does not take"));
}

TEST(EcmaPattern, TakesNoMoreMemoryThanTheLimit) {
  CompilerLimits limits;
  limits.pattern_memory = 1 << 14;
  EXPECT_THROW(compiled(schema_of("[\\u00e9-\\uffff]{500}"), {}, "/x", limits), std::invalid_argument);
}

TEST(EcmaPattern, AMegabyteIsReadInLinearTime) {
  const std::string text(1 << 20, 'a');
  for (const char* pattern : {"^(a|b)*$", "^(a*)*$", "(a+)+$", "^(a|aa)+$", "(x+x+)+y"}) matching(pattern, {text});
  EXPECT_THAT(matching("^(a|b)*$", {text}), testing::SizeIs(1));
}

}  // namespace
}  // namespace eventgate
