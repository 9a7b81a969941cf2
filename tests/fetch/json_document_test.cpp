#include "fetch/json_document.hpp"

#include <gtest/gtest.h>

namespace eventgate {
namespace {

TEST(JsonDocument, MembersKeepTheirOrder) {
  const JsonDocument document = parse_json_document(R"({"b":1,"a":[true,null]})", 64);
  EXPECT_EQ(document.error, "");
  EXPECT_EQ(document.value.dump(), R"({"b":1,"a":[true,null]})");
}

TEST(JsonDocument, DuplicateKeyOrTooDeep_IsNotASyntaxError) {
  const JsonDocument twice = parse_json_document(R"({"a":{"b/c":1,"b/c":2}})", 64);
  EXPECT_EQ(twice.error, "expected each key once in an object, found a second '/a/b~1c'");
  EXPECT_FALSE(twice.is_syntax_error);
  const JsonDocument deep = parse_json_document(R"({"a":[[1]]})", 2);
  EXPECT_EQ(deep.error, "expected at most 2 levels of objects and arrays, found more at '/a/0'");
  EXPECT_FALSE(deep.is_syntax_error);
}

TEST(JsonDocument, TextIsNotJson_IsASyntaxError) {
  EXPECT_TRUE(parse_json_document("a: b", 64).is_syntax_error);
  EXPECT_TRUE(parse_json_document("{} x", 64).is_syntax_error);
}

}  // namespace
}  // namespace eventgate
