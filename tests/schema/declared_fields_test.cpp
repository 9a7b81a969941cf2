#include "schema/declared_fields.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/schema_results.hpp"
#include "support/validated_event.hpp"

namespace eventgate {
namespace {

TEST(DeclaredFields, ArePropertiesAlsoInAllOfAndReferences) {
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

}  // namespace
}  // namespace eventgate
