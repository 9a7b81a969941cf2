#include "eventgate/schema/compiled_schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>

#include "support/schema_results.hpp"
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

TEST(CompiledSchema, ReturnsIntegersWithFractionOrExponent) {
  const auto schema = compiled(
      R"({"properties": {"a": {"type": "integer"}, "b": {"type": "number"}}, "allOf": [{"properties": {"a": {"type": "integer"}}}]})");
  EXPECT_THAT(validated(*schema, R"({"a": 1.0, "b": 2.0})").integers, ElementsAre("1.0"));
  EXPECT_THAT(validated(*schema, R"({"a": 1e2})").integers, ElementsAre("1e2"));
  EXPECT_THAT(validated(*schema, R"({"a": 1})").integers, ElementsAre());
  EXPECT_THAT(validated(*schema, R"({"a": 1.0, "b": "x"})").integers, ElementsAre());
}

TEST(CompiledSchema, ReturnsItsUriAndTitle) {
  EXPECT_EQ(compiled(R"({"title": "a/b"})", {}, "/a/b/1.0.0")->uri(), "/a/b/1.0.0");
  EXPECT_EQ(compiled(R"({"title": "a/b"})")->title(), "a/b");
  EXPECT_EQ(compiled(R"({"title": 5})")->title(), std::nullopt);
  EXPECT_EQ(compiled("true")->title(), std::nullopt);
}

// Hostile events.

TEST(CompiledSchema, DeepestEventUnderARecursiveSchema_IsValidated) {
  const auto schema = compiled(R"({"allOf": [{"anyOf": [{"$ref": "#/definitions/n"}]}],
      "definitions": {"n": {"items": {"allOf": [{"oneOf": [{"$ref": "#"}]}]}, "type": "array"}}})");
  EXPECT_TRUE(validated(*schema, std::string(128, '[') + std::string(128, ']')).valid());
  EXPECT_FALSE(validated(*schema, std::string(127, '[') + "1" + std::string(127, ']')).valid());
}

TEST(CompiledSchema, DeepestRecursionFitsTheStack) {
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

TEST(CompiledSchema, TreeOfReferencesIsValidatedOncePerValue) {
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

TEST(CompiledSchema, DoublingChainOfDefinitionsIsValidatedOncePerValue) {
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
TEST(CompiledSchema, ValidEventAllocatesNothingOnceMemoryHasGrown) {
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

TEST(CompiledSchema, ThreadsValidateAtOnce_ResultsAgree) {
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
