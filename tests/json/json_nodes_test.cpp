#include "eventgate/json/json_nodes.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>

namespace eventgate {
namespace {

/// A text with the padding that a parse needs, and its nodes.
struct Parsed {
  std::string text;
  JsonNodes nodes;
  std::optional<JsonError> error;
  JsonValue root() const { return nodes.root(); }
};

Parsed parsed(std::string_view text, const JsonLimits& limits = {}) {
  Parsed result;
  // The padding is what would do most harm if it were read as text.
  result.text = std::string(text) + std::string(kJsonPadding, '1');
  result.error = parse_json(std::string_view(result.text).substr(0, text.size()), result.nodes, limits);
  return result;
}

/// "ok", or the error as "OFFSET: EXPECTED".
std::string verdict(std::string_view text, const JsonLimits& limits = {}) {
  const Parsed result = parsed(text, limits);
  return result.error ? std::to_string(result.error->offset) + ": " + result.error->expected : "ok";
}

/// Each node as "type source", comma separated.
std::string listed(const Parsed& result) {
  std::string list;
  for (std::uint32_t i = 0; i < result.nodes.nodes.size(); ++i) {
    const JsonValue value(result.nodes.text.data(), result.nodes.nodes.data(), i);
    if (!list.empty()) list += "; ";
    list += std::string(json_type_name(value.type())) + " " + std::string(value.source()) + " " +
            std::to_string(value.node().next);
  }
  return list;
}

/// Each flaw as "kind node", and of invalid UTF-8 where the byte is.
std::string flaws(std::string_view text) {
  const Parsed result = parsed(text);
  if (result.error) return "refused";
  std::string list;
  for (const JsonInteropIssue& flaw : result.nodes.interop_issues) {
    const bool utf8 = flaw.kind == JsonInteropIssue::Kind::invalid_utf8;
    list += std::string(list.empty() ? "" : ", ") +
            (utf8                                                  ? "utf8 "
             : flaw.kind == JsonInteropIssue::Kind::lone_surrogate ? "surrogate "
                                                                   : "double ") +
            std::to_string(flaw.node) + (utf8 ? " at " + std::to_string(flaw.offset) : "");
  }
  return list;
}

std::string repeated(std::string_view piece, std::size_t times) {
  std::string text;
  text.reserve(piece.size() * times);
  for (std::size_t i = 0; i < times; ++i) text += piece;
  return text;
}

TEST(JsonNodes, NodesAreInTheOrderOfTheTextWithTheirNextSibling) {
  EXPECT_EQ(listed(parsed(R"( {"a" : [1, -2.5e3 ,{}], "b":null,"c":true} )")),
            R"(object {"a" : [1, -2.5e3 ,{}], "b":null,"c":true} 10; )"
            R"(string "a" 2; array [1, -2.5e3 ,{}] 6; number 1 4; number -2.5e3 5; object {} 6; )"
            R"(string "b" 7; null null 8; string "c" 9; boolean true 10)");
}

TEST(JsonNodes, ScalarAlone_IsAValidText) {
  EXPECT_EQ(listed(parsed("12")), "number 12 1");
  EXPECT_EQ(listed(parsed(" \"x\" ")), "string \"x\" 1");
  EXPECT_EQ(listed(parsed("null\n")), "null null 1");
  EXPECT_EQ(listed(parsed("[]")), "array [] 1");
}

TEST(JsonNodes, ByteOrderMark_IsSkippedAndCountsInOffsets) {
  EXPECT_EQ(listed(parsed("\xEF\xBB\xBF{\"a\":1}")), "object {\"a\":1} 3; string \"a\" 2; number 1 3");
  EXPECT_EQ(verdict("\xEF\xBB\xBF{\"a\" 1}"), "8: a colon");
  EXPECT_EQ(verdict("\xEF\xBB\xBF"), "3: a value");
  EXPECT_EQ(verdict("\xEF\xBB\xBF\xEF\xBB\xBF{}"), "3: a value");
}

TEST(JsonNodes, Flags_TellFractionsEscapesAndNonAscii) {
  const Parsed result = parsed(R"([true,false,1,1.0,1e2,"a","\n","é"])");
  std::string listing;
  for (const JsonValue value : result.root()) listing += std::to_string(value.node().flags);
  EXPECT_EQ(listing, "40022010");
}

// simdjson's stage 1 is internal to simdjson. It works on blocks of 64 bytes, so this moves a text over a block's end.
TEST(JsonNodes, TextAtEveryOffsetOfABlock_GivesTheSameNodes) {
  const std::string text = R"({"a\\":[1,true,"x\"{[:,"],"é":null,"":{}})";
  const auto expected = parsed(text).nodes.nodes;
  ASSERT_EQ(expected.size(), 10u);
  for (std::size_t blanks = 1; blanks <= 130; ++blanks) {
    const auto moved = parsed(std::string(blanks, ' ') + text + std::string(blanks, '\n')).nodes.nodes;
    ASSERT_EQ(moved.size(), expected.size()) << blanks;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(moved[i].begin, expected[i].begin + blanks) << blanks;
      ASSERT_EQ(moved[i].end, expected[i].end + blanks) << blanks;
      ASSERT_EQ(moved[i].type, expected[i].type) << blanks;
      ASSERT_EQ(moved[i].next, expected[i].next) << blanks;
    }
  }
}

TEST(JsonNodes, SecondText_ReusesTheMemory) {
  JsonNodes nodes;
  std::string large = "[" + repeated("1,", 5000) + "1]";
  large.reserve(large.size() + kJsonPadding);
  std::string small = "{}";
  small.reserve(small.size() + kJsonPadding);
  ASSERT_FALSE(parse_json(large, nodes));
  const JsonNode* const memory = nodes.nodes.data();
  ASSERT_FALSE(parse_json(small, nodes));
  EXPECT_EQ(nodes.nodes.size(), 1u);
  ASSERT_FALSE(parse_json(large, nodes));
  EXPECT_EQ(nodes.nodes.data(), memory);
  EXPECT_EQ(nodes.nodes.size(), 5002u);
}

TEST(JsonNodes, GrammarError_HasPositionAndExpectedText) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "0: a value"},
      {"  \n", "3: a value"},
      {"{", "1: a key in quotes or '}'"},
      {"[", "1: a value or ']'"},
      {"}", "0: a value"},
      {"]", "0: a value"},
      {",", "0: a value"},
      {":", "0: a value"},
      {"x", "0: a value"},
      {"NaN", "0: a value"},
      {"-Infinity", "1: a digit"},
      {"'a'", "0: a value"},
      {"[1,]", "3: a value"},
      {"[,1]", "1: a value or ']'"},
      {"[1 2]", "3: a comma or ']'"},
      {"[1}", "2: a comma or ']'"},
      {"[1", "2: a comma or ']'"},
      {"[1,", "3: a value"},
      {"[1:2]", "2: a comma or ']'"},
      {"{1:2}", "1: a key in quotes or '}'"},
      {"{a:2}", "1: a key in quotes or '}'"},
      {"{\"a\"}", "4: a colon"},
      {"{\"a\" 1}", "5: a colon"},
      {"{\"a\":}", "5: a value"},
      {"{\"a\":1,}", "7: a key in quotes"},
      {"{\"a\":1", "6: a comma or '}'"},
      {"{\"a\":1]", "6: a comma or '}'"},
      {"{\"a\":1 \"b\":2}", "7: a comma or '}'"},
      {"{\"a\":1}}", "7: the end of the text"},
      {"{} {}", "3: the end of the text"},
      {"1 2", "2: the end of the text"},
      {"\"a\"b", "3: the end of the text"},
      {"\"a\"\"b\"", "3: the end of the text"},
      {"[1\"a\"]", "2: the end of the number"},
      {"[\"a\"\"b\"]", "4: a comma or ']'"},
      {"[1]//", "3: the end of the text"},
      {"/*a*/1", "0: a value"},
      {"\x0C"
       "1",
       "0: a value"},
      {"\x1A"
       "1",
       "0: a value"},
      {"\xC2\xA0"
       "1",
       "0: a value"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(verdict(text), expected) << text;
  EXPECT_EQ(verdict(std::string_view("1\0", 2)), "1: the end of the number");
  EXPECT_EQ(verdict(std::string_view("\0", 1)), "0: a value");
}

TEST(JsonNodes, BytesAfterTheText_AreNotRead) {
  // In each, the padding would complete or spoil the text.
  const std::pair<std::string_view, std::size_t> cases[] = {{"true", 3},      {"[1]", 2},    {"1234", 2},
                                                            {"{\"a\":1}", 6}, {"1.5", 2},    {"1e5", 2},
                                                            {"-1", 1},        {"\"ab\"", 3}, {"\"\\u1234\"", 6}};
  std::string verdicts;
  for (const auto& [text, size] : cases) {
    const std::string padded = std::string(text) + std::string(kJsonPadding, '0');
    JsonNodes nodes;
    const auto error = parse_json(std::string_view(padded).substr(0, size), nodes);
    verdicts += error ? std::to_string(error->offset) + " " : std::string(nodes.root().source()) + " ";
  }
  EXPECT_EQ(verdicts, "0 2 12 6 2 2 1 3 6 ");
}

TEST(JsonNodes, NumbersFollowTheGrammar) {
  for (const std::string_view text : {"0", "-0", "0.0", "10", "-1", "1.5", "1e5", "1E5", "1e+5", "1e-5", "0e0",
                                      "-0.0E-0", "123456789012345678901234567890"})
    EXPECT_EQ(listed(parsed(text)), "number " + std::string(text) + " 1");
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"01", "1: no digit behind a leading 0"},
      {"-01", "2: no digit behind a leading 0"},
      {"-", "1: a digit"},
      {"+1", "0: a value"},
      {".5", "0: a value"},
      {"1.", "2: a digit"},
      {"1.e5", "2: a digit"},
      {"1e", "2: a digit"},
      {"1e+", "3: a digit"},
      {"1.5.5", "3: the end of the number"},
      {"1e5e5", "3: the end of the number"},
      {"1e5.5", "3: the end of the number"},
      {"--1", "1: a digit"},
      {"0x10", "1: the end of the number"},
      {"1_000", "1: the end of the number"},
      {"[1a]", "2: the end of the number"},
      {"1\\", "1: the end of the number"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(verdict(text), expected) << text;
}

TEST(JsonNodes, LiteralIsMisspelt_IsAnError) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"tru", "0: true"},    {"True", "0: a value"}, {"truex", "0: true"},        {"[true1]", "1: true"},
      {"falsy", "0: false"}, {"nul", "0: null"},     {"nulll", "0: null"},        {"null\"a\"", "0: null"},
      {"[nul]", "1: null"},  {"true", "ok"},         {"[true,false,null]", "ok"}, {"[ true\t,\r\nnull ]", "ok"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(verdict(text), expected) << text;
}

TEST(JsonNodes, StringsFollowTheGrammar) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"("\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00")", "ok"},
      {R"("\x")", "2: one of \" \\ / b f n r t u behind a backslash"},
      {R"(["ok\n","\U0041"])", "10: one of \" \\ / b f n r t u behind a backslash"},
      {R"("\u12g4")", "5: four hex digits"},
      {R"("\u123")", "6: four hex digits"},
      {R"({"\u00":1})", "6: four hex digits"},
      {R"("abc)", "4: a closing quote"},
      {R"("abc\")", "6: a closing quote"},
      {R"(")", "1: a closing quote"},
      {R"(["a",")", "6: a closing quote"},
      {R"({"a":"b)", "7: a closing quote"},
      {R"({"a)", "3: a closing quote"},
      {"\"a\nb\"", "2: an escape such as \\n in place of a bare control character"},
      {"{\"a\tb\":1}", "3: an escape such as \\n in place of a bare control character"},
      {"\"\x7F\"", "ok"},
      {R"(\"a")", "0: a value"},
      {R"(["a"\])", "4: a comma or ']'"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(verdict(text), expected) << text;
  EXPECT_EQ(verdict(std::string_view("\"a\0b\"", 5)), "2: an escape such as \\n in place of a bare control character");
}

TEST(JsonNodes, InvalidUtf8InAString_IsAnInteropIssue) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"", ""},
      {"\"a\xC0\x80\"", "utf8 0 at 2"},          // overlong
      {"\"a\xE0\x80\x80\"", "utf8 0 at 2"},      // overlong
      {"\"a\xF0\x80\x80\x80\"", "utf8 0 at 2"},  // overlong
      {"\"a\xED\xA0\x80\"", "utf8 0 at 2"},      // a surrogate
      {"\"a\xF4\x90\x80\x80\"", "utf8 0 at 2"},  // beyond U+10FFFF
      {"\"a\xFF\"", "utf8 0 at 2"},
      {"\"a\x80\"", "utf8 0 at 2"},
      {"\"a\xC3\"", "utf8 0 at 2"},
      {"\"\xE2\x82\"", "utf8 0 at 1"},
      {"{\"\xFF\":1}", "utf8 1 at 2"},
      {"[\"a\", \"\xC3\xA9\xFF\xFE\", {\"b\" : [\"\\\"\x80\"] }]", "utf8 2 at 9, utf8 6 at 25"},
      {"[\"\xFF\",\"\\ud800\",1e999,\"\\ud800\xFF\"]", "utf8 1 at 2, surrogate 2, double 3, surrogate 4, utf8 4 at 27"},
      {"\xEF\xBB\xBF[\"\xFF\"]", "utf8 1 at 2"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(flaws(text), expected) << text;
  const Parsed bytes = parsed("[\"\xFF\", \"\\n\xFF\"]");
  EXPECT_EQ(listed(bytes), "array [\"\xFF\", \"\\n\xFF\"] 3; string \"\xFF\" 2; string \"\\n\xFF\" 3");
  EXPECT_EQ((*++bytes.root().begin()).string(), "\n\xFF");
}

TEST(JsonNodes, InvalidUtf8OutsideStrings_IsAnErrorAtItsFirstByte) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"\xFF\xFE{", "0: valid UTF-8"},
      {"{} \x80", "3: valid UTF-8"},
      {"12\xFF", "2: valid UTF-8"},
      {"[1,\xC3 2]", "3: valid UTF-8"},
      {"[\"\xFF\"\xFF]", "4: valid UTF-8"},
      {"{\"a\xFF\"\xE2\x82:1}", "5: valid UTF-8"},
      {"[tr\xFFue]", "1: true"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(verdict(text), expected) << text;
}

TEST(JsonNodes, InvalidUtf8AndAGrammarError_GrammarErrorIsReturned) {
  EXPECT_EQ(verdict("\"a\xE2\x82"), "4: a closing quote");
  EXPECT_EQ(verdict("\"a\\\xFF\""), "3: one of \" \\ / b f n r t u behind a backslash");
  EXPECT_EQ(verdict("[\"\xFF\", 01]"), "7: no digit behind a leading 0");
  EXPECT_EQ(verdict("[\"\xFF\n\"]"), "3: an escape such as \\n in place of a bare control character");
  EXPECT_EQ(verdict("\xEF\xBB\xBF[\"\xFF\", 01]"), "10: no digit behind a leading 0");
}

TEST(JsonNodes, MegabyteOfInvalidUtf8_IsParsed) {
  std::string text = "[";
  for (int i = 0; i < 250000; ++i) text += "\"\xFF\",";
  text.back() = ']';
  EXPECT_EQ(parsed(text).nodes.interop_issues.size(), 250000u);
  EXPECT_EQ(flaws("\"" + repeated("\xFF", 1000000) + "\""), "utf8 0 at 1");
}

TEST(JsonNodes, SeveralErrors_FirstIsReturned) {
  EXPECT_EQ(verdict("[01, \"abc"), "2: no digit behind a leading 0");
  EXPECT_EQ(verdict("[1 \"abc"), "3: a comma or ']'");
  EXPECT_EQ(verdict("[\"\\x\", \"\xFF\"]"), "3: one of \" \\ / b f n r t u behind a backslash");
  EXPECT_EQ(verdict("[\"a\nb\xFF\"]"), "3: an escape such as \\n in place of a bare control character");
}

TEST(JsonNodes, DepthIsBounded) {
  const JsonLimits two{2};
  EXPECT_EQ(verdict("[[1],{\"a\":2}]", two), "ok");
  EXPECT_EQ(verdict("[[1],{\"a\":[]}]", two), "10: at most 2 arrays and objects inside one another");
  EXPECT_EQ(verdict(repeated("[", 128) + repeated("]", 128)), "ok");
  EXPECT_EQ(verdict(repeated("[", 129) + repeated("]", 129)), "128: at most 128 arrays and objects inside one another");
  EXPECT_EQ(verdict("1", {0}), "ok");
  EXPECT_EQ(verdict("{}", {0}), "0: at most 0 arrays and objects inside one another");
}

TEST(JsonNodes, MillionNestedArrays_AreParsedWithoutRecursion) {
  const std::string text = repeated("[", 1000000) + repeated("]", 1000000);
  EXPECT_EQ(verdict(text), "128: at most 128 arrays and objects inside one another");
  EXPECT_EQ(verdict(text, {2000000}), "ok");
  EXPECT_EQ(verdict(repeated("{\"a\":", 1000000)), "640: at most 128 arrays and objects inside one another");
}

TEST(JsonNodes, FourMegabytesOfCommas_AreParsed) {
  EXPECT_EQ(verdict("[" + repeated("0,", 2000000) + "0]"), "ok");
  EXPECT_EQ(verdict(repeated("0,", 2000000)), "1: the end of the text");
  EXPECT_EQ(verdict(repeated(",", 4000000)), "0: a value");
}

TEST(JsonNodes, FortyThousandKeys_AreParsed) {
  std::string text = "{";
  for (int i = 0; i < 40000; ++i) text += "\"key" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  text.back() = '}';
  const Parsed result = parsed(text);
  EXPECT_EQ(result.nodes.nodes.size(), 80001u);
  EXPECT_EQ(result.root().find("key39999")->source(), "39999");
}

TEST(JsonNodes, StringOfAMegabyte_IsParsed) {
  const std::string plain = repeated("ab", 500000);
  EXPECT_TRUE(parsed("\"" + plain + "\"").root().string_equals(plain));
  const std::string escaped = repeated("\\n", 500000);
  EXPECT_EQ(parsed("\"" + escaped + "\"").root().string(), std::string(500000, '\n'));
  EXPECT_EQ(verdict("\"" + plain), "1000001: a closing quote");
  EXPECT_EQ(verdict("[\"\"" + std::string(1000000, ' ') + "]"), "ok");
}

TEST(JsonNodes, LoneSurrogate_IsAnInteropIssue) {
  EXPECT_EQ(flaws(R"(["\uD800"])"), "surrogate 1");
  EXPECT_EQ(flaws(R"(["\uDC00"])"), "surrogate 1");
  EXPECT_EQ(flaws(R"(["a","\uD800\uD800"])"), "surrogate 2");
  EXPECT_EQ(flaws(R"(["\uD800\n"])"), "surrogate 1");
  EXPECT_EQ(flaws(R"(["\uD800A"])"), "surrogate 1");
  EXPECT_EQ(flaws(R"(["\uD83D\uDE00\uDE00"])"), "surrogate 1");
  EXPECT_EQ(flaws(R"(["\uDE00\uD83D"])"), "surrogate 1");
  EXPECT_EQ(flaws(R"(["\uD83D","\uDE00"])"), "surrogate 1, surrogate 2");
  EXPECT_EQ(flaws(R"({"\udfff":{"a":"\ud800"}})"), "surrogate 1, surrogate 4");
  EXPECT_EQ(flaws(R"(["\uD83D\uDE00","\\uD800","\ud7ff\ue000"])"), "");
}

TEST(JsonNodes, NumberOutsideADouble_IsAnInteropIssue) {
  EXPECT_EQ(flaws("[1e400]"), "double 1");
  EXPECT_EQ(flaws("[1,-1e400]"), "double 2");
  EXPECT_EQ(flaws("[" + repeated("9", 1000) + "]"), "double 1");
  EXPECT_EQ(flaws("1e309"), "double 0");
  EXPECT_EQ(flaws("1.7976931348623159e308"), "double 0");
  EXPECT_EQ(flaws("1e99999999999999999999999"), "double 0");
  EXPECT_EQ(flaws("1" + repeated("0", 400) + "e-1"), "double 0");
  EXPECT_EQ(flaws("[1.7976931348623157e308,1e308,1e-400,-1e-99999999999999999999,0e999999999999]"), "");
  EXPECT_EQ(flaws("[" + repeated("9", 308) + "]"), "");
  EXPECT_EQ(flaws("1" + repeated("0", 400) + "e-200"), "");
  EXPECT_EQ(flaws("0." + repeated("0", 1000) + "1e1100"), "");
  EXPECT_EQ(flaws("0." + repeated("0", 1000) + "1e1400"), "double 0");
  EXPECT_EQ(flaws("[18446744073709551616," + repeated("1", 300) + "]"), "");
}

TEST(JsonValue, StringIsDecoded) {
  EXPECT_EQ(parsed(R"("plain é")").root().string(), "plain é");
  EXPECT_EQ(parsed(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\uD83D\uDE00.")").root().string(),
            "\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80.");
  EXPECT_EQ(parsed(R"("\u0000")").root().string(), std::string(1, '\0'));
  EXPECT_EQ(parsed(R"("a\uD800b\uDC00\uD800\u0041")").root().string(),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\xEF\xBF\xBD"
            "A");
}

TEST(JsonValue, StringEqualsComparesTheContent) {
  EXPECT_TRUE(parsed(R"("ab")").root().string_equals("ab"));
  EXPECT_FALSE(parsed(R"("ab")").root().string_equals("abc"));
  EXPECT_TRUE(parsed(R"("\u0061b\n")").root().string_equals("ab\n"));
  EXPECT_FALSE(parsed(R"("\u0061b")").root().string_equals("a"));
  EXPECT_FALSE(parsed(R"("\u0061b")").root().string_equals("abc"));
  EXPECT_FALSE(parsed(R"("\u0061b")").root().string_equals("bb"));
  EXPECT_TRUE(parsed(R"("\uD800")").root().string_equals("\xEF\xBF\xBD"));
}

TEST(JsonValue, MemberOccursTwice_FindReturnsTheLast) {
  const Parsed result = parsed(R"({"$schema":"/a","x":{"b":1},"\u0024schema":"/b","c":2})");
  EXPECT_EQ(result.root().find("$schema")->source(), "\"/b\"");
  EXPECT_EQ(result.root().find("c")->source(), "2");
  EXPECT_FALSE(result.root().find("b"));
}

TEST(JsonNodes, ThreadsParseAtOnce_ResultsAgree) {
  std::string text = "{\"a\":[" + repeated("1,", 1000) + "1]}";
  const auto parse_often = [&text](bool& agree) {
    for (int i = 0; i < 100; ++i) {
      const Parsed result = parsed(text);
      agree &= !result.error && result.nodes.nodes.size() == 1004;
    }
  };
  bool here = true;
  bool there = true;
  std::thread thread(parse_often, std::ref(there));
  parse_often(here);
  thread.join();
  EXPECT_TRUE(here && there);
}

TEST(JsonNodes, FirstTextOfAThreadIsEmpty_IsAnError) {
  std::string refused;
  std::thread([&refused] { refused = verdict(""); }).join();
  EXPECT_EQ(refused, "0: a value");
}

TEST(JsonTypeName, EqualsJsonSchemasName) {
  EXPECT_EQ(json_type_name(JsonType::null), "null");
  EXPECT_EQ(json_type_name(JsonType::boolean), "boolean");
  EXPECT_EQ(json_type_name(JsonType::number), "number");
  EXPECT_EQ(json_type_name(JsonType::string), "string");
  EXPECT_EQ(json_type_name(JsonType::object), "object");
  EXPECT_EQ(json_type_name(JsonType::array), "array");
}

}  // namespace
}  // namespace eventgate
