#include <gtest/gtest.h>

#include <algorithm>

#include "support/validated_event.hpp"

// Keys found in tables, through objects whose properties they are.

namespace eventgate {
namespace {

/// A schema under which exactly the objects of `keys` are valid: each property is the number of its key.
std::string schema_of(const std::vector<std::string>& keys) {
  nlohmann::ordered_json properties = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < keys.size(); ++i) properties[keys[i]] = {{"const", i}};
  return nlohmann::ordered_json({{"additionalProperties", false}, {"required", keys}, {"properties", properties}})
      .dump();
}

std::string event_of(const std::vector<std::string>& keys) {
  nlohmann::ordered_json event = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < keys.size(); ++i) event[keys[i]] = i;
  return event.dump();
}

void expect_each_found(const std::vector<std::string>& keys, std::size_t step = 1) {
  const auto schema = compiled(schema_of(keys));
  EXPECT_EQ(errors_json(validated(*schema, event_of(keys)).errors).dump(), "[]");
  for (std::size_t i = 0; i < keys.size(); i += step) {
    const std::string& key = keys[i];
    for (const std::string& other : {key + "x", key.substr(0, key.size() / 2), "x" + key}) {
      if (std::find(keys.begin(), keys.end(), other) != keys.end()) continue;
      const auto errors = validated(*schema, nlohmann::ordered_json({{other, 0}}).dump()).errors;
      ASSERT_TRUE(std::any_of(errors.begin(), errors.end(), [&](const ValidationError& error) {
        return error.params == nlohmann::ordered_json({{"additionalProperty", other}}).dump();
      })) << other;
    }
  }
}

TEST(KeyTable, FindsKeysOfEverySize) {
  std::vector<std::string> keys = {""};
  for (std::size_t size = 1; size <= 60; ++size) keys.push_back(std::string(size, 'a'));
  expect_each_found(keys);
}

TEST(KeyTable, KeysDifferInOneByte_EachIsFound) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < 40; ++i) {
    keys.emplace_back(40, 'a');
    keys.back()[i] = 'b';
  }
  expect_each_found(keys);
}

TEST(KeyTable, FindsThousandsOfKeys) {
  std::vector<std::string> keys;
  for (int i = 0; i < 3000; ++i) keys.push_back("key_" + std::to_string(i * 7919) + "_of_many");
  expect_each_found(keys, 97);
}

TEST(KeyTable, FindsKeysThatAreEscapedInTheEvent) {
  const auto schema = compiled(schema_of({"ab\xC3\xA9", "a_long_key_with_an_escape_in_it"}));
  EXPECT_TRUE(validated(*schema, R"({"\u0061b\u00e9": 0, "a_long_key_with_an_\u0065scape_in_it": 1})").valid());
}

TEST(KeyTable, FindsTheStringsOfAnEnum) {
  nlohmann::ordered_json values = {5, nullptr};
  for (int i = 0; i < 500; ++i)
    values.push_back("value " + std::to_string(i) + (i % 2 ? "" : " of an enum that is long"));
  const auto schema = compiled(nlohmann::ordered_json({{"enum", values}}).dump());
  for (const auto& value : values) EXPECT_TRUE(validated(*schema, value.dump()).valid()) << value;
  for (const char* other : {"\"value\"", "\"value 500\"", "\"5\"", "6", "true", "\"\"", "[]"})
    EXPECT_FALSE(validated(*schema, other).valid()) << other;
}

}  // namespace
}  // namespace eventgate
