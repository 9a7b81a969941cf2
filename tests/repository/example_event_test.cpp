#include "repository/example_event.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace eventgate {
namespace {

std::string example(const std::string& schema) {
  const auto event = example_event(js_value(nlohmann::ordered_json::parse(schema)), "/a/1.0.0");
  return event ? plain_json(*event).dump() : "none";
}

TEST(ExampleEvent, HasEveryField) {
  EXPECT_EQ(
      example(R"({"type": "object", "properties": {
      "$schema": {"type": "string"}, "dt": {"type": "string", "format": "date-time", "maxLength": 128},
      "kind": {"type": "string", "enum": ["x", "y"]}, "one": {"const": 1}, "given": {"type": "string", "default": "d"},
      "list": {"type": "array", "items": {"type": "boolean"}}, "map": {"type": "object", "additionalProperties": {"type": "string"}},
      "inner": {"type": "object", "properties": {"s": {"type": "string"}}}}})"),
      R"({"$schema":"/a/1.0.0","dt":"2021-01-01T00:00:00.0Z","kind":"x","one":1,"given":"d","list":[true],"map":{},)"
      R"("inner":{"s":"example"}})");
}

TEST(ExampleEvent, KeepsToBounds) {
  EXPECT_EQ(example(R"({"type": "object", "properties": {
      "a": {"type": "integer", "minimum": 1, "maximum": 9007199254740991}, "b": {"type": "integer", "maximum": -1},
      "c": {"type": "number", "exclusiveMinimum": 0}, "d": {"type": "integer", "minimum": 4, "multipleOf": 3},
      "e": {"type": "integer", "exclusiveMaximum": 0}, "s": {"type": "string", "minLength": 9},
      "t": {"type": "string", "maxLength": 3}}})"),
            R"({"a":1,"b":-1,"c":1,"d":6,"e":-1,"s":"exampleee","t":"exa"})");
}

TEST(ExampleEvent, IsNoneIfItWouldBeInvalid) {
  EXPECT_EQ(
      example(R"({"type": "object", "properties": {"a": {"type": "string", "pattern": "^[0-9]+$", "maxLength": 3}}})"),
      "none");
  EXPECT_EQ(example(R"({"type": "object", "required": ["ghost"]})"), "none");
}

}  // namespace
}  // namespace eventgate
