#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "gate/gate_harness.hpp"
#include "support/validated_event.hpp"

// Where validation differs from AJV 6 on purpose. AJV's own answer, as npm's ajv@6 gives it with allErrors and
// useDefaults, stands beside ours.

namespace eventgate {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

struct Difference {
  const char* schema;
  const char* event;
  bool ajv_finds_it_valid;
  const char* our_errors;  ///< Empty: valid.
};

void expect(const std::vector<Difference>& differences) {
  for (const Difference& one : differences) {
    const std::string found = errors_text(validated(*compiled(one.schema), one.event).errors);
    EXPECT_EQ(found, one.our_errors) << one.schema << ' ' << one.event;
    EXPECT_NE(found.empty(), one.ajv_finds_it_valid) << "no difference: " << one.schema << ' ' << one.event;
  }
}

/// A gate with the schema /own/1.0.0, titled `own`.
std::unique_ptr<GateHarness> gate_with(const std::string& schema) {
  GateOptions options;
  options.stream_field = {FieldPath("meta.stream")};
  auto gate = std::make_unique<GateHarness>(std::move(options));
  gate->put_schema("/own/1.0.0", schema);
  return gate;
}

// JSON.parse keeps the last of two members of one name, so AJV never sees the first; another reader may.
TEST(OnPurpose, AKeyThatTheSchemaKnowsOccursOnce) {
  constexpr const char* kSchema = R"({"properties": {"meta": {"properties": {"id": {"type": "string"}}}}})";
  expect({{kSchema, R"({"meta": {"id": 1, "id": "x"}})", true, "'.meta' should NOT have duplicate key 'id'"},
          {kSchema, R"({"meta": {"id": "x", "\u0069d": "x"}})", true, "'.meta' should NOT have duplicate key 'id'"},
          {kSchema, R"({"meta": {}, "meta": {"id": "x"}})", true, "'' should NOT have duplicate key 'meta'"}});
  EXPECT_EQ(errors_json(validated(*compiled(kSchema), R"({"meta": {"id": 1, "id": "x"}})").errors),
            ordered_json::parse(R"([{"keyword": "duplicateKey", "dataPath": ".meta", "schemaPath": "#/properties/meta",
                                     "params": {"key": "id"}, "message": "should NOT have duplicate key 'id'"}])"));
  // To every other rule the last value counts, as in JavaScript; a key that the schema does not know may come again.
  EXPECT_EQ(errors_text(validated(*compiled(kSchema), R"({"meta": {"id": "x", "id": 1}})").errors),
            "'.meta.id' should be string, '.meta' should NOT have duplicate key 'id'");
  EXPECT_TRUE(validated(*compiled(kSchema), R"({"meta": {"x": 1, "x": 2}})").valid());
}

// JavaScript rounds integers beyond 2^53 before AJV compares them, and makes Infinity of 1e400.
TEST(OnPurpose, IntegersCompareExactlyAtAnyLength) {
  expect(
      {{R"({"maximum": 9007199254740992})", "9007199254740993", true, "'' should be <= 9007199254740992"},
       {R"({"exclusiveMinimum": 9007199254740992})", "9007199254740993", false, ""},
       {R"({"enum": [9007199254740993]})", "9007199254740992", true, "'' should be equal to one of the allowed values"},
       {R"({"const": 123456789012345678901234567890})", "123456789012345678901234567891", true,
        "'' should be equal to constant"},
       {R"({"uniqueItems": true})", "[9007199254740992, 9007199254740993]", false, ""}});
}

// JavaScript rounds these numbers to doubles that are integers.
TEST(OnPurpose, AnIntegerIsOneByItsDecimalValue) {
  expect({{R"({"type": "integer"})", "1.0000000000000000000001", true, "'' should be integer"},
          {R"({"type": "integer"})", "1e-400", true, "'' should be integer"},
          {R"({"type": "integer"})", "9007199254740991.4", true, "'' should be integer"},
          {R"({"type": ["string", "integer"]})", "-9007199254740993.5", true, "'' should be string,integer"},
          {R"({"maximum": 1})", "1.0000000000000000000001", true, "'' should be <= 1"},
          {R"({"exclusiveMinimum": 0})", "1e-400", false, ""},
          {R"({"const": 0})", "1e-400", true, "'' should be equal to constant"},
          {R"({"enum": [9007199254740991]})", "9007199254740991.4", true,
           "'' should be equal to one of the allowed values"},
          {R"({"multipleOf": 1})", "9007199254740991.4", true, "'' should be multiple of 1"},
          {R"({"uniqueItems": true})", "[1, 1.0000000000000000000001]", false, ""}});
}

// AJV divides floats.
TEST(OnPurpose, MultipleOfIsExactOnDecimals) {
  expect({{R"({"multipleOf": 0.1})", "0.3", false, ""},
          {R"({"multipleOf": 0.01})", "0.29", false, ""},
          {R"({"multipleOf": 0.01})", "4.35", false, ""},
          {R"({"multipleOf": 3})", "9007199254740993", false, ""},
          {R"({"multipleOf": 2})", "9007199254740993", true, "'' should be multiple of 2"}});
  EXPECT_FALSE(validated(*compiled(R"({"multipleOf": 0.1})"), "0.35").valid());
}

// To AJV a member is there if JavaScript's objects have it.
TEST(OnPurpose, OnlyMembersOfTheEventAreThere) {
  expect({{R"({"required": ["toString"]})", "{}", true, "'' should have required property 'toString'"},
          {R"({"properties": {"constructor": {"type": "number"}}})", "{}", false, ""},
          {R"({"dependencies": {"valueOf": ["x"]}})", "{}", false, ""}});
}

// JavaScript matches UTF-16 units, RE2 code points: characters beyond U+FFFF are two to the one and one to the other.
TEST(OnPurpose, PatternsMatchCodePoints) {
  expect({{R"({"pattern": "^.$"})", "\"\U0001F600\"", false, ""},
          {R"({"pattern": "^..$"})", R"("\ud83d\ude00")", true, "'' should match pattern \"^..$\""},
          {R"({"patternProperties": {"^[^a]$": false}})", "{\"\U0001F600\": 1}", true,
           "'['\U0001F600']' boolean schema is false"}});
}

// AJV forgets that it is inside an anyOf, oneOf, not, if, contains or propertyNames once it calls what a $ref leads to
// (a schema with a $ref in it; others are inlined), and adds defaults to the event for a branch that may not hold.
TEST(OnPurpose, BranchesAddNoDefaultsThroughAReference) {
  const std::string definitions =
      R"("definitions": {"x": {"properties": {"a": {"type": "string", "default": 1}, "b": {"$ref": "#/definitions/y"}}},
                                                     "y": {"type": "null"}})";
  const std::string any_of = R"({"anyOf": [{"$ref": "#/definitions/x"}], )" + definitions + "}";
  const std::string condition = R"({"if": {"$ref": "#/definitions/x"}, "else": false, )" + definitions + "}";
  expect({{any_of.c_str(), "{}", false, ""}, {condition.c_str(), "{}", false, ""}});
  EXPECT_EQ(validated(*compiled(any_of), "{}").event, "{}");
}

// AJV adds defaults while it judges, so a rule that ran before does not see them, and what it accepts may be invalid
// once it is produced. Here an event is completed, then judged as it will be produced.
TEST(OnPurpose, WhatIsJudgedIsTheEventAsCompleted) {
  expect({{R"({"additionalProperties": false, "allOf": [{"properties": {"x": {"default": 1}}}]})", "{}", true,
           "'' should NOT have additional properties"},
          {R"({"allOf": [{"required": ["x"]}, {"properties": {"x": {"default": 1}}}]})", "{}", false, ""}});
}

// AJV fills in the second item and leaves a hole before it, which is undefined to it and null to readers.
TEST(OnPurpose, AHoleOfATupleIsJudgedAsTheNullThatIsProduced) {
  expect({{R"({"items": [{"type": "null"}, {"default": 1}]})", "[]", false, ""},
          {R"({"items": [{"enum": [null]}, {"default": 1}]})", "[]", false, ""},
          {R"({"items": [{"not": {"type": "null"}}, {"default": 1}]})", "[]", true, "'[0]' should NOT be valid"}});
  EXPECT_EQ(validated(*compiled(R"({"items": [{}, {"default": 1}]})"), "[]").event, "[null,1]");
}

// AJV compiles what a $ref leads to once. If it does so inside a `not`, it compiles it to stop at the first error: here
// it names `.p.a` alone, in this schema and in every later one that refers to the same place.
TEST(OnPurpose, AReferenceInsideANotListsEveryErrorElsewhere) {
  const auto schema =
      compiled(R"({"properties": {"n": {"not": {"$ref": "#/definitions/x"}}, "p": {"$ref": "#/definitions/x"}},
      "definitions": {"x": {"properties": {"a": {"type": "string"}, "b": {"type": "string"}, "c": {"$ref": "#/definitions/y"}}},
                      "y": {}}})");
  EXPECT_EQ(errors_text(validated(*schema, R"({"p": {"a": 1, "b": 1}})").errors),
            "'.p.a' should be string, '.p.b' should be string");
}

// AJV skips an empty token, RFC 6901 takes it for the key "".
TEST(OnPurpose, AnEmptyTokenOfAPointerMakesTheSchemaUnusable) {
  const auto gate = gate_with(R"({"title": "own", "properties": {"a": {"$ref": "#/definitions//x"}},
                                  "definitions": {"x": {}, "": {"x": {}}}})");
  EXPECT_EQ(
      gate->error(R"({"$schema":"/own/1.0.0","meta":{"stream":"own"}})"),
      "Failed loading schema at /own/1.0.0: #/properties/a/$ref leads to the JSON pointer '/definitions//x', which has "
      "an empty token: expected a key behind each slash");
}

// AJV lists every error, however many there are.
TEST(OnPurpose, AtMostAHundredErrorsAreListed) {
  const auto schema = compiled(R"({"items": {"type": "string"}})");
  const auto array_of = [](std::size_t count) { return ordered_json(std::vector<int>(count, 1)).dump(); };
  EXPECT_EQ(validated(*schema, array_of(100)).errors.size(), 100u);
  EXPECT_EQ(validated(*schema, array_of(100)).errors.back().data_path, "[99]");
  const auto errors = errors_json(validated(*schema, array_of(150)).errors);
  ASSERT_EQ(errors.size(), 101u);
  EXPECT_EQ(errors[99]["dataPath"], "[99]");
  EXPECT_EQ(errors[100], ordered_json::parse(R"({"keyword": "maxErrors", "dataPath": "", "schemaPath": "#",
                                                 "params": {"limit": 100}, "message": "has more errors"})"));
}

// The original produces what JSON.stringify makes of its doubles.
TEST(OnPurpose, TheGateProducesTheDigitsThatWereSent) {
  const auto gate =
      gate_with(R"({"title": "own", "properties": {"$schema": {"type": "string"}, "count": {"type": "integer"}}})");
  const auto produced = [&](const std::string& members) {
    const std::string head = R"({"$schema":"/own/1.0.0","meta":{"stream":"own"},)";
    const std::string value = gate->record(head + members + "}").value;
    EXPECT_TRUE(value.starts_with(head)) << value;
    return value.substr(head.size(), value.size() - head.size() - 1);
  };
  EXPECT_EQ(produced(R"("any":[1.0,1.10,1e2,9007199254740993,123456789012345678901234567890])"),
            R"("any":[1.0,1.10,1e2,9007199254740993,123456789012345678901234567890])");
  EXPECT_EQ(produced(R"("count":1.0)"), R"("count":1)");
  EXPECT_EQ(produced(R"("count":1e2)"), R"("count":100)");
  EXPECT_EQ(produced(R"("count":9007199254740993)"), R"("count":9007199254740993)");
  EXPECT_EQ(produced(R"("count":1e30)"), R"("count":1e30)");
}

// JSON.parse makes Infinity of the number, and AJV finds it an integer.
TEST(OnPurpose, ANumberOutsideADoubleMakesItsEventInvalid) {
  const auto gate =
      gate_with(R"({"title": "own", "properties": {"$schema": {"type": "string"}, "count": {"type": "integer"}}})");
  const std::string flawed = R"({"$schema":"/own/1.0.0","meta":{"stream":"own"},"count":1e400})";
  const std::string good = R"({"$schema":"/own/1.0.0","meta":{"stream":"own"},"count":1})";
  const ProcessResult result = gate->process("[" + flawed + "," + good + "]");
  EXPECT_EQ(result.produced(), 1u);
  ASSERT_EQ(result.invalid.size(), 1u);
  EXPECT_EQ(result.invalid[0].event, json(flawed).dump());
  EXPECT_EQ(errors_json(result.invalid[0].errors),
            ordered_json::parse(R"([{"keyword": "json", "dataPath": ".count", "schemaPath": "#",
                                     "params": {"offset": )" +
                                std::to_string(flawed.find("1e400")) + R"(},
                                     "message": "should be a number within a double"}])"));
}

// Node.js makes U+FFFD of the byte, and the original produces that.
TEST(OnPurpose, AByteThatIsNoUtf8MakesItsEventInvalid) {
  const auto gate = gate_with(R"({"title": "own", "properties": {"$schema": {"type": "string"}}})");
  const std::string head = R"({"$schema":"/own/1.0.0","meta":{"stream":"own"},"x":["a)";
  const ProcessResult result = gate->process("[" + head + "\xFFz\"]}," + head + "\"]}]");
  EXPECT_EQ(result.produced(), 1u);
  ASSERT_EQ(result.invalid.size(), 1u);
  EXPECT_EQ(result.invalid[0].index, 0u);
  EXPECT_EQ(result.invalid[0].event, json(head + "\uFFFDz\"]}").dump());
  EXPECT_EQ(
      errors_json(result.invalid[0].errors),
      ordered_json::parse(R"([{"keyword": "json", "dataPath": ".x[0]", "schemaPath": "#", "params": {"offset": )" +
                          std::to_string(head.size()) + R"(}, "message": "should be valid UTF-8"}])"));
}

}  // namespace
}  // namespace eventgate
