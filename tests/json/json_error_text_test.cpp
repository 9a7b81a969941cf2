#include "eventgate/json/json_error_text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace eventgate {
namespace {

/// The text about the first error of `json`, which must have one.
std::string error_of(std::string json) {
  const std::string text = json;
  json.append(kJsonPadding, ' ');
  JsonNodes nodes;
  const auto error = parse_json(std::string_view(json).substr(0, text.size()), nodes);
  return error ? json_error_text(text, *error) : "none";
}

TEST(JsonErrorText, SaysWhatWasExpectedWhereAndWhatWasFound) {
  EXPECT_EQ(error_of(R"({"a":x})"), "expected a value at byte 5, found 'x'");
  EXPECT_EQ(error_of("{\"a\":\x01}"), "expected a value at byte 5, found the byte 0x01");
  EXPECT_EQ(error_of("{\"a\":\xff}"), "expected valid UTF-8 at byte 5, found the byte 0xFF");
  EXPECT_EQ(error_of("{\"a\":\u00e9}"), "expected a value at byte 5, found '\u00e9'");
  EXPECT_EQ(error_of("{\"a\":\u0085}"), "expected a value at byte 5, found the byte 0xC2");
}

TEST(JsonErrorText, QuotesNoMoreThanTwentyBytes) {
  EXPECT_EQ(error_of("[" + std::string(1000, 'x') + "]"),
            "expected a value or ']' at byte 1, found '" + std::string(20, 'x') + "'");
}

TEST(JsonErrorText, NamesTheFrequentMistake) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {R"({"a":1,})", "this looks like a comma behind the last element"},
      {"[1, \n]", "this looks like a comma behind the last element"},
      {"{\"a\":1}\n{\"a\":2}\n", "this looks like an event on each line (NDJSON); several events have to be one array"},
      {R"({"a":1}{"a":2})", "this looks like one event behind the other; several events have to be one array"},
      {R"({"a":1},{"a":2})", "this looks like a list without its brackets; several events have to be one array"},
      {"{'a':1}", "this looks like single quotes; JSON has double quotes"},
      {R"({"a":'x'})", "this looks like single quotes; JSON has double quotes"},
      {"{\u201ca\u201d:1}", "this looks like typographic quotes; JSON has straight double quotes"},
      {"{a:1}", "this looks like a key without quotes"},
      {R"({"a":NaN})", "JSON has no such value; it has null, true, false and numbers"},
      {R"({"a":True})", "JSON has no such value; it has null, true, false and numbers"},
      {"{ // note\n}", "this looks like a comment; JSON has none"},
      {R"({"a":1)", "the text looks cut off"},
      {R"({"a":"x)", "the text looks cut off"},
      {"<html></html>", "this looks like HTML or XML"},
      {"event=%7B%7D", "this looks like a form"},
      {std::string("\xff\xfe{\0}\0", 6), "this looks like UTF-16; JSON has to be UTF-8"},
  };
  for (const auto& [json, mistake] : cases) {
    const std::string text = error_of(json);
    EXPECT_TRUE(text.ends_with(": " + mistake)) << json << ": " << text;
  }
}

TEST(JsonErrorText, GuessesNothingWithoutAReason) {
  for (const char* json : {R"({"a" 1})", "[1 2]", R"(["\x"])", "[01]"})
    EXPECT_EQ(error_of(json).find("looks like"), std::string::npos) << error_of(json);
}

TEST(JsonErrorText, OffsetBehindTheText_QuotesNothing) {
  EXPECT_EQ(json_error_text("{}", {99, "a text of less than 2 GiB"}), "expected a text of less than 2 GiB at byte 99");
}

}  // namespace
}  // namespace eventgate
