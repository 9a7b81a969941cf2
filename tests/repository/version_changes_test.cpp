#include "eventgate/repository/version_changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace eventgate {
namespace {

using nlohmann::ordered_json;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> changes(const std::string& older, const std::string& newer) {
  std::vector<std::string> texts;
  for (const SchemaChange& change : incompatible_changes(ordered_json::parse(older), ordered_json::parse(newer)))
    texts.push_back(change.text());
  return texts;
}

TEST(VersionChanges, SaysOfEachWhetherItMayBe) {
  std::vector<std::string> texts;
  for (const SchemaChange& change : schema_changes(
           ordered_json::parse(
               R"({"description": "a", "properties": {"a/b": {"enum": [1], "maxLength": 1}}, "required": []})"),
           ordered_json::parse(
               R"({"description": "b", "properties": {"a/b": {"enum": [1, 2], "maxLength": 3}, "n": {}},
                   "required": ["n"], "minProperties": 1})")))
    texts.push_back((change.compatible ? "may " : "not ") + change.text());
  EXPECT_THAT(texts, ElementsAre("not /required: \"n\" is required, it was optional",
                                 "may /description: is \"b\", it was \"a\"", "may /properties/a~1b/enum: 2 is new",
                                 "may /properties/a~1b/maxLength: is 3, it was 1", "may /properties/n: is new",
                                 "not /minProperties: is new: 1"));
}

TEST(VersionChanges, OptionalFieldsMayBeAdded) {
  EXPECT_THAT(changes(R"({"title": "t", "properties": {"a": {"type": "object", "properties": {}}}, "required": ["a"]})",
                      R"({"title": "u", "$id": "/t/1.1.0", "required": ["a"], "properties":
                          {"a": {"type": "object", "properties": {"n": {"type": "string", "maxLength": 3}}},
                           "b": {"type": "string", "default": "x"}}})"),
              IsEmpty());
}

TEST(VersionChanges, DescriptionsMayChangeAndBoundsOfSizeMayRise) {
  EXPECT_THAT(changes(R"({"description": "a", "examples": [1], "maxLength": 3, "enum": [1, 2]})",
                      R"({"description": "b", "maxLength": 4, "enum": [3, 2, 1]})"),
              IsEmpty());
  EXPECT_THAT(changes(R"({"maxLength": 3})", "{}"), IsEmpty());
  EXPECT_THAT(changes("{}", R"({"maxLength": 3})"), ElementsAre("/maxLength: is new: 3"));
  EXPECT_THAT(changes(R"({"maxLength": 3})", R"({"maxLength": 2})"), ElementsAre("/maxLength: is 2, it was 3"));
}

TEST(VersionChanges, KeywordsThatMakeNoEventInvalidMayBeNew) {
  EXPECT_THAT(changes(R"({"properties": {"a": {}}})",
                      R"({"$schema": "x", "additionalProperties": true, "minProperties": 0,
                          "properties": {"a": {"deprecated": true, "x_pii": "drop", "items": {}, "uniqueItems": false}}})"),
              IsEmpty());
  EXPECT_THAT(changes("{}", R"({"additionalProperties": false, "minLength": 1, "format": "uri"})"),
              ElementsAre("/additionalProperties: is new: false", "/minLength: is new: 1", "/format: is new: \"uri\""));
}

TEST(VersionChanges, FieldsMayNotGoOrChange) {
  EXPECT_THAT(changes(R"({"properties": {"a": {"type": "string"}, "b": {"type": "string"}}})",
                      R"({"properties": {"a": {"type": "integer"}}})"),
              ElementsAre(R"(/properties/a/type: is "integer", it was "string")", "/properties/b: is gone"));
  EXPECT_THAT(changes(R"({"properties": {"a": true}})", "{}"), ElementsAre("/properties/a: is gone"));
}

TEST(VersionChanges, RequirednessMayNotChange) {
  EXPECT_THAT(
      changes(R"({"required": ["a", "b"]})", R"({"required": ["b", "c"]})"),
      ElementsAre(R"(/required: "c" is required, it was optional)", R"(/required: "a" is optional, it was required)"));
  EXPECT_THAT(changes("{}", R"({"items": {"required": ["c"]}})"), ElementsAre(R"(/items: is new: {"required":["c"]})"));
}

TEST(VersionChanges, EnumsMayOnlyGrow) {
  EXPECT_THAT(changes(R"({"enum": [1, "x"]})", R"({"enum": [1]})"), ElementsAre(R"(/enum: "x" is gone)"));
  EXPECT_THAT(changes("{}", R"({"enum": [1]})"), ElementsAre("/enum: is new: [1]"));
}

TEST(VersionChanges, ConstraintsMayNotComeGoOrChange) {
  EXPECT_THAT(changes(R"({"properties": {"a": {"pattern": "a", "minimum": 1}}})",
                      R"({"properties": {"a": {"minimum": 2, "format": "uri"}}})"),
              ElementsAre(R"(/properties/a/pattern: is gone, it was "a")", "/properties/a/minimum: is 2, it was 1",
                          R"(/properties/a/format: is new: "uri")"));
  EXPECT_THAT(changes(R"({"additionalProperties": true})", R"({"additionalProperties": false})"),
              ElementsAre("/additionalProperties: is false, it was true"));
  EXPECT_THAT(
      changes(R"({"additionalProperties": {"type": "string"}})", R"({"additionalProperties": {"type": "null"}})"),
      ElementsAre(R"(/additionalProperties/type: is "null", it was "string")"));
}

TEST(VersionChanges, ChoicesAreComparedOneByOne) {
  EXPECT_THAT(changes(R"({"oneOf": [{"type": "null"}, {"properties": {}}]})",
                      R"({"oneOf": [{"type": "null"}, {"properties": {"a": {}}}]})"),
              IsEmpty());
  EXPECT_THAT(changes(R"({"oneOf": [{"type": "null"}]})", R"({"oneOf": []})"),
              ElementsAre(R"(/oneOf: is [], it was [{"type":"null"}])"));
}

TEST(VersionChanges, PatternsOfFieldsMayNotBeAdded) {
  EXPECT_THAT(changes(R"({"patternProperties": {"a": {}}})", R"({"patternProperties": {"a": {}, "b": {}}})"),
              ElementsAre("/patternProperties/b: is new"));
}

}  // namespace
}  // namespace eventgate
