#include "eventgate/repository/typescript.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

/// The type of the property `a` whose schema is `schema`, in one line.
std::string type_of(const std::string& schema) {
  const Json event = {{"properties", {{"a", Json::parse(schema)}}}, {"required", {"a"}}};
  const std::string text = typescript_interface("T", event, "/t/1.0.0", "$schema");
  const std::size_t begin = text.find("a: ") + 3;
  std::string line;
  for (const char c : text.substr(begin, text.rfind(";\n  $schema") - begin))
    if (c != '\n') line += c;
  return line;
}

TEST(Typescript, AnInterfaceHasDescriptionsAndOptionalMembers) {
  EXPECT_EQ(typescript_interface("Order", Json::parse(R"({
              "description": "An order.", "type": "object", "required": ["total", "$schema"],
              "properties": {
                "$schema": {"type": "string"},
                "total": {"type": "number", "description": "In */ euros.\n"},
                "with-dash": {"type": "boolean"},
                "meta": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}}})"),
                                 "/shop/order/1.0.0", "$schema"),
            "/** An order. */\n"
            "export interface Order {\n"
            "  $schema: '/shop/order/1.0.0';\n"
            "  /** In * / euros. */\n"
            "  total: number;\n"
            "  'with-dash'?: boolean;\n"
            "  meta?: {\n"
            "    id: string;\n"
            "  };\n"
            "}\n");
}

TEST(Typescript, EachKindOfSchemaHasItsType) {
  EXPECT_EQ(type_of(R"({"type": "integer"})"), "number");
  EXPECT_EQ(type_of(R"({"type": "null"})"), "null");
  EXPECT_EQ(type_of(R"({"type": ["string", "null"]})"), "string | null");
  EXPECT_EQ(type_of(R"({"type": "array", "items": {"type": ["string", "integer"]}})"), "(string | number)[]");
  EXPECT_EQ(type_of(R"({"type": "array"})"), "unknown[]");
  EXPECT_EQ(type_of(R"({"enum": ["a", "it's", 1, true, null, [1]]})"), "'a' | 'it\\'s' | 1 | true | null | unknown");
  EXPECT_EQ(type_of(R"({"const": "x"})"), "'x'");
  EXPECT_EQ(type_of(R"({"type": "object"})"), "{ [key: string]: unknown }");
  EXPECT_EQ(type_of(R"({"type": "object", "additionalProperties": {"type": "string"}})"),
            "{    [key: string]: string;  }");
  EXPECT_EQ(type_of(R"({"properties": {"b": {"type": "string"}}})"), "{    b?: string;  }");
  EXPECT_EQ(type_of(R"({"oneOf": [{"type": "string"}, {"type": "integer"}]})"), "string | number");
  EXPECT_EQ(type_of(R"({"allOf": [{"properties": {"b": {"type": "string"}}}, {"required": ["b"]}]})"),
            "{    b?: string;  }");
  // A schema that only narrows says nothing that a type can say.
  EXPECT_EQ(type_of(R"({"type": "string", "anyOf": [{"minLength": 1}, {"maxLength": 0}]})"), "string");
  EXPECT_EQ(type_of(R"({"$ref": "#"})"), "unknown");
  EXPECT_EQ(type_of("true"), "unknown");
  EXPECT_EQ(type_of("false"), "never");
  EXPECT_EQ(type_of("{}"), "unknown");
}

TEST(Typescript, AVeryDeepSchemaEndsInUnknown) {
  std::string schema = R"({"type": "string"})";
  for (int depth = 0; depth < 100; ++depth) schema = R"({"type": "array", "items": )" + schema + "}";
  EXPECT_THAT(type_of(schema), testing::StartsWith("unknown[]"));
}

TEST(Typescript, NamesAndLiterals) {
  EXPECT_EQ(typescript_name("analytics/link_hover"), "AnalyticsLinkHover");
  EXPECT_EQ(typescript_name("2fa/Try-it"), "Schema2faTryIt");
  EXPECT_EQ(typescript_name("///"), "Schema");
  EXPECT_EQ(typescript_literal("a'b\"c\\d\ne"), R"('a\'b"c\\d\ne')");
}

}  // namespace
}  // namespace eventgate
