#include "eventgate/schema/compiled_schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>

#include "support/validated_event.hpp"

// Sanitizers have an allocator of their own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EVENTGATE_COUNTS_ALLOCATIONS 0
#else
#define EVENTGATE_COUNTS_ALLOCATIONS 1
// g++ 12 inlines the one and not the other.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

static std::atomic<std::size_t> allocations{0};

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace eventgate {
namespace {

using nlohmann::ordered_json;
using testing::ElementsAre;

/// The errors of `event` under `schema`, a line each: keyword, dataPath, schemaPath, params, message.
std::vector<std::string> errors_of(const std::string& schema, const std::string& event,
                                   const SchemaDocuments& documents = {}) {
  std::vector<std::string> lines;
  for (const ValidationError& error : validated(*compiled(schema, documents), event).errors)
    lines.push_back(error.keyword + " | " + error.data_path + " | " + error.schema_path + " | " + error.params + " | " +
                    error.message + (error.property_name ? " | " + *error.property_name : ""));
  return lines;
}

bool accepts(const std::string& schema, const std::string& event) {
  return validated(*compiled(schema), event).valid();
}

std::string completed(const std::string& schema, const std::string& event, const SchemaDocuments& documents = {}) {
  return validated(*compiled(schema, documents), event).event;
}

// Each keyword: an event that passes, and AJV's error for one that does not.

TEST(CompiledSchema, TypeSaysWhichItShouldBe) {
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

TEST(CompiledSchema, LimitsOfNumbers) {
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

TEST(CompiledSchema, ExclusiveLimitsOfDraft04) {
  const std::string schema =
      R"({"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 3, "exclusiveMinimum": )";
  EXPECT_THAT(
      errors_of(schema + "true}", "3"),
      ElementsAre(
          R"(exclusiveMinimum |  | #/exclusiveMinimum | {"comparison":">","limit":3,"exclusive":true} | should be > 3)"));
  EXPECT_TRUE(accepts(schema + "false}", "3"));
}

TEST(CompiledSchema, MultipleOf) {
  EXPECT_THAT(errors_of(R"({"multipleOf": 2})", "3"),
              ElementsAre(R"(multipleOf |  | #/multipleOf | {"multipleOf":2} | should be multiple of 2)"));
}

TEST(CompiledSchema, LengthsAreCodePoints) {
  EXPECT_TRUE(accepts(R"({"maxLength": 2, "minLength": 2})", "\"\xF0\x9F\x98\x80\xC3\xA9\""));
  EXPECT_TRUE(accepts(R"({"maxLength": 2, "minLength": 2})", R"("\ud83d\ude00\u00e9")"));
  EXPECT_THAT(errors_of(R"({"maxLength": 2})", R"("abc")"),
              ElementsAre(R"(maxLength |  | #/maxLength | {"limit":2} | should NOT be longer than 2 characters)"));
  EXPECT_THAT(errors_of(R"({"minLength": 3})", "\"\xF0\x9F\x98\x80\xF0\x9F\x98\x80\""),
              ElementsAre(R"(minLength |  | #/minLength | {"limit":3} | should NOT be shorter than 3 characters)"));
  EXPECT_FALSE(accepts(R"({"minLength": 1})", R"("")"));
  EXPECT_FALSE(accepts(R"({"maxLength": 0})", R"("a")"));
}

TEST(CompiledSchema, PatternAndFormat) {
  EXPECT_THAT(errors_of(R"({"pattern": "^\"a\\d$", "format": "date"})", R"("x")"),
              ElementsAre(R"(pattern |  | #/pattern | {"pattern":"^\"a\\d$"} | should match pattern "^"a\d$")",
                          R"(format |  | #/format | {"format":"date"} | should match format "date")"));
}

TEST(CompiledSchema, ItemsOfEveryKind) {
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

TEST(CompiledSchema, CountsOfItems) {
  EXPECT_THAT(errors_of(R"({"maxItems": 1})", "[1, 2]"),
              ElementsAre(R"(maxItems |  | #/maxItems | {"limit":1} | should NOT have more than 1 items)"));
  EXPECT_THAT(errors_of(R"({"minItems": 1})", "[]"),
              ElementsAre(R"(minItems |  | #/minItems | {"limit":1} | should NOT have fewer than 1 items)"));
}

TEST(CompiledSchema, ContainsListsWhatIsWrongWithEachItem) {
  EXPECT_THAT(errors_of(R"({"contains": {"type": "string"}})", "[1, 2]"),
              ElementsAre(R"(type | [0] | #/contains/type | {"type":"string"} | should be string)",
                          R"(type | [1] | #/contains/type | {"type":"string"} | should be string)",
                          R"(contains |  | #/contains | {} | should contain a valid item)"));
  EXPECT_TRUE(accepts(R"({"contains": {"type": "string"}})", "[1, \"a\"]"));
  EXPECT_FALSE(accepts(R"({"contains": {}})", "[]"));
  EXPECT_TRUE(accepts(R"({"contains": {}})", "[1]"));
  EXPECT_FALSE(accepts(R"({"contains": false})", "[1]"));
}

TEST(CompiledSchema, UniqueItemsNamesThePairThatAjvFinds) {
  const auto pair = [](const std::string& items, const std::string& event) {
    const auto errors = validated(*compiled(R"({"uniqueItems": true, "items": )" + items + "}"), event).errors;
    return errors.empty() ? "none" : errors.back().params;
  };
  EXPECT_EQ(pair("{}", "[1, 2, 1, 2]"), R"({"i":3,"j":1})");
  EXPECT_EQ(pair(R"({"type": "number"})", "[1, 2, 1, 2]"), R"({"i":1,"j":3})");
  EXPECT_EQ(pair(R"({"type": ["string", "null"]})", R"([null, "x", 5, null, 5])"), R"({"i":0,"j":3})");
  EXPECT_EQ(pair("{}", R"([{"a": 1, "b": [2]}, {"b": [2.0], "a": 1e0}])"), R"({"i":1,"j":0})");
  EXPECT_EQ(pair("{}", R"(["a", "\u0061"])"), R"({"i":1,"j":0})");
  EXPECT_EQ(pair("{}", R"([1, "1", true, null, [], {}, "", 0, false, [1]])"), "none");
  EXPECT_THAT(errors_of(R"({"uniqueItems": true})", "[1, 1]"),
              ElementsAre(R"(uniqueItems |  | #/uniqueItems | {"i":1,"j":0} | )"
                          R"(should NOT have duplicate items (items ## 0 and 1 are identical))"));
}

TEST(CompiledSchema, UniqueItemsOfLongArraysAgreesWithTheShortWay) {
  std::string distinct = "[";
  for (int i = 0; i < 2000; ++i)
    distinct += (i ? "," : "") + std::string("[") + std::to_string(i) + R"(, {"k": "v)" + std::to_string(i) + R"("}])";
  EXPECT_TRUE(accepts(R"({"uniqueItems": true})", distinct + "]"));
  const auto untyped =
      validated(*compiled(R"({"uniqueItems": true})"), distinct + R"(, [7, {"k": "v7"}], [8, {"k": "v8"}]])");
  EXPECT_EQ(untyped.errors[0].params, R"({"i":2001,"j":8})");
  std::string numbers = "[0";
  for (int i = 1; i < 2000; ++i) numbers += "," + std::to_string(i);
  const auto typed =
      validated(*compiled(R"({"uniqueItems": true, "items": {"type": "integer"}})"), numbers + ", 5.0, 7]");
  EXPECT_EQ(typed.errors[0].params, R"({"i":7,"j":2001})");
}

TEST(CompiledSchema, UniqueItemsIsLinear) {
  std::string items = "[";
  for (int i = 0; i < 100000; ++i) items += (i ? ",1" : "1") + std::string(20, '0') + std::to_string(100000 + i);
  EXPECT_TRUE(accepts(R"({"uniqueItems": true})", items + "]"));  // all of them the same double
}

TEST(CompiledSchema, PropertiesAndTheirAbsence) {
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

TEST(CompiledSchema, ARequiredPropertyWhoseSchemaIsFalseIsMissedTwice) {
  EXPECT_THAT(errors_of(R"({"required": ["a"], "properties": {"a": false}})", "{}"),
              ElementsAre(R"(required |  | #/required | {"missingProperty":"a"} | should have required property 'a')",
                          R"(required |  | #/required | {"missingProperty":"a"} | should have required property 'a')"));
}

TEST(CompiledSchema, AdditionalPropertiesComeInJavaScriptsOrder) {
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

TEST(CompiledSchema, PatternPropertiesApplyToEveryKeyTheyMatch) {
  EXPECT_THAT(
      errors_of(R"({"patternProperties": {"^a": {"type": "string"}, "b$": {"type": "null"}}})", R"({"ab": 1, "c": 1})"),
      ElementsAre(R"(type | ['ab'] | #/patternProperties/%5Ea/type | {"type":"string"} | should be string)",
                  R"(type | ['ab'] | #/patternProperties/b%24/type | {"type":"null"} | should be null)"));
  EXPECT_FALSE(accepts("{\"patternProperties\": {\"\xC3\xA9\": false}}", R"({"caf\u00e9": 1})"));
}

TEST(CompiledSchema, PropertyNamesAreNamedInEachError) {
  EXPECT_THAT(errors_of(R"({"properties": {"o": {"propertyNames": {"maxLength": 2, "pattern": "^x"}}}})",
                        R"({"o": {"abc": 1, "x": 1}})"),
              ElementsAre(R"(maxLength | .o | #/properties/o/propertyNames/maxLength | {"limit":2} | )"
                          "should NOT be longer than 2 characters | abc",
                          R"(pattern | .o | #/properties/o/propertyNames/pattern | {"pattern":"^x"} | )"
                          R"(should match pattern "^x" | abc)",
                          R"(propertyNames | .o | #/properties/o/propertyNames | {"propertyName":"abc"} | )"
                          "property name 'abc' is invalid"));
}

TEST(CompiledSchema, CountsOfProperties) {
  EXPECT_THAT(
      errors_of(R"({"maxProperties": 1})", R"({"a": 1, "b": 1})"),
      ElementsAre(R"(maxProperties |  | #/maxProperties | {"limit":1} | should NOT have more than 1 properties)"));
  EXPECT_THAT(
      errors_of(R"({"minProperties": 2})", R"({"a": 1})"),
      ElementsAre(R"(minProperties |  | #/minProperties | {"limit":2} | should NOT have fewer than 2 properties)"));
}

TEST(CompiledSchema, Dependencies) {
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

TEST(CompiledSchema, ConstAndEnumAreDeep) {
  EXPECT_TRUE(
      accepts(R"({"const": {"a": [1, {"b": null}], "c": "x"}})", R"({"c": "\u0078", "a": [1.0, {"b": null}]})"));
  EXPECT_FALSE(accepts(R"({"const": {"a": 1}})", R"({"a": 1, "b": 2})"));
  EXPECT_FALSE(accepts(R"({"const": [1]})", "[1, 2]"));
  EXPECT_FALSE(accepts(R"({"const": false})", "0"));
  EXPECT_TRUE(accepts(R"({"enum": ["a", 1, null, [true]]})", "[true]"));
  EXPECT_THAT(
      errors_of(R"({"const": null, "enum": ["a", {"b": 1.0}]})", "0"),
      ElementsAre(
          R"(const |  | #/const | {"allowedValue":null} | should be equal to constant)",
          R"(enum |  | #/enum | {"allowedValues":["a",{"b":1}]} | should be equal to one of the allowed values)"));
}

TEST(CompiledSchema, EqualityOfLargeObjects) {
  ordered_json value;
  for (int i = 0; i < 50; ++i) value["key" + std::to_string(i)] = i;
  ordered_json reversed;
  for (int i = 49; i >= 0; --i) reversed["key" + std::to_string(i)] = i;
  const std::string schema = ordered_json({{"const", value}}).dump();
  EXPECT_TRUE(accepts(schema, reversed.dump()));
  reversed["key7"] = 8;
  EXPECT_FALSE(accepts(schema, reversed.dump()));
}

TEST(CompiledSchema, NotSaysNothingOfWhatIsInside) {
  EXPECT_THAT(errors_of(R"({"not": {"type": "string"}})", R"("x")"),
              ElementsAre("not |  | #/not | {} | should NOT be valid"));
  EXPECT_FALSE(accepts(R"({"not": {}})", "1"));
  EXPECT_TRUE(accepts(R"({"not": false})", "1"));
}

TEST(CompiledSchema, AnyOfListsEveryBranch) {
  EXPECT_THAT(errors_of(R"({"anyOf": [{"type": "string"}, {"type": "null"}]})", "1"),
              ElementsAre(R"(type |  | #/anyOf/0/type | {"type":"string"} | should be string)",
                          R"(type |  | #/anyOf/1/type | {"type":"null"} | should be null)",
                          "anyOf |  | #/anyOf | {} | should match some schema in anyOf"));
  EXPECT_TRUE(accepts(R"({"anyOf": [{"type": "string"}, {"type": "number"}]})", "1"));
  EXPECT_TRUE(accepts(R"({"anyOf": [{"type": "string"}, {"title": "no condition"}]})", "1"));
}

TEST(CompiledSchema, OneOfNamesTheTwoThatPass) {
  EXPECT_THAT(
      errors_of(R"({"oneOf": [{"type": "null"}, {"minimum": 1}, {"type": "integer"}, {"type": "string"}]})", "5"),
      ElementsAre(R"(type |  | #/oneOf/0/type | {"type":"null"} | should be null)",
                  R"(oneOf |  | #/oneOf | {"passingSchemas":[1,2]} | should match exactly one schema in oneOf)"));
  EXPECT_THAT(
      errors_of(R"({"oneOf": [{"type": "null"}]})", "5"),
      ElementsAre(R"(type |  | #/oneOf/0/type | {"type":"null"} | should be null)",
                  R"(oneOf |  | #/oneOf | {"passingSchemas":null} | should match exactly one schema in oneOf)"));
}

TEST(CompiledSchema, AllOfHasNoErrorOfItsOwn) {
  EXPECT_THAT(
      errors_of(R"({"allOf": [{"type": "string"}, {}, {"minimum": 6}]})", "5"),
      ElementsAre(
          R"(type |  | #/allOf/0/type | {"type":"string"} | should be string)",
          R"(minimum |  | #/allOf/2/minimum | {"comparison":">=","limit":6,"exclusive":false} | should be >= 6)"));
}

TEST(CompiledSchema, IfDecidesBetweenThenAndElse) {
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

TEST(CompiledSchema, BooleanSchemas) {
  EXPECT_TRUE(accepts("true", "1"));
  EXPECT_THAT(errors_of("false", "1"), ElementsAre("false schema |  | #/false schema | {} | boolean schema is false"));
}

// Order and paths.

TEST(CompiledSchema, ATypeErrorStandsWhereAjvPutsIt) {
  // Numbers, strings and arrays have their rules before an object's type is judged.
  EXPECT_THAT(errors_of(R"({"type": "object", "maxLength": 0, "properties": {"a": {}}})", R"("x")"),
              ElementsAre(testing::StartsWith("maxLength"), testing::StartsWith("type")));
  EXPECT_THAT(errors_of(R"({"type": "object", "maxLength": 0})", R"("x")"),
              ElementsAre(testing::StartsWith("type"), testing::StartsWith("maxLength")));
  EXPECT_THAT(errors_of(R"({"enum": [1], "type": "number", "minItems": 1, "maximum": 1})", "[]"),
              ElementsAre(testing::StartsWith("type"), testing::StartsWith("minItems"), testing::StartsWith("enum")));
}

TEST(CompiledSchema, ACalledReferenceStartsItsPathsAnewAndAnInlinedOneAtTheReference) {
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
TEST(CompiledSchema, ADocumentWithoutAnIdIsCalledBehindTwoReferences) {
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

TEST(CompiledSchema, RefOverridesItsSiblingsButForABareType) {
  EXPECT_TRUE(accepts(R"({"$ref": "#/definitions/a", "maximum": 1, "definitions": {"a": {"type": "number"}}})", "5"));
  EXPECT_FALSE(
      accepts(R"({"$ref": "#/definitions/a", "type": "string", "definitions": {"a": {"type": "number"}}})", "5"));
}

TEST(CompiledSchema, NoMoreThanAHundredErrorsAreListed) {
  std::string items = "[1";
  for (int i = 1; i < 100; ++i) items += ",1";
  const std::string schema = R"({"items": {"type": "string"}})";
  EXPECT_EQ(errors_of(schema, items + "]").size(), 100u);
  const auto errors = errors_of(schema, items + ",1,1,1,1]");
  ASSERT_EQ(errors.size(), 101u);
  EXPECT_EQ(errors[99], R"(type | [99] | #/items/type | {"type":"string"} | should be string)");
  EXPECT_EQ(errors[100], R"(maxErrors |  | # | {"limit":100} | has more errors)");
}

TEST(CompiledSchema, AHundredErrorsOfPropertyNamesKeepTheLastEntry) {
  std::string members = "{";
  for (int i = 0; i < 80; ++i) members += (i ? "," : "") + std::string("\"k") + std::to_string(i) + "\":1";
  const auto errors = errors_of(R"({"propertyNames": {"maxLength": 1}})", members + "}");
  ASSERT_EQ(errors.size(), 101u);
  EXPECT_EQ(errors[100], R"(maxErrors |  | # | {"limit":100} | has more errors)");
}

// Keys that are there twice.

TEST(CompiledSchema, AKeyTwiceIsAnErrorWhereTheSchemaKnowsIt) {
  const std::string schema = R"({"properties": {"meta": {"properties": {"id": {"type": "string"}}}}})";
  EXPECT_THAT(
      errors_of(schema, R"({"meta": {"id": "a", "\u0069d": "b"}})"),
      ElementsAre(R"(duplicateKey | .meta | #/properties/meta | {"key":"id"} | should NOT have duplicate key 'id')"));
  EXPECT_TRUE(accepts(schema, R"({"x": 1, "x": 2, "meta": {"y": 1, "y": 2}})"));
}

TEST(CompiledSchema, TheLastValueOfAKeyIsTheOneJudged) {
  const std::string schema = R"({"properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}})";
  EXPECT_THAT(errors_of(schema, R"({"a": 1, "a": "x"})"), ElementsAre(testing::StartsWith("duplicateKey")));
  EXPECT_THAT(errors_of(schema, R"({"a": "x", "a": 1})"),
              ElementsAre(testing::StartsWith("type | .a"), testing::StartsWith("duplicateKey")));
  EXPECT_TRUE(accepts(schema, R"({"b": 1, "b": "x"})"));
  EXPECT_FALSE(accepts(schema, R"({"b": "x", "b": 1})"));
  EXPECT_TRUE(accepts(R"({"maxProperties": 1})", R"({"a": 1, "a": 2})"));
  EXPECT_TRUE(accepts(R"({"const": {"a": 2}})", R"({"a": 1, "a": 2})"));
  EXPECT_FALSE(accepts(R"({"uniqueItems": true})", R"([{"a": 2}, {"a": 1, "a": 2}])"));
}

TEST(CompiledSchema, KeysThatLookAlikeAreNotTheSame) {
  // Of every length, a key twice, and two that differ in one byte, wherever that is.
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string key(size, 'k');
    const std::string schema = R"({"maxProperties": 1, "properties": {")" + key + R"(": {}}})";
    EXPECT_THAT(errors_of(schema, "{\"" + key + "\":1,\"" + key + "\":22222222}"),
                ElementsAre(testing::StartsWith("duplicateKey")))
        << size;
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = key;
      other[at] = 'x';
      EXPECT_THAT(errors_of(schema, "{\"" + key + "\":1,\"" + other + "\":1}"),
                  ElementsAre(testing::StartsWith("maxProperties")))
          << other;
    }
    EXPECT_THAT(errors_of(schema, "{\"" + key + "\":1,\"" + key + "k\":1}"),
                ElementsAre(testing::StartsWith("maxProperties")));
  }
}

TEST(CompiledSchema, AKeyTwiceIsAnErrorWhateverTheSchemaThatKnowsItSays) {
  for (const char* wrapped : {R"({"not": {"required": ["z"], "properties": {"a": {}}}})",
                              R"({"anyOf": [{"properties": {"a": {}}, "minProperties": 1}]})",
                              R"({"if": {"properties": {"a": {"type": "number"}}}, "then": {"minProperties": 1}})",
                              R"({"$ref": "#/definitions/d", "definitions": {"d": {"properties": {"a": {}}}}})"})
    EXPECT_THAT(errors_of(wrapped, R"({"a": 1, "a": 2})"), ElementsAre(testing::StartsWith("duplicateKey |  |")))
        << wrapped;
  EXPECT_THAT(errors_of(R"({"allOf": [{"properties": {"a": {}}}, {"properties": {"a": {}}}]})", R"({"a": 1, "a": 2})"),
              ElementsAre(R"(duplicateKey |  | #/allOf/0 | {"key":"a"} | should NOT have duplicate key 'a')"));
}

TEST(CompiledSchema, AnObjectOfManyKeysIsReadInLinearTime) {
  std::string members = "{";
  for (int i = 0; i < 40000; ++i) members += (i ? "," : "") + std::string("\"key") + std::to_string(i) + "\":1";
  members += ",\"key7\":2}";
  EXPECT_TRUE(accepts(R"({"additionalProperties": {"type": "integer"}, "maxProperties": 40000})", members));
  EXPECT_FALSE(accepts(R"({"additionalProperties": {"type": "integer"}, "maxProperties": 39999})", members));
}

// Defaults.

TEST(CompiledSchema, DefaultsFillWhatIsAbsent) {
  EXPECT_EQ(completed(R"({"properties": {"a": {"default": {"x": [1, 1.50, "\n"]}}, "b": {"default": null}}})", "{}"),
            R"({"a":{"x":[1,1.5,"\n"]},"b":null})");
  EXPECT_EQ(completed(R"({"properties": {"a": {"default": 1}}})", R"({"a": null})"), R"({"a": null})");
  EXPECT_EQ(completed(R"({"properties": {"o": {"properties": {"a": {"default": 1}}}}})", R"({"o": {}, "p": 2})"),
            R"({"o": {"a":1}, "p": 2})");
  EXPECT_EQ(completed(R"({"properties": {"o": {"properties": {"a": {"default": 1}}}}})", "{}"), "{}");
}

TEST(CompiledSchema, DefaultsInsideMadeObjects) {
  EXPECT_EQ(completed(R"({"properties": {"o": {"default": {}, "properties": {"a": {"default": 1}}}}})", "{}"),
            R"({"o":{"a":1}})");
}

TEST(CompiledSchema, DefaultsOfItems) {
  EXPECT_EQ(completed(R"({"items": {"properties": {"a": {"default": 1}}}})", "[{}, 5, {\"a\": 2}]"),
            R"([{"a":1}, 5, {"a": 2}])");
  EXPECT_EQ(completed(R"({"items": [{"default": 0}, {}, {"default": {"x": 1}}]})", "[]"), R"([0,null,{"x":1}])");
  EXPECT_EQ(completed(R"({"items": [{}, {"default": 2}]})", "[1 ]"), "[1 ,2]");
  EXPECT_EQ(completed(R"({"items": [{"properties": {"a": {"default": 1}}}, {"default": 2}]})", "[{}]"),
            R"([{"a":1},2])");
}

TEST(CompiledSchema, DefaultsBehindAllOfReferencesThenElseAndMembersOfAnyKind) {
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

TEST(CompiledSchema, NoDefaultsInsideConditionsNorOfAPropertyThatIsAReference) {
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

TEST(CompiledSchema, ConditionsOfDefaultsAreWalkedOncePerValue) {
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

TEST(CompiledSchema, ADefaultSatisfiesRequiredAndMayBeInvalid) {
  EXPECT_TRUE(accepts(R"({"required": ["a"], "properties": {"a": {"type": "integer", "default": 1}}})", "{}"));
  EXPECT_THAT(errors_of(R"({"properties": {"a": {"type": "integer", "default": "x"}}})", "{}"),
              ElementsAre(R"(type | .a | #/properties/a/type | {"type":"integer"} | should be integer)"));
}

// What the gate asks.

TEST(CompiledSchema, IntegersWrittenOtherwiseAreNoted) {
  const auto schema = compiled(
      R"({"properties": {"a": {"type": "integer"}, "b": {"type": "number"}}, "allOf": [{"properties": {"a": {"type": "integer"}}}]})");
  EXPECT_THAT(validated(*schema, R"({"a": 1.0, "b": 2.0})").integers, ElementsAre("1.0"));
  EXPECT_THAT(validated(*schema, R"({"a": 1e2})").integers, ElementsAre("1e2"));
  EXPECT_THAT(validated(*schema, R"({"a": 1})").integers, ElementsAre());
  EXPECT_THAT(validated(*schema, R"({"a": 1.0, "b": "x"})").integers, ElementsAre());
}

TEST(CompiledSchema, DeclaresWhatItsPropertiesAllOfsAndReferencesDo) {
  const auto schema = compiled(R"({
    "type": "object",
    "properties": {"meta": {"type": "object", "properties": {"id": {}}}, "http": {"$ref": "#/definitions/http"}, "u": {"type": ["object", "null"]}},
    "allOf": [{"properties": {"dt": {}, "meta": {"properties": {"dt": {}}}}}, {"$ref": "#/definitions/more"}],
    "anyOf": [{"properties": {"any": {"type": "string"}}}],
    "definitions": {"http": {"type": "object", "properties": {"method": {}}}, "more": {"properties": {"more": {}}}}})");
  for (const char* field : {"meta", "meta.id", "meta.dt", "dt", "http.method", "more"})
    EXPECT_TRUE(schema->declares(FieldPath(field))) << field;
  for (const char* field : {"", "id", "meta.x", "any", "http.x", "dt.x", "meta.id.x"})
    EXPECT_FALSE(schema->declares(FieldPath(field))) << field;
  for (const char* field : {"x", "meta.x", "http.request_headers"})
    EXPECT_TRUE(schema->declares_parent_object(FieldPath(field))) << field;
  for (const char* field : {"", "dt.x", "u.x", "http.request_headers.x", "nothing.x"})
    EXPECT_FALSE(schema->declares_parent_object(FieldPath(field))) << field;
}

TEST(CompiledSchema, KnowsItsUriAndTitle) {
  EXPECT_EQ(compiled(R"({"title": "a/b"})", {}, "/a/b/1.0.0")->uri(), "/a/b/1.0.0");
  EXPECT_EQ(compiled(R"({"title": "a/b"})")->title(), "a/b");
  EXPECT_EQ(compiled(R"({"title": 5})")->title(), std::nullopt);
  EXPECT_EQ(compiled("true")->title(), std::nullopt);
}

// Hostile events.

TEST(CompiledSchema, AnEventAsDeepAsAllowedUnderARecursiveSchema) {
  const auto schema = compiled(R"({"allOf": [{"anyOf": [{"$ref": "#/definitions/n"}]}],
      "definitions": {"n": {"items": {"allOf": [{"oneOf": [{"$ref": "#"}]}]}, "type": "array"}}})");
  EXPECT_TRUE(validated(*schema, std::string(128, '[') + std::string(128, ']')).valid());
  EXPECT_FALSE(validated(*schema, std::string(127, '[') + "1" + std::string(127, ']')).valid());
}

TEST(CompiledSchema, TheDeepestWalkFitsTheStack) {
  // As many schemas for one value as the compiler takes, on each of the levels that an event may have.
  ordered_json document = {{"$ref", "#/definitions/d0"}};
  for (int i = 0; i < 14; ++i)
    document["definitions"]["d" + std::to_string(i)] = {
        {"allOf", {{{"$ref", "#/definitions/d" + std::to_string(i + 1)}}}}};
  document["definitions"]["d14"] = ordered_json::parse(
      R"({"type": "object", "properties": {"a": {"$ref": "#/definitions/d0"}, "b": {"type": "null"}, "c": {"default": 1}}})");
  const auto schema = compiled(document.dump());
  const auto nested = [](const std::string& inner) {
    std::string event = inner;
    for (int i = 0; i < 127; ++i) event = R"({"a":)" + event + "}";
    return event;
  };
  EXPECT_TRUE(validated(*schema, nested("{}")).valid());
  EXPECT_EQ(validated(*schema, nested("5")).errors.size(), 1u);
  EXPECT_EQ(validated(*schema, nested(R"({"b": null, "b": null})")).errors.size(), 1u);
}

TEST(CompiledSchema, ATreeOfReferencesIsWalkedOncePerValue) {
  // Two ways at each of 100 levels: 2^100 without memory.
  const auto schema = compiled(
      R"({"anyOf": [{"properties": {"a": {"$ref": "#"}}, "required": ["x"]}, {"properties": {"a": {"$ref": "#"}}}],
                                   "type": "object"})");
  std::string event = "5";
  for (int i = 0; i < 100; ++i) event = R"({"a": )" + event + "}";
  EXPECT_FALSE(validated(*schema, event).valid());
  std::string good = "{}";
  for (int i = 0; i < 100; ++i) good = R"({"a": )" + good + "}";
  EXPECT_TRUE(validated(*schema, good).valid());
}

TEST(CompiledSchema, ADoublingChainOfDefinitionsIsWalkedOncePerValue) {
  ordered_json document = {{"$ref", "#/definitions/d0"}, {"definitions", ordered_json::object()}};
  for (int i = 0; i < 14; ++i) {
    const ordered_json next = {{"$ref", "#/definitions/d" + std::to_string(i + 1)}};
    document["definitions"]["d" + std::to_string(i)] = {{"allOf", {next, next}}};
  }
  document["definitions"]["d14"] = {{"type", "string"}, {"properties", {{"x", {{"default", 1}}}}}};
  const auto schema = compiled(document.dump());
  EXPECT_TRUE(validated(*schema, "\"x\"").valid());
  EXPECT_EQ(validated(*schema, "{}").event, R"({"x":1})");
}

#if EVENTGATE_COUNTS_ALLOCATIONS
TEST(CompiledSchema, AValidEventCostsNoMemoryOnceWarm) {
  const auto schema = compiled(R"({
    "type": "object", "required": ["meta", "s"], "additionalProperties": false,
    "properties": {
      "meta": {"type": "object", "properties": {"dt": {"type": "string", "format": "date-time", "maxLength": 128}}},
      "s": {"type": "string", "pattern": "^[a-z]+$", "minLength": 1}, "n": {"type": "integer", "maximum": 9007199254740991},
      "f": {"type": "number", "minimum": 0.5}, "e": {"enum": ["a", "b"]}, "m": {"additionalProperties": {"type": "string"}},
      "l": {"type": "array", "uniqueItems": true, "items": {"type": "string"}}, "any": {"anyOf": [{"type": "null"}, {"type": "object"}]}}})");
  const ParsedText event(R"({"meta": {"dt": "2020-04-02T19:11:20.942Z"}, "s": "abc", "n": 12345, "f": 3.25, "e": "b",
      "m": {"x": "1", "y\u0041": "2"}, "l": ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"], "any": {}})");
  Validation validation;
  EventPatch splice;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(schema->validate(event.value(), validation));
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) {
    schema->add_defaults(event.value(), splice);
    schema->validate(event.value(), validation);
  }
  EXPECT_EQ(allocations - before, 0u);
}
#endif

TEST(CompiledSchema, ThreadsMayShareIt) {
  const auto schema =
      compiled(R"({"properties": {"a": {"pattern": "^x+$"}, "b": {"$ref": "#"}}, "uniqueItems": true})");
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        right += validated(*schema, R"({"b": {"a": "xxx"}})").valid();
        right += !validated(*schema, R"({"b": {"a": "y"}})").valid();
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 1600);
}

}  // namespace
}  // namespace eventgate
