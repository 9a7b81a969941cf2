#include "schema/duplicate_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/schema_results.hpp"
#include "support/validated_event.hpp"

namespace eventgate {
namespace {

using testing::ElementsAre;

TEST(DuplicateKeys, DeclaredKeyTwice_IsAnError) {
  const std::string schema = R"({"properties": {"meta": {"properties": {"id": {"type": "string"}}}}})";
  EXPECT_THAT(
      errors_of(schema, R"({"meta": {"id": "a", "\u0069d": "b"}})"),
      ElementsAre(R"(duplicateKey | .meta | #/properties/meta | {"key":"id"} | should NOT have duplicate key 'id')"));
  EXPECT_TRUE(accepts(schema, R"({"x": 1, "x": 2, "meta": {"y": 1, "y": 2}})"));
}

TEST(DuplicateKeys, LastValueIsValidated) {
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

TEST(DuplicateKeys, SimilarKeysAreDifferent) {
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

TEST(DuplicateKeys, KeyDeclaredInsideNotOrIf_IsAnErrorToo) {
  for (const char* wrapped : {R"({"not": {"required": ["z"], "properties": {"a": {}}}})",
                              R"({"anyOf": [{"properties": {"a": {}}, "minProperties": 1}]})",
                              R"({"if": {"properties": {"a": {"type": "number"}}}, "then": {"minProperties": 1}})",
                              R"({"$ref": "#/definitions/d", "definitions": {"d": {"properties": {"a": {}}}}})"})
    EXPECT_THAT(errors_of(wrapped, R"({"a": 1, "a": 2})"), ElementsAre(testing::StartsWith("duplicateKey |  |")))
        << wrapped;
  EXPECT_THAT(errors_of(R"({"allOf": [{"properties": {"a": {}}}, {"properties": {"a": {}}}]})", R"({"a": 1, "a": 2})"),
              ElementsAre(R"(duplicateKey |  | #/allOf/0 | {"key":"a"} | should NOT have duplicate key 'a')"));
}

}  // namespace
}  // namespace eventgate
