#include "repository/ref_replacement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace eventgate {
namespace {

using nlohmann::ordered_json;
using testing::HasSubstr;

boost::system::result<JsValue, RefProblem> replaced(const std::string& document,
                                                    const std::map<std::string, std::string>& others = {}) {
  return replaced_refs("/a/current.yaml", js_value(ordered_json::parse(document)),
                       [&](const std::string& uri) -> boost::system::result<JsValue, NoDocument> {
                         const auto found = others.find(uri);
                         if (found == others.end()) return NoDocument{"tried here"};
                         return js_value(ordered_json::parse(found->second));
                       });
}

std::string text(const std::string& document, const std::map<std::string, std::string>& others = {}) {
  const auto whole = replaced(document, others);
  return whole ? plain_json(*whole).dump() : whole.error().pointer + ": " + whole.error().message;
}

TEST(RefReplacement, ReplacesAnyValueAnywhere) {
  EXPECT_EQ(
      text(R"({"$id": "/a/1.0.0", "properties": {"$ref": "/b/1.0.0#/properties"},
               "required": {"$ref": "/b/1.0.0#/required"}, "examples": [{"s": {"$ref": "#/$id"}}]})",
           {{"/b/1.0.0", R"({"properties": {"x": {"$ref": "#/d/0"}}, "required": ["x"], "d": [{"type": "null"}]})"}}),
      R"({"$id":"/a/1.0.0","properties":{"x":{"type":"null"}},"required":["x"],"examples":[{"s":"/a/1.0.0"}]})");
}

TEST(RefReplacement, WhatIsBesideAReferenceStaysAndWins) {
  EXPECT_EQ(text(R"({"p": {"$ref": "/b#", "title": "own", "inner": {"$ref": "#/d"}}, "d": 1})",
                 {{"/b", R"({"title": "theirs", "type": "string", "d": 2})"}}),
            R"({"p":{"title":"own","inner":1,"type":"string","d":2},"d":1})");
}

TEST(RefReplacement, TakesRelativeReferencesAndADotForTheDocument) {
  EXPECT_EQ(
      text(R"({"a": {"$ref": "../b/1.0.0#/x"}, "b": {"$ref": "./#/c~1d"}, "c/d": 1})", {{"/b/1.0.0", R"({"x": 2})"}}),
      R"({"a":2,"b":1,"c/d":1})");
}

TEST(RefReplacement, SharesWhatTwoReferencesLeadTo) {
  const auto whole = replaced(R"({"a": {"$ref": "#/d"}, "b": {"$ref": "#/d"}, "d": {"x": 1}})");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->object().find("a")->identity(), whole->object().find("d")->identity());
  EXPECT_EQ(whole->object().find("b")->identity(), whole->object().find("d")->identity());
}

TEST(RefReplacement, FindsCircles) {
  EXPECT_THAT(text(R"({"properties": {"child": {"$ref": "#"}}})"), HasSubstr("/properties/child: expected no circle"));
  EXPECT_THAT(text(R"({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}})"), HasSubstr("expected no circle of $ref"));
  EXPECT_THAT(text(R"({"a": {"$ref": "#/b", "x": 1}, "b": {"$ref": "#/a", "x": 2}})"), HasSubstr("expected no circle"));
  EXPECT_THAT(text(R"({"a": {"$ref": "#/d", "x": 1}, "d": {"p": {"q": {"$ref": "#/d", "x": 2}}}})"),
              HasSubstr("expected no circle"));
  EXPECT_THAT(text(R"({"a": {"$ref": "/b"}})", {{"/b", R"({"p": {"$ref": "/b#/p/q"}})"}}),
              HasSubstr("expected no circle"));
}

TEST(RefReplacement, SaysWhatLeadsNowhere) {
  EXPECT_EQ(text(R"({"a": {"$ref": "/none/1.0.0"}})"), "/a: expected a schema at '/none/1.0.0', tried here");
  EXPECT_EQ(text(R"({"a": [{"$ref": "#/b/c"}], "b": {}})"),
            "/a/0: expected '#/b/c' to lead to a value, but this document has no /b/c");
  EXPECT_THAT(text(R"({"a": {"$ref": "#name"}})"), HasSubstr("expected '#' or '#/' and a JSON pointer"));
}

TEST(RefReplacement, BoundsWhatASchemaComesTo) {
  std::string bomb = R"({"d0": {"x": "0123456789"})";
  for (int i = 1; i < 40; ++i) {
    const std::string ref = R"({"$ref": "#/d)" + std::to_string(i - 1) + "\"}";
    bomb += ",\"d" + std::to_string(i) + "\": {\"a\": " + ref + ", \"b\": " + ref + "}";
  }
  EXPECT_THAT(text(bomb + "}"), HasSubstr("expected at most 4000000 bytes once every $ref is replaced"));
}

}  // namespace
}  // namespace eventgate
