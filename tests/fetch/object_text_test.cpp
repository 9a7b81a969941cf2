#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "eventgate/fetch/object_reader.hpp"
#include "support/paths.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;
using Json = nlohmann::ordered_json;

Json object_of(std::string_view text) {
  auto object = parse_object_text(text);
  if (!object) {
    ADD_FAILURE() << object.error().message << "\nin: " << text.substr(0, 200);
    return {};
  }
  return *object;
}

std::string error_of(std::string_view text, std::size_t max_depth = 64) {
  const auto object = parse_object_text(text, max_depth);
  if (object) return "no error";
  EXPECT_EQ(object.error().kind, ReadError::Kind::invalid);
  return object.error().message;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

TEST(ObjectText, JsonKeepsTheOrderOfItsMembers) {
  EXPECT_EQ(object_of(R"({"b":1,"a":[true,null,-2,1.5,"é"],"c":{}})").dump(),
            R"({"b":1,"a":[true,null,-2,1.5,"é"],"c":{}})");
}

TEST(ObjectText, JsonSurrogatePairsAndByteOrderMarksAreRead) {
  EXPECT_EQ(object_of("\xEF\xBB\xBF{\"a\":\"\\ud83d\\ude00\"}"), Json({{"a", "\xF0\x9F\x98\x80"}}));
  EXPECT_EQ(object_of("\xEF\xBB\xBF"
                      "a: b"),
            Json({{"a", "b"}}));
}

TEST(ObjectText, YamlScalarsHaveTheTypesOfTheCoreSchema) {
  EXPECT_EQ(object_of(R"(
nulls: [null, ~, Null, NULL, ]
empty:
truths: [true, True, TRUE, false, False, FALSE]
integers: [0, 12, -12, +12, 0o17, 0x1F, 007, 18446744073709551615, -9223372036854775808]
floats: [1.5, -1.5, .5, 1., 1e3, 1.5E-3, 18446744073709551616]
strings: [yes, No, on, 1_000, 0x, 0o8, 1e, ., -, 1.2.3, 1:30, nul, 'true', "12", '', "~"]
)")
                .dump(),
            R"({"nulls":[null,null,null,null],"empty":null,"truths":[true,true,true,false,false,false],)"
            R"("integers":[0,12,-12,12,15,31,7,18446744073709551615,-9223372036854775808],)"
            R"("floats":[1.5,-1.5,0.5,1.0,1000.0,0.0015,1.8446744073709552e+19],)"
            R"("strings":["yes","No","on","1_000","0x","0o8","1e",".","-","1.2.3","1:30","nul","true","12","","~"]})");
}

TEST(ObjectText, YamlInfinitiesAndNanAreNumbers) {
  const Json object = object_of("a: .inf\nb: -.Inf\nc: .NaN");
  EXPECT_EQ(object["a"].get<double>(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(object["b"].get<double>(), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(object["c"].get<double>()));
}

TEST(ObjectText, YamlTag_DecidesTheType) {
  EXPECT_EQ(object_of("a: !!str 12\nb: !!int '12'\nc: !!float 1\nd: !!null ''\ne: !!bool 'true'\nf: ! 12\n"
                      "g: !!map {}\nh: !!seq []")
                .dump(),
            R"({"a":"12","b":12,"c":1.0,"d":null,"e":true,"f":"12","g":{},"h":[]})");
  EXPECT_THAT(error_of("a: !!int twelve"), HasSubstr("line 1, column"));
  EXPECT_THAT(error_of("a: !!int twelve"), HasSubstr("!!int"));
  EXPECT_THAT(error_of("a: !!js/regexp /x/"), HasSubstr("expected a tag of YAML's core schema"));
}

TEST(ObjectText, YamlTimestamps_AreWrittenAsByJavaScript) {
  EXPECT_EQ(object_of(R"(
date: 2020-02-29
utc: 2020-04-02T19:11:20.942Z
zone: 2001-12-14t21:59:43.10-05:00
spaced: 2001-12-14 21:59:43.1 +1
none: [2020-02-30, 2020-1-1, 2020-13-01, 2020-01-01T25:00:00Z, '2020-02-29']
)")
                .dump(),
            R"({"date":"2020-02-29T00:00:00.000Z","utc":"2020-04-02T19:11:20.942Z","zone":"2001-12-15T02:59:43.100Z",)"
            R"("spaced":"2001-12-14T20:59:43.100Z",)"
            R"("none":["2020-02-30","2020-1-1","2020-13-01","2020-01-01T25:00:00Z","2020-02-29"]})");
}

TEST(ObjectText, YamlKeys_KeepTheirText) {
  EXPECT_EQ(object_of("1: a\ntrue: b\n2020-01-01: c\n'': d\n~: e").dump(),
            R"({"1":"a","true":"b","2020-01-01":"c","":"d","null":"e"})");
}

TEST(ObjectText, YamlEscapes_BecomeUtf8) {
  EXPECT_EQ(object_of(R"(a: "\_x\N \L\P \xe9 é\_ \u20ac \U0001F600")")["a"],
            "\xC2\xA0x\xC2\x85 \xE2\x80\xA8\xE2\x80\xA9 \xC3\xA9 \xC3\xA9\xC2\xA0 \xE2\x82\xAC \xF0\x9F\x98\x80");
}

TEST(ObjectText, YamlBlockScalarsAndAliasesAreRead) {
  EXPECT_EQ(object_of("a: &x {k: [1]}\nb: *x\nc: >\n  folded\n  text\nd: |\n  literal\n  text\n").dump(),
            R"({"a":{"k":[1]},"b":{"k":[1]},"c":"folded text\n","d":"literal\ntext\n"})");
}

// js_yaml_cases.json holds what js-yaml 3.15.2's safeLoad makes of a text (null: no object), and what we make of it on
// purpose, if that is another thing.
TEST(ObjectText, Yaml_IsReadAsTheRecordedCasesSay) {
  std::ifstream file(source_dir() + "/tests/fetch/js_yaml_cases.json");
  for (const Json& one : Json::parse(file)) {
    const Json& expected = one.contains("ours") ? one["ours"] : one["js_yaml"];
    const auto found = parse_object_text(one["yaml"].get_ref<const std::string&>());
    EXPECT_EQ(found ? *found : Json(), expected.is_null() ? Json() : Json::parse(expected.get<std::string>()))
        << one["name"] << (found ? "" : ": " + found.error().message);
  }
}

TEST(ObjectText, KeyIsOwnAndMerged_OwnValueCounts) {
  EXPECT_EQ(object_of(R"(
base: &base {a: 1, b: 1}
other: &other {b: 2, c: 2}
after: {<<: *base, a: 3}
before: {a: 3, <<: *base}
both: {<<: [*base, *other]}
twice: {<<: *base, <<: *other}
quoted: {'<<': 1}
)")
                .dump(),
            R"({"base":{"a":1,"b":1},"other":{"b":2,"c":2},"after":{"a":3,"b":1},"before":{"a":3,"b":1},)"
            R"("both":{"a":1,"b":1,"c":2},"twice":{"a":1,"b":1,"c":2},"quoted":{"<<":1}})");
  EXPECT_THAT(error_of("a: {<<: 1}"), HasSubstr("expected a mapping, or a list of them, to merge"));
  EXPECT_THAT(error_of("a: {<<: [1]}"), HasSubstr("expected only mappings"));
}

TEST(ObjectText, DuplicateKeysAreRefused) {
  EXPECT_THAT(error_of(R"({"p":[{},{"x/y":1,"x/y":2}]})"), HasSubstr("found a second '/p/1/x~1y'"));
  EXPECT_THAT(error_of("a: 1\nb:\n  c: 1\n  c: 2\n"), HasSubstr("line 4, column 3"));
  EXPECT_THAT(error_of("a: 1\nb:\n  c: 1\n  c: 2\n"), HasSubstr("found a second '/b/c'"));
}

TEST(ObjectText, DocumentIsNotAnObject_IsRefused) {
  EXPECT_EQ(error_of("[1]"), "expected a JSON or YAML object, found an array");
  EXPECT_EQ(error_of("just a string"), "expected a JSON or YAML object, found a string");
  EXPECT_EQ(error_of("true"), "expected a JSON or YAML object, found a boolean");
  EXPECT_EQ(error_of("12"), "expected a JSON or YAML object, found a number");
  EXPECT_EQ(error_of("null"), "expected a JSON or YAML object, found null");
  EXPECT_EQ(error_of("---"), "expected a JSON or YAML object, found null");
  EXPECT_EQ(error_of(""), "expected a JSON or YAML object, found nothing");
  EXPECT_EQ(error_of(" \n"), "expected a JSON or YAML object, found nothing");
  EXPECT_EQ(error_of("# a comment\n"), "expected a JSON or YAML object, found null");
}

TEST(ObjectText, SeveralDocumentsAreRefused) {
  EXPECT_EQ(error_of("a: 1\n---\nb: 2\n"), "expected one YAML document, found several");
}

TEST(ObjectText, GrammarError_HasPositionAndExpectedText) {
  EXPECT_THAT(error_of("{\"a\": 1,\n \"b\": ]}"), HasSubstr("line 2, column"));
  EXPECT_THAT(error_of("{\"a\": [1, 2}"), HasSubstr("expected ']'"));
  EXPECT_THAT(error_of("a: [1, 2\nb: {"), HasSubstr("line 2"));
  EXPECT_EQ(error_of("a: 'x"), "expected JSON or YAML, but line 2, column 1: a quoted scalar is not closed");
  EXPECT_EQ(error_of("a: \"x\n"), "expected JSON or YAML, but line 2, column 1: a quoted scalar is not closed");
  EXPECT_EQ(
      error_of("a:\n\tb: 1\n"),
      "expected JSON or YAML, but line 2, column 3: illegal map value; expected spaces as indentation, found a tab");
  EXPECT_THAT(error_of("a: *nowhere"), HasSubstr("line 1, column 4"));
  EXPECT_THAT(error_of("? {a: b}\n: c"), HasSubstr("expected a scalar as a key"));
  EXPECT_THAT(error_of("a: &a [*a]"), HasSubstr("line 1"));
}

TEST(ObjectText, InvalidUtf8_ErrorHasThePosition) {
  EXPECT_EQ(error_of("a: b\nc: \xC0\xAF"), "expected valid UTF-8, found something else at line 2, column 4");
  EXPECT_EQ(error_of("\xED\xA0\x80: 1"), "expected valid UTF-8, found something else at line 1, column 1");
  EXPECT_EQ(error_of(std::string("a: b\0", 5)), "expected text, found a NUL byte at line 1, column 5");
  EXPECT_THAT(error_of(R"(a: "\ud83d\ude00")"), HasSubstr("line 1"));
  EXPECT_EQ(error_of("a: b\nc: \x1B"), "expected text without control characters, found one at line 2, column 4");
}

TEST(ObjectText, DepthIsBounded) {
  EXPECT_EQ(error_of(R"({"a":[{"b":[]}]})", 4), "no error");
  EXPECT_EQ(error_of(R"({"a":[{"b":[[]]}]})", 4),
            "expected at most 4 levels of objects and arrays, found more at '/a/0/b/0'");
  EXPECT_EQ(error_of("a: [{b: []}]", 4), "no error");
  EXPECT_THAT(error_of("a: [{b: [[]]}]", 4),
              HasSubstr("expected at most 4 levels of objects and arrays, found more at '/a/0/b/0'"));
  EXPECT_THAT(error_of("x: &x [[]]\na: [*x]", 4), HasSubstr("no error"));
  EXPECT_THAT(error_of("x: &x [[]]\na: [[*x]]", 4), HasSubstr("expected at most 4 levels"));
}

TEST(ObjectText, AliasBombsAreRefused) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string alias = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + alias + repeated(" , " + alias, 9) + "]\n";
  }
  EXPECT_THAT(error_of(bomb), HasSubstr("expected at most 100000 nodes behind anchors"));
}

TEST(ObjectText, Markup_IsRefused) {
  for (const char* text :
       {"<!DOCTYPE html><html><p>Error: gone</html>", "<html>", " \n<p>a: b", "<?xml version='1.0'?><a: b"})
    EXPECT_EQ(error_of(text), "expected a JSON or YAML object, found markup") << text;
  EXPECT_EQ(object_of("<<: {a: 1}\n").dump(), R"({"a":1})");
  EXPECT_EQ(object_of("a: <b>").dump(), R"({"a":"<b>"})");
}

TEST(ObjectText, AliasesOfLongTextsAreRefused) {
  const std::string text(80'000, 'x');
  const std::string aliases = repeated(" , *a", 16'000) + "]\n";
  const std::string expected = "expected at most " + std::to_string(16 * (text.size() + aliases.size())).substr(0, 2);
  for (const std::string& anchored :
       {"a: &a " + text, "a: &a {? " + text + " : 1}", "a: &a [" + text + "]", "a: &a {b: {c: " + text + "}}"}) {
    EXPECT_THAT(error_of(anchored + "\nb: [*a" + aliases),
                AllOf(HasSubstr(expected), HasSubstr("bytes behind anchors")));
  }
}

TEST(ObjectText, AliasesAsKeysCountToo) {
  std::string yaml = "a: &a " + std::string(80'000, 'x') + "\nb: [";
  for (int i = 0; i < 5'000; ++i) yaml += "{*a : 1}, ";
  EXPECT_THAT(error_of(yaml + "1]"), HasSubstr("bytes behind anchors"));
}

TEST(ObjectText, KeysBehindAnchorsAreNodes) {
  std::string yaml = "a: &a {";
  for (int i = 0; i < 1000; ++i) yaml += "k" + std::to_string(i) + ": 1, ";
  // 2001 nodes each: values and keys.
  EXPECT_EQ(error_of(yaml + "}\nb: [*a" + repeated(", *a", 47) + "]"), "no error");
  EXPECT_THAT(error_of(yaml + "}\nb: [*a" + repeated(", *a", 50) + "]"), HasSubstr("nodes behind anchors"));
}

TEST(ObjectText, MergedKeys_CountAsAliasBytes) {
  const std::string yaml = "a: &a {? " + std::string(80'000, 'x') + " : 1}\nb: [";
  EXPECT_THAT(error_of(yaml + repeated("{<<: *a}, ", 5'000) + "1]"), HasSubstr("bytes behind anchors"));
}

TEST(ObjectText, FiveHundredAliasesOfOneConfig_AreRead) {
  std::string yaml = "a: &a {title: " + std::string(1000, 'x') + "}\n";
  for (int i = 0; i < 500; ++i) yaml += "s" + std::to_string(i) + ": *a\n";
  EXPECT_EQ(object_of(yaml).size(), 501U);
}

TEST(ObjectText, HostileTextsAreRefusedInTime) {
  constexpr std::size_t kSize = 1024 * 1024;
  for (const std::string_view piece : {"[",     "{", "- ", "? ", "a: ", "!",    "&a ",  "\"",  "'",  "[{",    "{\"a\":",
                                       "a:\n ", "#", "*",  "%",  "|\n", "? - ", "[[],", "- [", "\t", "---\n", "<<: "}) {
    EXPECT_NE(error_of(repeated(piece, kSize / piece.size())), "no error") << piece;
  }
}

TEST(ObjectText, ManyMembersAreReadInTime) {
  std::string json = "{";
  std::string yaml;
  for (int i = 0; i < 60'000; ++i) {
    json += "\"k" + std::to_string(i) + "\":1,";
    yaml += "k" + std::to_string(i) + ": 1\n";
  }
  json += "\"end\":1}";
  EXPECT_EQ(object_of(json).size(), 60'001U);
  EXPECT_EQ(object_of(yaml).size(), 60'000U);
}

TEST(ObjectText, MessagesAreShortAndValidUtf8) {
  const std::string message = error_of("{\"a\": \"" + repeated("\xC3\xA9", 100'000) + "\x01\"}");
  EXPECT_LT(message.size(), 1000U);
  EXPECT_NO_THROW((void)Json(message).dump());
}

}  // namespace
}  // namespace eventgate
