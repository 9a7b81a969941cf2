#include "schema/validator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/schema_results.hpp"
#include "support/validated_event.hpp"

namespace eventgate {
namespace {

using nlohmann::ordered_json;
using testing::ElementsAre;

// Each keyword: an event that passes, and AJV's error for one that does not.

TEST(Validator, TypeIsWrong_ErrorNamesTheExpectedTypes) {
  const char* const values[] = {"null", "true", "1.5", "1", "\"x\"", "{}", "[]"};
  const char* const types[] = {"null", "boolean", "number", "integer", "string", "object", "array"};
  for (std::size_t type = 0; type < 7; ++type)
    for (std::size_t value = 0; value < 7; ++value)
      EXPECT_EQ(accepts(std::string(R"({"type": ")") + types[type] + "\"}", values[value]),
                type == value || (type == 2 && value == 3))
          << types[type] << " " << values[value];
  EXPECT_THAT(errors_of(R"({"type": "string"})", "1"),
              ElementsAre(R"(type |  | #/type | {"type":"string"} | should be string)"));
  EXPECT_THAT(errors_of(R"({"type": ["string", "null"]})", "1"),
              ElementsAre(R"(type |  | #/type | {"type":"string,null"} | should be string,null)"));
  EXPECT_TRUE(accepts(R"({"type": ["string", "integer"]})", "1.0"));
}

TEST(Validator, NumberIsOutsideTheLimits_IsInvalid) {
  EXPECT_THAT(
      errors_of(R"({"maximum": 3, "minimum": 5})", "4"),
      ElementsAre(R"(maximum |  | #/maximum | {"comparison":"<=","limit":3,"exclusive":false} | should be <= 3)",
                  R"(minimum |  | #/minimum | {"comparison":">=","limit":5,"exclusive":false} | should be >= 5)"));
  EXPECT_THAT(
      errors_of(R"({"exclusiveMaximum": 3})", "3"),
      ElementsAre(
          R"(exclusiveMaximum |  | #/exclusiveMaximum | {"comparison":"<","limit":3,"exclusive":true} | should be < 3)"));
  EXPECT_THAT(
      errors_of(R"({"minimum": 3, "exclusiveMinimum": 4})", "4"),
      ElementsAre(
          R"(exclusiveMinimum |  | #/exclusiveMinimum | {"comparison":">","limit":4,"exclusive":true} | should be > 4)"));
  EXPECT_THAT(
      errors_of(R"({"minimum": 5, "exclusiveMinimum": 4})", "4.5"),
      ElementsAre(R"(minimum |  | #/minimum | {"comparison":">=","limit":5,"exclusive":false} | should be >= 5)"));
  EXPECT_TRUE(accepts(R"({"maximum": 3})", "3"));
  EXPECT_TRUE(accepts(R"({"maximum": 3})", "\"4\""));
}

TEST(Validator, Draft04_ExclusiveLimitsAreBooleans) {
  const std::string schema =
      R"({"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 3, "exclusiveMinimum": )";
  EXPECT_THAT(
      errors_of(schema + "true}", "3"),
      ElementsAre(
          R"(exclusiveMinimum |  | #/exclusiveMinimum | {"comparison":">","limit":3,"exclusive":true} | should be > 3)"));
  EXPECT_TRUE(accepts(schema + "false}", "3"));
}

TEST(Validator, NumberIsNotAMultiple_IsInvalid) {
  EXPECT_THAT(errors_of(R"({"multipleOf": 2})", "3"),
              ElementsAre(R"(multipleOf |  | #/multipleOf | {"multipleOf":2} | should be multiple of 2)"));
}

TEST(Validator, Length_CountsCodePoints) {
  EXPECT_TRUE(accepts(R"({"maxLength": 2, "minLength": 2})", "\"\xF0\x9F\x98\x80\xC3\xA9\""));
  EXPECT_TRUE(accepts(R"({"maxLength": 2, "minLength": 2})", R"("\ud83d\ude00\u00e9")"));
  EXPECT_THAT(errors_of(R"({"maxLength": 2})", R"("abc")"),
              ElementsAre(R"(maxLength |  | #/maxLength | {"limit":2} | should NOT be longer than 2 characters)"));
  EXPECT_THAT(errors_of(R"({"minLength": 3})", "\"\xF0\x9F\x98\x80\xF0\x9F\x98\x80\""),
              ElementsAre(R"(minLength |  | #/minLength | {"limit":3} | should NOT be shorter than 3 characters)"));
  EXPECT_FALSE(accepts(R"({"minLength": 1})", R"("")"));
  EXPECT_FALSE(accepts(R"({"maxLength": 0})", R"("a")"));
}

TEST(Validator, PatternAndFormatDoNotMatch_BothAreReported) {
  EXPECT_THAT(errors_of(R"({"pattern": "^\"a\\d$", "format": "date"})", R"("x")"),
              ElementsAre(R"(pattern |  | #/pattern | {"pattern":"^\"a\\d$"} | should match pattern "^"a\d$")",
                          R"(format |  | #/format | {"format":"date"} | should match format "date")"));
}

TEST(Validator, ItemsAreInvalid_EachIsReported) {
  EXPECT_THAT(errors_of(R"({"items": {"type": "string"}})", R"(["a", 1, 2])"),
              ElementsAre(R"(type | [1] | #/items/type | {"type":"string"} | should be string)",
                          R"(type | [2] | #/items/type | {"type":"string"} | should be string)"));
  EXPECT_THAT(errors_of(R"({"items": [{"type": "string"}, {}], "additionalItems": false})", "[1, 2, 3]"),
              ElementsAre(R"(additionalItems |  | #/additionalItems | {"limit":2} | should NOT have more than 2 items)",
                          R"(type | [0] | #/items/0/type | {"type":"string"} | should be string)"));
  EXPECT_THAT(errors_of(R"({"items": [{}], "additionalItems": {"type": "null"}})", "[1, 2]"),
              ElementsAre(R"(type | [1] | #/additionalItems/type | {"type":"null"} | should be null)"));
  EXPECT_TRUE(accepts(R"({"items": {}, "additionalItems": false})", "[1]"));
  EXPECT_FALSE(accepts(R"({"items": false})", "[1]"));
}

TEST(Validator, ItemCountIsOutsideTheLimits_IsInvalid) {
  EXPECT_THAT(errors_of(R"({"maxItems": 1})", "[1, 2]"),
              ElementsAre(R"(maxItems |  | #/maxItems | {"limit":1} | should NOT have more than 1 items)"));
  EXPECT_THAT(errors_of(R"({"minItems": 1})", "[]"),
              ElementsAre(R"(minItems |  | #/minItems | {"limit":1} | should NOT have fewer than 1 items)"));
}

TEST(Validator, ContainsFails_ErrorsOfEachItemAreListed) {
  EXPECT_THAT(errors_of(R"({"contains": {"type": "string"}})", "[1, 2]"),
              ElementsAre(R"(type | [0] | #/contains/type | {"type":"string"} | should be string)",
                          R"(type | [1] | #/contains/type | {"type":"string"} | should be string)",
                          R"(contains |  | #/contains | {} | should contain a valid item)"));
  EXPECT_TRUE(accepts(R"({"contains": {"type": "string"}})", "[1, \"a\"]"));
  EXPECT_FALSE(accepts(R"({"contains": {}})", "[]"));
  EXPECT_TRUE(accepts(R"({"contains": {}})", "[1]"));
  EXPECT_FALSE(accepts(R"({"contains": false})", "[1]"));
}

TEST(Validator, PropertiesAreInvalidOrMissing_ErrorsAreInAjvsOrder) {
  EXPECT_THAT(errors_of(R"({"required": ["b", "a", "c"], "properties": {"a": {"type": "string"}, "b": {}}})", "{}"),
              ElementsAre(R"(required |  | #/required | {"missingProperty":"b"} | should have required property 'b')",
                          R"(required |  | #/required | {"missingProperty":"c"} | should have required property 'c')",
                          R"(required |  | #/required | {"missingProperty":"a"} | should have required property 'a')"));
  EXPECT_THAT(errors_of(R"({"properties": {"b": {"type": "string"}, "2": {"type": "string"}, "1": false}})",
                        R"({"b": 1, "1": 1, "2": 1})"),
              ElementsAre(R"(false schema | ['1'] | #/properties/1/false schema | {} | boolean schema is false)",
                          R"(type | ['2'] | #/properties/2/type | {"type":"string"} | should be string)",
                          R"(type | .b | #/properties/b/type | {"type":"string"} | should be string)"));
}

TEST(Validator, RequiredPropertyWithSchemaFalseIsMissing_HasTwoErrors) {
  EXPECT_THAT(errors_of(R"({"required": ["a"], "properties": {"a": false}})", "{}"),
              ElementsAre(R"(required |  | #/required | {"missingProperty":"a"} | should have required property 'a')",
                          R"(required |  | #/required | {"missingProperty":"a"} | should have required property 'a')"));
}

TEST(Validator, AdditionalProperties_AreReportedInJavaScriptsOrder) {
  EXPECT_THAT(errors_of(R"({"additionalProperties": false, "properties": {"a": {}}, "patternProperties": {"^p": {}}})",
                        R"({"z": 1, "10": 1, "a": 1, "9": 1, "p1": 1})"),
              ElementsAre(R"(additionalProperties |  | #/additionalProperties | {"additionalProperty":"9"} | )"
                          "should NOT have additional properties",
                          R"(additionalProperties |  | #/additionalProperties | {"additionalProperty":"10"} | )"
                          "should NOT have additional properties",
                          R"(additionalProperties |  | #/additionalProperties | {"additionalProperty":"z"} | )"
                          "should NOT have additional properties"));
  EXPECT_THAT(errors_of(R"({"additionalProperties": {"type": "string"}})", R"({"a": 1, "b": "x"})"),
              ElementsAre(R"(type | ['a'] | #/additionalProperties/type | {"type":"string"} | should be string)"));
}

TEST(Validator, PatternPropertiesApplyToEveryKeyTheyMatch) {
  EXPECT_THAT(
      errors_of(R"({"patternProperties": {"^a": {"type": "string"}, "b$": {"type": "null"}}})", R"({"ab": 1, "c": 1})"),
      ElementsAre(R"(type | ['ab'] | #/patternProperties/%5Ea/type | {"type":"string"} | should be string)",
                  R"(type | ['ab'] | #/patternProperties/b%24/type | {"type":"null"} | should be null)"));
  EXPECT_FALSE(accepts("{\"patternProperties\": {\"\xC3\xA9\": false}}", R"({"caf\u00e9": 1})"));
}

TEST(Validator, PropertyNameIsInvalid_EachErrorNamesIt) {
  EXPECT_THAT(errors_of(R"({"properties": {"o": {"propertyNames": {"maxLength": 2, "pattern": "^x"}}}})",
                        R"({"o": {"abc": 1, "x": 1}})"),
              ElementsAre(R"(maxLength | .o | #/properties/o/propertyNames/maxLength | {"limit":2} | )"
                          "should NOT be longer than 2 characters | abc",
                          R"(pattern | .o | #/properties/o/propertyNames/pattern | {"pattern":"^x"} | )"
                          R"(should match pattern "^x" | abc)",
                          R"(propertyNames | .o | #/properties/o/propertyNames | {"propertyName":"abc"} | )"
                          "property name 'abc' is invalid"));
}

TEST(Validator, PropertyCountIsOutsideTheLimits_IsInvalid) {
  EXPECT_THAT(
      errors_of(R"({"maxProperties": 1})", R"({"a": 1, "b": 1})"),
      ElementsAre(R"(maxProperties |  | #/maxProperties | {"limit":1} | should NOT have more than 1 properties)"));
  EXPECT_THAT(
      errors_of(R"({"minProperties": 2})", R"({"a": 1})"),
      ElementsAre(R"(minProperties |  | #/minProperties | {"limit":2} | should NOT have fewer than 2 properties)"));
}

TEST(Validator, DependencyIsNotMet_IsInvalid) {
  EXPECT_THAT(
      errors_of(R"({"dependencies": {"s": {"required": ["z"]}, "a": ["b", "c"], "d": ["e"]}})",
                R"({"a": 1, "d": 1, "s": 1})"),
      ElementsAre(
          R"(dependencies |  | #/dependencies | {"property":"a","missingProperty":"b","depsCount":2,"deps":"b, c"} | )"
          "should have properties b, c when property a is present",
          R"(dependencies |  | #/dependencies | {"property":"a","missingProperty":"c","depsCount":2,"deps":"b, c"} | )"
          "should have properties b, c when property a is present",
          R"(dependencies |  | #/dependencies | {"property":"d","missingProperty":"e","depsCount":1,"deps":"e"} | )"
          "should have property e when property d is present",
          R"(required |  | #/dependencies/s/required | {"missingProperty":"z"} | should have required property 'z')"));
  EXPECT_THAT(
      errors_of(R"({"dependencies": {"a": ["", "b"]}})", R"({"a": 1, "b": 2})"),
      ElementsAre(
          R"(dependencies |  | #/dependencies | {"property":"a","missingProperty":"","depsCount":2,"deps":", b"} | )"
          "should have properties , b when property a is present"));
}

TEST(Validator, NotFails_InnerErrorsAreNotListed) {
  EXPECT_THAT(errors_of(R"({"not": {"type": "string"}})", R"("x")"),
              ElementsAre("not |  | #/not | {} | should NOT be valid"));
  EXPECT_FALSE(accepts(R"({"not": {}})", "1"));
  EXPECT_TRUE(accepts(R"({"not": false})", "1"));
}

TEST(Validator, AnyOfFails_ErrorsOfEveryBranchAreListed) {
  EXPECT_THAT(errors_of(R"({"anyOf": [{"type": "string"}, {"type": "null"}]})", "1"),
              ElementsAre(R"(type |  | #/anyOf/0/type | {"type":"string"} | should be string)",
                          R"(type |  | #/anyOf/1/type | {"type":"null"} | should be null)",
                          "anyOf |  | #/anyOf | {} | should match some schema in anyOf"));
  EXPECT_TRUE(accepts(R"({"anyOf": [{"type": "string"}, {"type": "number"}]})", "1"));
  EXPECT_TRUE(accepts(R"({"anyOf": [{"type": "string"}, {"title": "no condition"}]})", "1"));
}

TEST(Validator, OneOfMatchesTwo_ErrorNamesBoth) {
  EXPECT_THAT(
      errors_of(R"({"oneOf": [{"type": "null"}, {"minimum": 1}, {"type": "integer"}, {"type": "string"}]})", "5"),
      ElementsAre(R"(type |  | #/oneOf/0/type | {"type":"null"} | should be null)",
                  R"(oneOf |  | #/oneOf | {"passingSchemas":[1,2]} | should match exactly one schema in oneOf)"));
  EXPECT_THAT(
      errors_of(R"({"oneOf": [{"type": "null"}]})", "5"),
      ElementsAre(R"(type |  | #/oneOf/0/type | {"type":"null"} | should be null)",
                  R"(oneOf |  | #/oneOf | {"passingSchemas":null} | should match exactly one schema in oneOf)"));
}

TEST(Validator, AllOf_AddsNoErrorOfItsOwn) {
  EXPECT_THAT(
      errors_of(R"({"allOf": [{"type": "string"}, {}, {"minimum": 6}]})", "5"),
      ElementsAre(
          R"(type |  | #/allOf/0/type | {"type":"string"} | should be string)",
          R"(minimum |  | #/allOf/2/minimum | {"comparison":">=","limit":6,"exclusive":false} | should be >= 6)"));
}

TEST(Validator, If_SelectsThenOrElse) {
  const std::string schema = R"({"if": {"type": "integer"}, "then": {"minimum": 10}, "else": {"type": "string"}})";
  EXPECT_THAT(
      errors_of(schema, "5"),
      ElementsAre(R"(minimum |  | #/then/minimum | {"comparison":">=","limit":10,"exclusive":false} | should be >= 10)",
                  R"(if |  | #/if | {"failingKeyword":"then"} | should match "then" schema)"));
  EXPECT_THAT(errors_of(schema, "null"),
              ElementsAre(R"(type |  | #/else/type | {"type":"string"} | should be string)",
                          R"(if |  | #/if | {"failingKeyword":"else"} | should match "else" schema)"));
  EXPECT_TRUE(accepts(R"({"if": {"type": "integer"}})", "5"));
  EXPECT_TRUE(accepts(R"({"if": false, "then": false})", "5"));
  EXPECT_TRUE(accepts(R"({"then": false, "else": false})", "5"));
}

TEST(Validator, BooleanSchema_AcceptsOrRefusesEverything) {
  EXPECT_TRUE(accepts("true", "1"));
  EXPECT_THAT(errors_of("false", "1"), ElementsAre("false schema |  | #/false schema | {} | boolean schema is false"));
}

// Order and paths.

TEST(Validator, TypeError_HasAjvsPosition) {
  // Numbers, strings and arrays have their rules before an object's type is judged.
  EXPECT_THAT(errors_of(R"({"type": "object", "maxLength": 0, "properties": {"a": {}}})", R"("x")"),
              ElementsAre(testing::StartsWith("maxLength"), testing::StartsWith("type")));
  EXPECT_THAT(errors_of(R"({"type": "object", "maxLength": 0})", R"("x")"),
              ElementsAre(testing::StartsWith("type"), testing::StartsWith("maxLength")));
  EXPECT_THAT(errors_of(R"({"enum": [1], "type": "number", "minItems": 1, "maximum": 1})", "[]"),
              ElementsAre(testing::StartsWith("type"), testing::StartsWith("minItems"), testing::StartsWith("enum")));
}

TEST(Validator, SchemaPath_BeginsAtACalledReferenceAndGoesThroughAnInlinedOne) {
  const std::string schema = R"({
    "properties": {"plain": {"$ref": "#/definitions/plain"}, "deep": {"$ref": "#/definitions/deep"}, "self": {"$ref": "#"}},
    "definitions": {"plain": {"type": "string"}, "deep": {"properties": {"p": {"$ref": "#/definitions/plain"}}, "maxProperties": 1}}})";
  EXPECT_THAT(errors_of(schema, R"({"plain": 1, "deep": {"p": 1, "q": 1}, "self": {"plain": 2}})"),
              ElementsAre(testing::StartsWith("type | .plain | #/definitions/plain/type |"),
                          testing::StartsWith("maxProperties | .deep | #/maxProperties |"),
                          testing::StartsWith("type | .deep.p | #/definitions/plain/type |"),
                          testing::StartsWith("type | .self.plain | #/definitions/plain/type |")));
}

// AJV finds a document without an id by its path alone, through a reference to a reference too, and calls it.
TEST(Validator, DocumentWithoutAnIdBehindTwoReferences_IsCalled) {
  const SchemaDocuments documents = {
      {"/plain/1.0.0", ordered_json::parse(R"({"properties": {"p": {"type": "string"}}})")},
      {"/named/1.0.0", ordered_json::parse(R"({"$id": "/named/1.0.0", "properties": {"p": {"type": "string"}}})")}};
  const std::string schema = R"({
    "properties": {"a": {"$ref": "/plain/1.0.0"}, "b": {"$ref": "#/definitions/plain"}, "c": {"$ref": "#/definitions/chain"},
                   "d": {"$ref": "#/definitions/named"}},
    "definitions": {"plain": {"$ref": "/plain/1.0.0", "type": "array"}, "chain": {"$ref": "#/definitions/plain"},
                    "named": {"$ref": "/named/1.0.0", "type": ["object", "null"]}}})";
  EXPECT_THAT(errors_of(schema, R"({"a": {"p": 1}, "b": {"p": 1}, "c": {"p": 1}, "d": {"p": 1}})", documents),
              ElementsAre(testing::StartsWith("type | .a.p | /plain/1.0.0/properties/p/type |"),
                          testing::StartsWith("type | .b.p | #/properties/p/type |"),
                          testing::StartsWith("type | .c.p | #/properties/p/type |"),
                          testing::StartsWith("type | .d.p | /named/1.0.0/properties/p/type |")));
}

TEST(Validator, RefHasSiblings_OnlyTypeIsChecked) {
  EXPECT_TRUE(accepts(R"({"$ref": "#/definitions/a", "maximum": 1, "definitions": {"a": {"type": "number"}}})", "5"));
  EXPECT_FALSE(
      accepts(R"({"$ref": "#/definitions/a", "type": "string", "definitions": {"a": {"type": "number"}}})", "5"));
}

TEST(Validator, AtMostAHundredErrorsAreListed) {
  std::string items = "[1";
  for (int i = 1; i < 100; ++i) items += ",1";
  const std::string schema = R"({"items": {"type": "string"}})";
  EXPECT_EQ(errors_of(schema, items + "]").size(), 100u);
  const auto errors = errors_of(schema, items + ",1,1,1,1]");
  ASSERT_EQ(errors.size(), 101u);
  EXPECT_EQ(errors[99], R"(type | [99] | #/items/type | {"type":"string"} | should be string)");
  EXPECT_EQ(errors[100], R"(maxErrors |  | # | {"limit":100} | has more errors)");
}

TEST(Validator, MoreThanAHundredErrorsOfPropertyNames_LastIsMaxErrors) {
  std::string members = "{";
  for (int i = 0; i < 80; ++i) members += (i ? "," : "") + std::string("\"k") + std::to_string(i) + "\":1";
  const auto errors = errors_of(R"({"propertyNames": {"maxLength": 1}})", members + "}");
  ASSERT_EQ(errors.size(), 101u);
  EXPECT_EQ(errors[100], R"(maxErrors |  | # | {"limit":100} | has more errors)");
}

// Keys that are there twice.

TEST(Validator, ObjectHasManyKeys_IsValidatedInLinearTime) {
  std::string members = "{";
  for (int i = 0; i < 40000; ++i) members += (i ? "," : "") + std::string("\"key") + std::to_string(i) + "\":1";
  members += ",\"key7\":2}";
  EXPECT_TRUE(accepts(R"({"additionalProperties": {"type": "integer"}, "maxProperties": 40000})", members));
  EXPECT_FALSE(accepts(R"({"additionalProperties": {"type": "integer"}, "maxProperties": 39999})", members));
}

// Defaults.

}  // namespace
}  // namespace eventgate
