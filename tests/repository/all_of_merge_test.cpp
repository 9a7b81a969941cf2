#include "repository/all_of_merge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

// What is expected is what json-schema-merge-allof 0.6.0 made of the same schemas.

namespace eventgate {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using testing::HasSubstr;

json merged(const std::string& schema) {
  const auto result = merged_all_of(js_value(ordered_json::parse(schema)));
  return result ? json(plain_json(*result)) : json(result.error().pointer + ": " + result.error().message);
}

TEST(MergedAllOf, JoinsPropertiesAndRequired) {
  EXPECT_EQ(merged(R"({"title": "own", "required": ["b"], "properties": {"x": {"type": "string"}},
                       "allOf": [{"title": "theirs", "required": ["a", "b"], "properties": {"y": {"type": "null"}}}]})"),
            json::parse(R"({"title": "own", "required": ["a", "b"],
                            "properties": {"x": {"type": "string"}, "y": {"type": "null"}}})"));
}

TEST(MergedAllOf, JoinsDeepDownAndFromDeepDown) {
  EXPECT_EQ(
      merged(R"({"properties": {"m": {"allOf": [{"allOf": [{"properties": {"a": {"type": "string"}}}]},
                                                     {"properties": {"b": {"type": "string"}}}]}}})"),
      json::parse(R"({"properties": {"m": {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}}}})"));
}

TEST(MergedAllOf, TakesTheNarrowestBounds) {
  EXPECT_EQ(merged(R"({"maximum": 5, "minLength": 1, "type": ["string", "null"], "enum": [3, 2, 1],
                       "allOf": [{"maximum": 3, "minLength": 2, "type": "string", "enum": [1, 2]}]})"),
            json::parse(R"({"maximum": 3, "minLength": 2, "type": "string", "enum": [1, 2]})"));
  EXPECT_EQ(merged(R"({"multipleOf": 0.4, "uniqueItems": false, "allOf": [{"multipleOf": 0.6, "uniqueItems": true}]})"),
            json::parse(R"({"multipleOf": 1.2, "uniqueItems": true})"));
}

TEST(MergedAllOf, FirstDescriptionsExamplesAndDefaultsStay) {
  EXPECT_EQ(merged(R"({"allOf": [{"description": "a", "examples": [1], "default": 1},
                                 {"description": "b", "examples": [2], "default": 2}]})"),
            json::parse(R"({"description": "a", "examples": [1], "default": 1})"));
}

TEST(MergedAllOf, MergesAdditionalPropertiesAndTakesAwayWhatIsForbidden) {
  EXPECT_EQ(
      merged(R"({"additionalProperties": {"type": "string"}, "allOf": [{"additionalProperties": {"maxLength": 3}}]})"),
      json::parse(R"({"additionalProperties": {"type": "string", "maxLength": 3}})"));
  EXPECT_EQ(
      merged(R"({"additionalProperties": false, "properties": {"a": {"type": "null"}, "b": false},
                       "allOf": [{"properties": {"c": {"type": "null"}}}]})"),
      json::parse(R"({"additionalProperties": false, "properties": {"a": {"type": "null"}, "c": {"type": "null"}}})"));
}

TEST(MergedAllOf, CombinesChoices) {
  EXPECT_EQ(merged(R"({"oneOf": [{"type": "string"}, {"type": ["null", "number"]}],
                       "allOf": [{"oneOf": [{"type": "number"}, {"maxLength": 3}]}]})")["oneOf"]
                .size(),
            3u);
  EXPECT_EQ(merged(R"({"anyOf": [{"allOf": [{"type": "string"}, {"maxLength": 3}]}]})"),
            json::parse(R"({"anyOf": [{"type": "string", "maxLength": 3}]})"));
}

TEST(MergedAllOf, KeepsPatternsThatDifferInAllOf) {
  EXPECT_EQ(merged(R"({"pattern": "a", "allOf": [{"pattern": "b"}]})"),
            json::parse(R"({"allOf": [{"pattern": "a"}, {"pattern": "b"}]})"));
}

TEST(MergedAllOf, LeavesOutWhatIsEmptyBelowTheRoot) {
  EXPECT_EQ(merged(R"({"properties": {"a": {"properties": {}, "items": {}}}})"),
            json::parse(R"({"properties": {"a": {}}})"));
  EXPECT_EQ(merged(R"({"properties": {}, "items": {}})"), json::parse(R"({"properties": {}, "items": {}})"));
}

TEST(MergedAllOf, MergesWhatIsInItemsNotAndDependencies) {
  EXPECT_EQ(merged(R"({"items": [{"type": "string"}], "allOf": [{"items": [{"maxLength": 2}, {"type": "null"}]}]})"),
            json::parse(R"({"items": [{"type": "string", "maxLength": 2}, {"type": "null"}]})"));
  EXPECT_EQ(merged(R"({"not": {"type": "null"}, "allOf": [{"not": {"type": "string"}}]})"),
            json::parse(R"({"not": {"anyOf": [{"type": "null"}, {"type": "string"}]}})"));
  EXPECT_EQ(
      merged(R"({"dependencies": {"a": ["b"]}, "allOf": [{"dependencies": {"a": {"required": ["c"]}, "x": ["y"]}}]})"),
      json::parse(R"({"dependencies": {"a": {"required": ["b", "c"]}, "x": ["y"]}})"));
}

TEST(MergedAllOf, SaysWhatDoesNotGoTogether) {
  EXPECT_THAT(
      merged(R"({"type": "string", "allOf": [{"type": "number"}]})").get<std::string>(),
      testing::Eq(R"(/type: expected values of `type` in allOf that go together, found "string" and "number")"));
  EXPECT_THAT(merged(R"({"format": "uri", "allOf": [{"format": "date"}]})").get<std::string>(), HasSubstr("`format`"));
}

TEST(MergedAllOf, AnAllOfThatIsNoListOfSchemasIsSaidToBeNone) {
  EXPECT_EQ(merged(R"({"allOf": "text"})"), "/allOf: expected a list of schemas, found \"text\"");
  EXPECT_EQ(merged(R"({"properties": {"x": {"allOf": {"type": "string"}}}})"),
            "/properties/x/allOf: expected a list of schemas, found {\"type\":\"string\"}");
  EXPECT_EQ(merged(R"({"allOf": [{"allOf": null}]})"), "/allOf: expected a list of schemas, found null");
  EXPECT_EQ(merged(R"({"allOf": [{}, "text"]})"), "/allOf: expected schemas, found \"text\"");
}

TEST(MergedAllOf, TakesListsOfTheSameNamesForOne) {
  // The order of the first stays, because the second says nothing new.
  EXPECT_EQ(merged(R"({"required": ["b", "a"], "allOf": [{"required": ["a", "b"]}]})"),
            json::parse(R"({"required": ["b", "a"]})"));
}

TEST(MergedAllOf, LaterChoicesComeFirstInACombination) {
  EXPECT_EQ(merged(R"({"anyOf": [{"title": "own", "minLength": 1}], "allOf": [{"anyOf": [{"title": "theirs"}]}]})"),
            json::parse(R"({"anyOf": [{"title": "theirs", "minLength": 1}]})"));
}

TEST(MergedAllOf, MergesInsideNotAndLeavesTheRestOfIt) {
  EXPECT_EQ(merged(R"({"not": {"allOf": [{"required": ["a"]}, {"required": ["b"]}]}})"),
            json::parse(R"({"not": {"anyOf": [{"required": ["a", "b"]}]}})"));
  EXPECT_EQ(merged(R"({"not": {"properties": {}, "not": {"type": "null"}}})"),
            json::parse(R"({"not": {"anyOf": [{"properties": {}, "not": {"type": "null"}}]}})"));
}

// A list of `required` keeps its order where nothing is merged with it, one of `dependencies` never does.
TEST(MergedAllOf, SortsTheListsOfDependencies) {
  EXPECT_EQ(
      merged(R"({"required": ["b", "a"], "dependencies": {"x": ["d", "a", "b"], "y": {"required": ["b", "a"]}}})"),
      json::parse(
          R"({"required": ["b", "a"], "dependencies": {"x": ["a", "b", "d"], "y": {"required": ["b", "a"]}}})"));
  // With `y` in one of them alone the original joins them, too; without it it takes the two for the same (json-schema-
  // compare 0.2.2 compares the lists of nothing) and loses `c`.
  EXPECT_EQ(
      merged(R"({"dependencies": {"x": ["d", "a"]}, "allOf": [{"dependencies": {"x": ["c", "a"], "y": ["d"]}}]})"),
      json::parse(R"({"dependencies": {"x": ["a", "c", "d"], "y": ["d"]}})"));
  EXPECT_EQ(merged(R"({"dependencies": {"x": ["d", "a"]}, "allOf": [{"dependencies": {"x": ["c", "a"]}}]})"),
            json::parse(R"({"dependencies": {"x": ["a", "c", "d"]}})"));
}

// A property may have that name.
TEST(MergedAllOf, APropertyAllOfInsideNotIsNoAllOf) {
  EXPECT_EQ(merged(R"({"not": {"properties": {"allOf": {"not": {"type": "null"}}}}})"),
            json::parse(R"({"not": {"anyOf": [{"properties": {"allOf": {"not": {"type": "null"}}}}]}})"));
}

TEST(MergedAllOf, LeavesASharedBranchAlone) {
  const JsValue schema = js_value(ordered_json::parse(R"({"properties": {}})"));
  const JsValue shared = js_value(ordered_json::parse(R"({"allOf": [{"required": ["a"]}]})"));
  schema.object().set("allOf", JsList{shared});
  schema.object().find("properties")->object().set("p", shared);
  EXPECT_EQ(json(plain_json(*merged_all_of(schema))),
            json::parse(R"({"required": ["a"], "properties": {"p": {"required": ["a"]}}})"));
}

TEST(MergedAllOf, BoundsItsWork) {
  std::string branches;
  for (int i = 0; i < 3000; ++i)
    branches += (i > 0 ? "," : "") + std::string(R"({"properties": {"p)") + std::to_string(i) + R"(": {"enum": [1]}}})";
  EXPECT_THAT(merged(R"({"allOf": [)" + branches + "]}").dump(), HasSubstr("takes less work"));
  std::string choices;
  for (int i = 1; i < 200; ++i)
    choices += (i > 1 ? "," : "") + std::string(R"({"minLength": )") + std::to_string(i) + "}";
  EXPECT_EQ(merged(R"({"oneOf": [)" + choices + R"(], "allOf": [{"oneOf": [{"maxLength": 0}, )" + choices + "]}]}"),
            "/oneOf: expected at most 10000 combinations");
}

TEST(NumericBounds, AreSetWhereThereAreNone) {
  const JsValue schema = js_value(ordered_json::parse(R"({"properties": {"n": {"type": "integer", "minimum": 0},
      "list": {"items": {"type": "number"}}, "type": {"type": "string"}}, "default": {"type": "number"},
      "then": {"type": "number"}})"));
  set_numeric_bounds(schema, std::int64_t{-9}, std::int64_t{9});
  EXPECT_EQ(json(plain_json(schema)),
            json::parse(R"({"properties": {"n": {"type": "integer", "minimum": 0, "maximum": 9},
      "list": {"items": {"type": "number", "minimum": -9, "maximum": 9}}, "type": {"type": "string"}},
      "default": {"type": "number"}, "then": {"type": "number"}})"));
}

}  // namespace
}  // namespace eventgate
