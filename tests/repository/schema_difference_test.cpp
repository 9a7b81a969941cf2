#include "repository/schema_difference.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace eventgate {
namespace {

using nlohmann::ordered_json;

std::string difference_of(const std::string& expected, const std::string& found) {
  const auto differs = difference(ordered_json::parse(expected), ordered_json::parse(found));
  return differs ? differs->message : "";
}

TEST(SchemaDifference, IsNoneInTheOrderOfMembersAndRequired) {
  EXPECT_EQ(
      difference_of(R"({"a": 1, "b": 2.0, "required": ["a", "b"]})", R"({"b": 2, "required": ["b", "a"], "a": 1})"),
      "");
}

TEST(SchemaDifference, SaysWhereAndWhat) {
  EXPECT_EQ(difference_of(R"({"a": {"b": [1, 2]}})", R"({"a": {"b": [1, 3]}})"), "has 3 at /a/b/1, expected 2");
  EXPECT_EQ(difference_of(R"({"a": {"b": 1}})", R"({"a": {}})"), "lacks /a/b");
  EXPECT_EQ(difference_of(R"({"a": {}})", R"({"a": {"b/c": 1}})"), "has /a/b~1c, which should not be there");
  EXPECT_EQ(difference_of(R"({"required": ["a"]})", R"({"required": ["a", "b"]})"),
            R"(has ["a","b"] at /required, expected ["a"])");
  EXPECT_EQ(difference_of("1", "2"), "has 2 at /, expected 1");
}

}  // namespace
}  // namespace eventgate
