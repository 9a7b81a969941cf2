#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "gate/gate_harness.hpp"

// What is no schema, or none that may be used: a clear error that names the schema, and where it is wrong, the same
// every time.

namespace eventgate {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

/// The error that events of this schema get: twice from one gate, and from another.
std::string error_of(const std::string& schema) {
  std::string first;
  for (int i = 0; i < 2; ++i) {
    GateOptions options;
    options.stream_field = {FieldPath("meta.stream")};
    GateHarness gate(std::move(options));
    gate.put_schema("/bad/1.0.0", schema);
    for (int j = 0; j < 2; ++j) {
      const std::string error = gate.error(R"({"$schema":"/bad/1.0.0","meta":{"stream":"s"}})");
      if (first.empty()) first = error;
      EXPECT_EQ(error, first);
    }
  }
  static const std::string kStart = "Failed loading schema at /bad/1.0.0: ";
  EXPECT_TRUE(first.starts_with(kStart)) << first;
  return first.starts_with(kStart) ? first.substr(kStart.size()) : first;
}

TEST(Hygiene, EveryErrorSaysWhereTheSchemaIsWrongAndWhatWasExpected) {
  struct Bad {
    std::string schema;
    std::string error;
  };
  const std::vector<Bad> all = {
      // The text.
      {"", "expected a JSON or YAML object, found nothing"},
      {"{",
       "expected JSON or YAML, but as JSON: parse error at line 1, column 2: syntax error while parsing object key - "
       "unexpected end of input; expected string literal"},
      {"a: 'x", "expected JSON or YAML, but line 2, column 1: a quoted scalar is not closed"},
      {"a:\n\tb: 1",
       "expected JSON or YAML, but line 2, column 3: illegal map value; expected spaces as indentation, found a tab"},
      {"- a", "expected a JSON or YAML object, found an array"},
      {R"({"properties": {"a": {}, "a": {}}})", "expected each key once in an object, found a second '/properties/a'"},
      {"properties:\n  a: {}\n  a: {}\n",
       "line 3, column 3: expected each key once in a mapping, found a second '/properties/a'"},
      {"a: \xFF", "expected valid UTF-8, found something else at line 1, column 4"},
      {"a: &a [*a]", "line 1, column 8: expected an alias of a finished node, found one of its parent"},
      {repeated("{\"not\":", 100) + "{}" + repeated("}", 100),
       "expected at most 64 levels of objects and arrays, found more at '" + repeated("/not", 64) + "'"},
      // The metaschema.
      {R"({"$schema": "https://json-schema.org/draft/2020-12/schema"})",
       "at #/$schema: expected http://json-schema.org/draft-04/schema#, .../draft-06/schema# or .../draft-07/schema#, "
       "found 'https://json-schema.org/draft/2020-12/schema'"},
      {R"({"properties": {"a/b": {"type": "strin"}}})",
       "at #/properties/a~1b/type: expected array, boolean, integer, null, number, object or string, or a non-empty "
       "array of different ones"},
      {R"({"properties": {"a": {"multipleOf": 0}}})", "at #/properties/a/multipleOf: expected a number greater than 0"},
      {R"({"properties": {"a": {"required": ["x", "x"]}}})", "at #/properties/a/required: expected each item once"},
      // The secure metaschema.
      {R"({"properties": {"a": {"pattern": "^a"}}})",
       "at #/properties/a: expected maxLength beside pattern (json-schema-secure; allow_insecure_schemas lifts it)"},
      {R"({"properties": {"a": {"format": "date-time"}}})",
       "at #/properties/a: expected maxLength beside format (json-schema-secure; allow_insecure_schemas lifts it)"},
      {R"({"properties": {"a": {"uniqueItems": true}}})",
       "at #/properties/a: expected maxItems beside uniqueItems of objects or arrays (json-schema-secure; "
       "allow_insecure_schemas lifts it)"},
      {R"({"patternProperties": {"^a": {}}})",
       "at #: expected propertyNames with a maxLength beside patternProperties (json-schema-secure; "
       "allow_insecure_schemas lifts it)"},
      // What is compiled.
      {R"({"properties": {"a": {"format": "iri", "maxLength": 9}}})",
       "#/properties/a/format is 'iri', an unknown format: expected one of date, time, date-time, uri, uri-reference, "
       "uri-template, url, email, hostname, ipv4, ipv6, regex, uuid, json-pointer, json-pointer-uri-fragment, "
       "relative-json-pointer"},
      {R"({"properties": {"a": {"pattern": "a(?=b)c", "maxLength": 9}}})",
       "#/properties/a/pattern is 'a(?=b)c', which has look-ahead: expected only what RE2 can do"},
      {R"({"properties": {"a": {"pattern": "(a)\\1", "maxLength": 9}}})",
       "#/properties/a/pattern is '(a)\\1', which has a back-reference: expected only what RE2 can do"},
      {R"({"properties": {"a": {"pattern": "(", "maxLength": 9}}})",
       "#/properties/a/pattern is '(', which is no regular expression: expected a ')' for each '('"},
      {R"({"properties": {"a": {"pattern": "((a{100}){100}){100}", "maxLength": 9}}})",
       "#/properties/a/pattern is '((a{100}){100}){100}', which RE2 does not take (invalid repetition size: {100}): "
       "expected a smaller or simpler pattern"},
      {R"({"patternProperties": {"[": {}}, "propertyNames": {"maxLength": 9}})",
       "#/patternProperties/%5B is '[', which is no regular expression: expected a ']' for each '['"},
      // References.
      {R"({"properties": {"a": {"$ref": "#/definitions/x"}}})",
       "#/properties/a/$ref is '#/definitions/x', which leads nowhere: expected a schema at "
       "'/bad/1.0.0#/definitions/x'"},
      {R"({"properties": {"a": {"$ref": "/nowhere/1.0.0"}}})",
       "#/properties/a/$ref leads to '/nowhere/1.0.0', which cannot be read: /nowhere/1.0.0 is in none of "
       "schema_base_uris"},
      {R"({"properties": {"a": {"$ref": "/test/1.0.0#/definitions/x"}}})",
       "#/properties/a/$ref is '/test/1.0.0#/definitions/x', which leads nowhere: expected a schema at "
       "'/test/1.0.0#/definitions/x'"},
      {R"({"properties": {"a": {"$ref": "http://127.0.0.1:1/x"}}})",
       "#/properties/a/$ref leads to 'http://127.0.0.1:1/x', which cannot be read: expected the path of a schema in "
       "the "
       "schema repositories, found 'http://127.0.0.1:1/x'"},
      {R"({"$ref": "#"})", "# leads back to itself on the same value: expected a $ref inside a property or an item"},
      {R"({"definitions": {"x": {"$ref": "#/definitions/y"}, "y": {"$ref": "#/definitions/x"}}, "properties": {"a": {"$ref": "#/definitions/x"}}})",
       "#/properties/a/$ref leads through more than 64 references"},
      {R"({"allOf": [{"$ref": "#"}]})",
       "#/allOf/0 leads back to itself on the same value: expected a $ref inside a property or an item"},
      {R"({"properties": {"a": {"default": {}, "$ref": "#"}, "b": {"type": "object", "default": {}, "properties": {"c": {"default": {}}}}}})",
       "#/properties/a has a default that makes itself again, without end"},
      // Defaults.
      {R"({"definitions": {"n": {"properties": {"next": {"allOf": [{"$ref": "#/definitions/n"}], "default": {}}}}}, "properties": {"a": {"$ref": "#/definitions/n"}}})",
       "#/definitions/n/properties/next has a default that makes itself again, without end"},
  };
  for (const Bad& bad : all) {
    EXPECT_EQ(error_of(bad.schema), bad.error) << bad.schema.substr(0, 200);
  }
}

}  // namespace
}  // namespace eventgate
