#include "repository/materialize.hpp"

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
  const auto result = merged_all_of(ordered_json::parse(schema));
  return result ? json(*result) : json(result.error().message);
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
  EXPECT_THAT(merged(R"({"type": "string", "allOf": [{"type": "number"}]})").get<std::string>(),
              HasSubstr(R"(several values of `type` that do not go together: "string" and "number")"));
  EXPECT_THAT(merged(R"({"format": "uri", "allOf": [{"format": "date"}]})").get<std::string>(), HasSubstr("`format`"));
}

TEST(NumericBounds, AreSetWhereThereAreNone) {
  ordered_json schema = ordered_json::parse(R"({"properties": {"n": {"type": "integer", "minimum": 0},
      "list": {"items": {"type": "number"}}, "type": {"type": "string"}}, "default": {"type": "number"}})");
  set_numeric_bounds(schema, -9, 9);
  EXPECT_EQ(json(schema), json::parse(R"({"properties": {"n": {"type": "integer", "minimum": 0, "maximum": 9},
      "list": {"items": {"type": "number", "minimum": -9, "maximum": 9}}, "type": {"type": "string"}},
      "default": {"type": "number"}})"));
}

std::string difference_of(const std::string& expected, const std::string& found) {
  return difference(ordered_json::parse(expected), ordered_json::parse(found)).value_or("");
}

TEST(Difference, IsNoneInTheOrderOfMembersAndRequired) {
  EXPECT_EQ(
      difference_of(R"({"a": 1, "b": 2.0, "required": ["a", "b"]})", R"({"b": 2, "required": ["b", "a"], "a": 1})"),
      "");
}

TEST(Difference, SaysWhereAndWhat) {
  EXPECT_EQ(difference_of(R"({"a": {"b": [1, 2]}})", R"({"a": {"b": [1, 3]}})"), "has 3 at /a/b/1, expected 2");
  EXPECT_EQ(difference_of(R"({"a": {"b": 1}})", R"({"a": {}})"), "lacks /a/b");
  EXPECT_EQ(difference_of(R"({"a": {}})", R"({"a": {"b": 1}})"), "has /a/b, which should not be there");
  EXPECT_EQ(difference_of(R"({"required": ["a"]})", R"({"required": ["a", "b"]})"),
            R"(has ["a","b"] at /required, expected ["a"])");
  EXPECT_EQ(difference_of("1", "2"), "has 2 at /, expected 1");
}

}  // namespace
}  // namespace eventgate
