#include "eventgate/fetch/js_yaml_scalar.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "eventgate/fetch/authored_document.hpp"
#include "fetch/flow_scalars.hpp"

// What is expected is what js-yaml 3.14.1 reads.

namespace eventgate {
namespace {

/// A value as JSON; of what JSON has not, the text with its kind.
std::string value(const std::string& text) {
  const auto read = js_yaml_value(text);
  if (!read.is_binary()) return read.dump();
  const auto& bytes = read.get_binary();
  return (bytes.subtype() == std::uint64_t(JsYamlSubtype::date) ? "date " : "integer ") +
         std::string(bytes.begin(), bytes.end());
}

TEST(JsYamlScalar, ReadsNumbersOfYaml11) {
  EXPECT_EQ(value("012"), "10");
  EXPECT_EQ(value("0x1F"), "31");
  EXPECT_EQ(value("0b11"), "3");
  EXPECT_EQ(value("1_000"), "1000");
  EXPECT_EQ(value("1:30"), "90");
  EXPECT_EQ(value("-1:30"), "-90");
  EXPECT_EQ(value("190:20:30.15"), "685230.15");
  EXPECT_EQ(value("1e3"), "1000");
  EXPECT_EQ(value("1."), "1");
  EXPECT_EQ(value(".5"), "0.5");
  EXPECT_EQ(value("-0.0"), "-0.0");
  EXPECT_EQ(value("18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(value("-18446744073709551616"), "integer -18446744073709551616");
}

TEST(JsYamlScalar, ReadsDates) {
  EXPECT_EQ(value("2020-04-02"), "date 2020-04-02T00:00:00.000Z");
  EXPECT_EQ(value("2001-12-14t21:59:43.1-05:30"), "date 2001-12-15T03:29:43.100Z");
  EXPECT_EQ(value("2001-1-1 1:02:03"), "date 2001-01-01T01:02:03.000Z");
  EXPECT_EQ(value("2020-13-45"), "date 2021-02-14T00:00:00.000Z");
  EXPECT_EQ(value("2020-1-1"), "\"2020-1-1\"");
}

TEST(JsYamlScalar, OtherScalars_AreTexts) {
  for (const char* const text : {"0o17", "yes", "08", "1_", "_1", "1:60", "+.5", "-.5", ".", "._", "1e", "0x", "0b2",
                                 "nan", "2020-04-02T1:2:3", "a"})
    EXPECT_EQ(js_yaml_scalar(text), JsYamlScalar::text) << text;
  EXPECT_EQ(js_yaml_scalar("<<"), JsYamlScalar::merge);
}

TEST(JsYamlScalar, Key_IsTheTextOfItsValue) {
  EXPECT_EQ(js_yaml_key("012"), "10");
  EXPECT_EQ(js_yaml_key("1.50"), "1.5");
  EXPECT_EQ(js_yaml_key("TRUE"), "true");
  EXPECT_EQ(js_yaml_key("~"), "null");
  EXPECT_EQ(js_yaml_key("a"), "a");
}

std::string read(const std::string& text) {
  const auto document = parse_authored_text(text);
  return document ? document->object.dump() : document.error().message;
}

TEST(AuthoredText, ReadsFlowMappingsThatYamlCppRefuses) {
  EXPECT_EQ(read("{a:{b: 1}}"), R"({"a":{"b":1}})");
  EXPECT_EQ(read("x: [{$schema\":{$ref: '#/$id'}}, {a:[1]}]"), R"({"x":[{"$schema\"":{"$ref":"#/$id"}},{"a":[1]}]})");
  EXPECT_EQ(read("x: {u: http://e.org/?a=b, \"q\":<?, 'z':{k: it's?}}\n"),
            R"({"x":{"u":"http://e.org/?a=b","q":"<?","z":{"k":"it's?"}}})");
  // What is not inside a flow mapping is left alone.
  EXPECT_EQ(read("a: |\n  {b:{\n\n  c?}\nd: x{y:{z\ne: 'k:{'\nf: {g:{}}\n"),
            R"({"a":"{b:{\n\nc?}\n","d":"x{y:{z","e":"k:{","f":{"g":{}}})");
}

TEST(AuthoredText, ReadsTabsBetweenTokens) {
  EXPECT_EQ(read("a:\tb\nc: d\t# e\nf: [1,\t2]\t\ng: 'x\ty'\nh: x\ty\n"),
            R"({"a":"b","c":"d","f":[1,2],"g":"x\ty","h":"x\ty"})");
  EXPECT_EQ(read("a:\n\tb: 1\n").find("expected JSON or YAML"), 0U);
  EXPECT_NE(read("a:\n\tb: 1\n").find("found a tab"), std::string::npos);
}

TEST(AuthoredText, RepairsFlowScalarsOnlyInsideBrackets) {
  const std::string text = "# {a:{\nb: >-\n  {c:{?\n- x\nd: [\"e:{\", f, # g:{\n  'h?']\n";
  EXPECT_EQ(mended_flow_scalars(text), text);
  EXPECT_EQ(mended_flow_scalars("[a:{b:[c ?d\n e, f]}]"), "[a: {b: ['c ?d\n e', f]}]");
}

TEST(AuthoredText, KeepsTheLineEndsOfAFoldedScalar) {
  for (const std::string& blank : {std::string(), std::string("\n"), std::string("\n\n"), std::string("\n  \n\n")}) {
    std::string kept = "\n";
    for (const char c : blank)
      if (c == '\n') kept += c;
    const auto document =
        parse_authored_text("a: >+\n  x\n  y\n" + blank + "b: >+\n  x\n   y\n" + blank + "c:\n  - >2+\n     x\n" +
                            blank + "  - >+2\n    x\n" + blank + "d: >+\n\n\n  x\n" + blank + "e: |+\n  x\n" + blank);
    ASSERT_TRUE(document) << document.error().message;
    EXPECT_EQ(document->object["a"], "x y" + kept);
    EXPECT_EQ(document->object["b"], "x\n y" + kept);
    EXPECT_EQ(document->object["c"][0], " x" + kept);
    EXPECT_EQ(document->object["c"][1], "x" + kept);
    EXPECT_EQ(document->object["d"], "\n\nx" + kept);
    EXPECT_EQ(document->object["e"], "x" + kept);
  }
}

TEST(AuthoredText, ReturnsEachAliasWithItsAnchor) {
  const auto document = parse_authored_text("a: &x {p: {q: 1}}\nb: *x\nc: {<<: *x, d: [*x]}\n");
  ASSERT_TRUE(document) << document.error().message;
  ASSERT_EQ(document->aliases.size(), 3U);
  EXPECT_EQ(document->aliases[0].alias, (ValuePath{1}));
  EXPECT_EQ(document->aliases[0].anchor, (ValuePath{0}));
  EXPECT_EQ(document->aliases[1].alias, (ValuePath{2, 0}));  // `p`, by the merge
  EXPECT_EQ(document->aliases[1].anchor, (ValuePath{0, 0}));
  EXPECT_EQ(document->aliases[2].alias, (ValuePath{2, 1, 0}));
}

TEST(AuthoredText, ReturnsTheLineOfEachValue) {
  const auto lines = lines_of("a:\n  b/c:\n    - 1\n    - {x:{y: 2}}\n# end\nd: 3\n");
  EXPECT_EQ(lines.at("/a"), 1U);
  EXPECT_EQ(lines.at("/a/b~1c"), 2U);
  EXPECT_EQ(lines.at("/a/b~1c/0"), 3U);
  EXPECT_EQ(lines.at("/a/b~1c/1/x/y"), 4U);
  EXPECT_EQ(lines.at("/d"), 6U);
  EXPECT_EQ(lines_of("{\n\"a\": [\n1,\n2]}").at("/a/1"), 4U);
}

}  // namespace
}  // namespace eventgate
