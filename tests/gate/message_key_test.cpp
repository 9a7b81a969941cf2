#include "gate/message_key.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eventgate/gate/event_batch.hpp"

namespace eventgate {
namespace {

EventBatch event(std::string text) { return std::move(*EventBatch::parse(std::move(text))); }

StreamConfig keyed_by(const std::vector<std::pair<std::string, std::string>>& fields) {
  StreamConfig config;
  for (const auto& [key, field] : fields) config.message_key_fields.emplace_back(FieldPath(key), FieldPath(field));
  return config;
}

/// The key `{"k": VALUE}`'s VALUE, made of the JSON text `value`.
std::string key_of(const std::string& value) {
  const EventBatch batch = event(R"({"f":)" + value + "}");
  const std::string key = **message_key(keyed_by({{"k", "f"}}), batch[0]);
  return key.substr(5, key.size() - 6);
}

std::string key_or_error(const StreamConfig& config, const std::string& text) {
  const EventBatch batch = event(text);
  const auto key = message_key(config, batch[0]);
  if (!key) return key.error();
  return key->value_or("no key");
}

TEST(MessageKey, IsNoneWithoutFields) { EXPECT_EQ(key_or_error(StreamConfig(), R"({"a":1})"), "no key"); }

TEST(MessageKey, HasTheFieldsInTheOrderDeclared) {
  EXPECT_EQ(key_or_error(keyed_by({{"wiki", "database"}, {"id", "page.id"}}),
                         R"({"page": {"id": 12}, "database": "enwiki"})"),
            R"({"wiki":"enwiki","id":12})");
}

TEST(MessageKey, NestsDottedKeys) {
  EXPECT_EQ(key_or_error(keyed_by({{"id", "a"}, {"inner.test", "b"}, {"inner.deep.c", "a"}}), R"({"a":1,"b":"x"})"),
            R"({"id":1,"inner":{"test":"x","deep":{"c":1}}})");
}

TEST(MessageKey, NamesTheFieldOfTheKeyThatIsMissing) {
  EXPECT_EQ(key_or_error(keyed_by({{"id", "a"}, {"inner.test", "b.c"}}), R"({"a":1,"b":2})"),
            "Failed extracting inner.test from event, field is not defined.");
}

TEST(MessageKey, TakesANull) { EXPECT_EQ(key_of("null"), "null"); }

TEST(MessageKey, WritesNumbersAsJavaScriptDoes) {
  const std::vector<std::pair<std::string, std::string>> numbers{
      {"1.0", "1"},
      {"1e2", "100"},
      {"-0", "0"},
      {"-0.0", "0"},
      {"0.1e-7", "1e-8"},
      {"123456789012345678901234567890", "1.2345678901234568e+29"},
      {"9007199254740993", "9007199254740992"},
      {"1e21", "1e+21"},
      {"1e20", "100000000000000000000"},
      {"5e-324", "5e-324"},
      {"1e-400", "0"},
      {"0.000001", "0.000001"},
      {"0.0000001", "1e-7"},
      {"-12.50", "-12.5"},
      {"1234.5678e3", "1234567.8"},
      {"-1.5e-10", "-1.5e-10"},
      {"1.7976931348623157e308", "1.7976931348623157e+308"},
      {"0.30000000000000004", "0.30000000000000004"}};
  for (const auto& [sent, written] : numbers) EXPECT_EQ(key_of(sent), written) << sent;
}

TEST(MessageKey, WritesStringsAsJavaScriptDoes) {
  EXPECT_EQ(key_of(R"("\u0041\/\b\f\n\r\t\u001f\u007f\u2028\u00e9\ud83d\ude00\"\\")"),
            "\"A/\\b\\f\\n\\r\\t\\u001f\x7f\xe2\x80\xa8\xc3\xa9\xf0\x9f\x98\x80\\\"\\\\\"");
}

TEST(MessageKey, WritesObjectsAsJavaScriptDoes) {
  EXPECT_EQ(
      key_of(R"({ "b" : 1, "2": [ true , {} , [] ], "a": {"x": null}, "1": 4, "01": 5, "4294967295": 7, "4294967294": 8,
                  "b": 9, "\u0061": 3 })"),
      R"({"1":4,"2":[true,{},[]],"4294967294":8,"b":9,"a":3,"01":5,"4294967295":7})");
}

TEST(MessageKey, WritesDeepValuesWithoutRecursion) {
  const std::string deep = std::string(60, '[') + std::string(60, ']');
  EXPECT_EQ(key_of(deep), deep);
}

}  // namespace
}  // namespace eventgate
