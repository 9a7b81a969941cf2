#include "schema/json_equality.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/schema_results.hpp"
#include "support/validated_event.hpp"

namespace eventgate {
namespace {

using nlohmann::ordered_json;
using testing::ElementsAre;

TEST(JsonEquality, UniqueItems_ReportsThePairThatAjvReports) {
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

TEST(JsonEquality, UniqueItemsOfLongArraysAgreesWithPairwiseComparison) {
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

TEST(JsonEquality, UniqueItemsIsLinear) {
  std::string items = "[";
  for (int i = 0; i < 100000; ++i) items += (i ? ",1" : "1") + std::string(20, '0') + std::to_string(100000 + i);
  EXPECT_TRUE(accepts(R"({"uniqueItems": true})", items + "]"));  // all of them the same double
}

TEST(JsonEquality, ConstAndEnumCompareDeeply) {
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

TEST(JsonEquality, LargeObjectsInAnotherOrder_AreEqual) {
  ordered_json value;
  for (int i = 0; i < 50; ++i) value["key" + std::to_string(i)] = i;
  ordered_json reversed;
  for (int i = 49; i >= 0; --i) reversed["key" + std::to_string(i)] = i;
  const std::string schema = ordered_json({{"const", value}}).dump();
  EXPECT_TRUE(accepts(schema, reversed.dump()));
  reversed["key7"] = 8;
  EXPECT_FALSE(accepts(schema, reversed.dump()));
}

}  // namespace
}  // namespace eventgate
