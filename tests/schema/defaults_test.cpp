#include "schema/defaults.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/schema_results.hpp"
#include "support/validated_event.hpp"

namespace eventgate {
namespace {

using testing::ElementsAre;

TEST(Defaults, AbsentMembersAreFilled) {
  EXPECT_EQ(completed(R"({"properties": {"a": {"default": {"x": [1, 1.50, "\n"]}}, "b": {"default": null}}})", "{}"),
            R"({"a":{"x":[1,1.5,"\n"]},"b":null})");
  EXPECT_EQ(completed(R"({"properties": {"a": {"default": 1}}})", R"({"a": null})"), R"({"a": null})");
  EXPECT_EQ(completed(R"({"properties": {"o": {"properties": {"a": {"default": 1}}}}})", R"({"o": {}, "p": 2})"),
            R"({"o": {"a":1}, "p": 2})");
  EXPECT_EQ(completed(R"({"properties": {"o": {"properties": {"a": {"default": 1}}}}})", "{}"), "{}");
}

TEST(Defaults, DefaultIsAnObject_ItsPropertiesAreFilledToo) {
  EXPECT_EQ(completed(R"({"properties": {"o": {"default": {}, "properties": {"a": {"default": 1}}}}})", "{}"),
            R"({"o":{"a":1}})");
}

TEST(Defaults, ItemsOfTuplesAreFilled) {
  EXPECT_EQ(completed(R"({"items": {"properties": {"a": {"default": 1}}}})", "[{}, 5, {\"a\": 2}]"),
            R"([{"a":1}, 5, {"a": 2}])");
  EXPECT_EQ(completed(R"({"items": [{"default": 0}, {}, {"default": {"x": 1}}]})", "[]"), R"([0,null,{"x":1}])");
  EXPECT_EQ(completed(R"({"items": [{}, {"default": 2}]})", "[1 ]"), "[1 ,2]");
  EXPECT_EQ(completed(R"({"items": [{"properties": {"a": {"default": 1}}}, {"default": 2}]})", "[{}]"),
            R"([{"a":1},2])");
}

TEST(Defaults, AllOfReferencesThenElseAndMembersOfAnyKind_AddDefaults) {
  const std::string inner = R"({"properties": {"a": {"default": 1}}})";
  EXPECT_EQ(
      completed(R"({"allOf": [)" + inner + R"(, {"properties": {"a": {"default": 2}, "b": {"default": 3}}}]})", "{}"),
      R"({"a":1,"b":3})");
  EXPECT_EQ(completed(R"({"$ref": "#/definitions/d", "definitions": {"d": )" + inner + "}}", "{}"), R"({"a":1})");
  EXPECT_EQ(completed(R"({"if": {"required": ["x"]}, "then": )" + inner +
                          R"(, "else": {"properties": {"b": {"default": 1}}}})",
                      R"({"x":1})"),
            R"({"x":1,"a":1})");
  EXPECT_EQ(completed(R"({"properties": {"x": {"default": 1}}, "if": {"required": ["x"]}, "then": )" + inner +
                          R"(, "else": {"properties": {"b": {"default": 1}}}})",
                      "{}"),
            R"({"x":1,"a":1})");
  EXPECT_EQ(completed(R"({"additionalProperties": )" + inner + "}", R"({"o":{}})"), R"({"o":{"a":1}})");
  EXPECT_EQ(completed(R"({"patternProperties": {"^o": )" + inner + "}}", R"({"o":{},"p":{}})"),
            R"({"o":{"a":1},"p":{}})");
  EXPECT_EQ(completed(R"({"dependencies": {"o": )" + inner + "}}", R"({"o":{}})"), R"({"o":{},"a":1})");
}

TEST(Defaults, ConditionsAndReferencedProperties_AddNoDefaults) {
  for (const char* keyword : {"anyOf", "oneOf"})
    EXPECT_EQ(
        completed(R"({")" + std::string(keyword) + R"(": [{"properties": {"a": {"default": 1, "type": "number"}}}]})",
                  "{}"),
        "{}");
  for (const char* keyword : {"not", "if"})
    EXPECT_EQ(completed(R"({")" + std::string(keyword) +
                            R"(": {"properties": {"a": {"default": 1}}, "type": "null"}, "else": {}})",
                        "{}"),
              "{}");
  EXPECT_EQ(completed(R"({"contains": {"properties": {"a": {"default": 1}}}})", "[{}]"), "[{}]");
  EXPECT_EQ(
      completed(R"({"properties": {"a": {"$ref": "#/definitions/d"}}, "definitions": {"d": {"default": 1}}})", "{}"),
      "{}");
}

TEST(Defaults, Condition_IsEvaluatedOncePerValue) {
  // A condition that looks at all that is below, on each of 100 levels.
  const auto schema = compiled(R"({
    "if": {"$ref": "#/definitions/sound"}, "then": {"properties": {"y": {"default": 1}}}, "properties": {"child": {"$ref": "#"}},
    "definitions": {"sound": {"properties": {"child": {"$ref": "#/definitions/sound"}, "list": {"items": {"type": "integer"}}}}}})");
  std::string event = R"({"list":[0)", expected;
  for (int i = 1; i < 20000; ++i) event += ",1";
  event += "]}";
  expected = event.substr(0, event.size() - 1) + R"(,"y":1})";
  for (int i = 0; i < 100; ++i) {
    event = R"({"child":)" + event + "}";
    expected = R"({"child":)" + expected + R"(,"y":1})";
  }
  EXPECT_EQ(validated(*schema, event).event, expected);
}

TEST(Defaults, Default_SatisfiesRequiredAndIsValidated) {
  EXPECT_TRUE(accepts(R"({"required": ["a"], "properties": {"a": {"type": "integer", "default": 1}}})", "{}"));
  EXPECT_THAT(errors_of(R"({"properties": {"a": {"type": "integer", "default": "x"}}})", "{}"),
              ElementsAre(R"(type | .a | #/properties/a/type | {"type":"integer"} | should be integer)"));
}

// What the gate asks.

}  // namespace
}  // namespace eventgate
