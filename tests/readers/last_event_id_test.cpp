#include "eventgate/readers/stream_position.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace eventgate {
namespace {

using testing::HasSubstr;

std::string id_of(const std::vector<StreamPosition>& positions, bool ended = false) {
  std::string text;
  append_stream_id(text, positions, ended);
  return text;
}

/// The entries as texts such as `a/0 offset 1 time 2`, or the error.
std::string entries(std::string_view text) {
  const auto id = parse_last_event_id(text);
  if (!id) return id.error();
  std::string result;
  for (const LastEventEntry& entry : id->entries) {
    if (!result.empty()) result += ", ";
    result += entry.topic;
    if (entry.partition) result += '/' + std::to_string(*entry.partition);
    if (entry.offset) result += " offset " + std::to_string(*entry.offset);
    if (entry.timestamp) result += " time " + std::to_string(*entry.timestamp);
  }
  if (id->ended) result += " ended";
  return result;
}

TEST(StreamId, HasOffsetAndTimestampOfEachPartition) {
  EXPECT_EQ(id_of({{"eqiad.x", 0, 12, 1795910400001}, {"codfw.x", 0, 0, std::nullopt}}),
            R"([{"topic":"eqiad.x","partition":0,"offset":12,"timestamp":1795910400001},)"
            R"({"topic":"codfw.x","partition":0,"offset":0}])");
  EXPECT_EQ(id_of({}), "[]");
}

TEST(StreamId, ReadsWhatItWrites) {
  const std::vector<StreamPosition> positions{{"a", 0, 9007199254740993, 1}, {"b", 2147483647, 0, std::nullopt}};
  EXPECT_EQ(entries(id_of(positions)), "a/0 offset 9007199254740993 time 1, b/2147483647 offset 0");
  EXPECT_EQ(entries(id_of(positions, true)), "a/0 offset 9007199254740993 time 1, b/2147483647 offset 0 ended");
}

TEST(LastEventId, TakesOffsetsTimestampsAndBoth) {
  EXPECT_EQ(entries(R"([{"topic":"a","partition":0,"offset":4},{"topic":"b","partition":1,"timestamp":5}])"),
            "a/0 offset 4, b/1 time 5");
  EXPECT_EQ(entries(R"([{"topic":"a","partition":0,"offset":-1,"timestamp":-2}])"), "a/0 offset -1 time -2");
  EXPECT_EQ(entries(R"([{"topic":"a","partition":0.0,"offset":1e2}])"), "a/0 offset 100");
}

TEST(LastEventId, TakesTopicNames) { EXPECT_EQ(entries(R"(["a","b\u002ec"])"), "a, b.c"); }

TEST(LastEventId, IgnoresOtherMembers) {
  EXPECT_EQ(entries(R"([{"x":{"y":[1]},"topic":"a","partition":0,"offset":5}])"), "a/0 offset 5");
}

TEST(LastEventId, NamesWhatWasExpected) {
  for (const char* const text : {"5", "null", "{}", "\"a\"", "[]", "[5]", "[null]",
                                 R"(["a",{"topic":"a","partition":0,"offset":1}])", R"([{"topic":"a","partition":0}])",
                                 R"([{"partition":0,"offset":1}])", R"([{"topic":1,"partition":0,"offset":1}])",
                                 R"([{"topic":"a","offset":1}])", "{nope", "eqiad.x", "[1] [2]", "[{\"topic\":\"a\""})
    EXPECT_THAT(entries(text), HasSubstr("expected a JSON array of {\"topic\"")) << text;
}

TEST(LastEventId, RefusesNumbersThatAreNoOffsets) {
  for (const char* const number :
       {"1.5", "\"1\"", "-3", "-2003", "9223372036854775808", "1e400", "null", "true", "[1]"}) {
    const std::string entry = R"([{"topic":"a","partition":0,"offset":)" + std::string(number) + "}]";
    EXPECT_THAT(entries(entry), HasSubstr("offset: expected a whole number")) << number;
    const std::string time = R"([{"topic":"a","partition":0,"timestamp":)" + std::string(number) + "}]";
    EXPECT_THAT(entries(time), HasSubstr("timestamp: expected a whole number")) << number;
  }
  for (const char* const number : {"-1", "2147483648", "0.5", "\"0\""}) {
    const std::string entry = R"([{"topic":"a","offset":1,"partition":)" + std::string(number) + "}]";
    EXPECT_THAT(entries(entry), HasSubstr("partition: expected a whole number from 0 to 2147483647")) << number;
  }
}

TEST(LastEventId, OfMoreThan64KilobytesIsRefused) {
  const std::string text = "[" + std::string(kMaxLastEventId, ' ') + "\"a\"]";
  EXPECT_EQ(entries(text), "expected at most 65536 bytes");
}

TEST(LastEventId, DeepJsonIsRefused) {
  EXPECT_THAT(entries(std::string(60'000, '[')), HasSubstr("at most 16 arrays and objects"));
}

}  // namespace
}  // namespace eventgate
