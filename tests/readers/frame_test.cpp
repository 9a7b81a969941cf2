#include "eventgate/readers/frame.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace eventgate {
namespace {

Frame frame(std::optional<std::string> value, std::optional<std::string> key = {}) {
  SourceRecord record;
  record.partition = 3;
  record.offset = 12;
  record.timestamp = 77;
  record.key = std::move(key);
  record.value = std::move(value);
  return make_frame("eqiad.x", record, nullptr);
}

std::string sent(const std::string& value, std::optional<std::string> key = {}) {
  return std::string(frame(value, std::move(key)).event());
}

constexpr const char* kPlace = R"("topic":"eqiad.x","partition":3,"offset":12)";

TEST(Frame, HasThePlaceOfTheRecord) {
  const Frame made = frame(R"({"meta":{}})");
  EXPECT_EQ(made.partition, 3);
  EXPECT_EQ(made.offset, 12);
  EXPECT_EQ(made.timestamp, 77);
  EXPECT_EQ(made.text, std::string(R"({"meta":{)") + kPlace + "}}\n\n\r\n");
}

TEST(Frame, SplicesTopicPartitionAndOffsetIntoMeta) {
  EXPECT_EQ(sent(R"({"meta":{"id":"a"},"x":1})"), std::string(R"({"meta":{"id":"a",)") + kPlace + R"(},"x":1})");
  EXPECT_EQ(sent(R"({"meta":{"id":"a","topic":"claimed","offset":[9]},"x":1})"),
            R"({"meta":{"id":"a","topic":"eqiad.x","offset":12,"partition":3},"x":1})");
  EXPECT_EQ(sent(R"({"meta":{"topic":1,"top\u0069c":2}})"),
            R"({"meta":{"topic":"eqiad.x","top\u0069c":"eqiad.x","partition":3,"offset":12}})");
}

TEST(Frame, MakesMetaThatIsAbsentOrNull) {
  EXPECT_EQ(sent("{}"), std::string(R"({"meta":{)") + kPlace + "}}");
  EXPECT_EQ(sent(R"({"no":"meta"})"), std::string(R"({"no":"meta","meta":{)") + kPlace + "}}");
  EXPECT_EQ(sent(R"({"meta":null,"x":1})"), std::string(R"({"meta":{)") + kPlace + R"(},"x":1})");
}

TEST(Frame, LeavesMetaThatIsNoObject) {
  for (const char* const event :
       {R"({"meta":"a string"})", R"({"meta":[1],"x":1})", R"({"meta":5})", R"({"meta":true})"})
    EXPECT_EQ(sent(event), event);
}

TEST(Frame, TheLastMetaCounts) {
  EXPECT_EQ(sent(R"({"meta":{"a":1},"meta":{"b":2}})"),
            std::string(R"({"meta":{"a":1},"meta":{"b":2,)") + kPlace + "}}");
}

TEST(Frame, TheKeyIsAString) {
  EXPECT_EQ(sent(R"({"meta":{}})", R"({"k":1})"), std::string(R"({"meta":{)") + kPlace + R"(,"key":"{\"k\":1}"}})");
  EXPECT_EQ(sent(R"({"meta":{}})", ""), std::string(R"({"meta":{)") + kPlace + R"(,"key":""}})");
  EXPECT_EQ(sent(R"({"meta":{"key":"claimed"}})", "\xff\n"),
            "{\"meta\":{\"key\":\"\uFFFD\\n\"," + std::string(kPlace) + "}}");
  EXPECT_EQ(sent(R"({"meta":{"key":"claimed"}})"), std::string(R"({"meta":{"key":"claimed",)") + kPlace + "}}");
}

TEST(Frame, AllOtherBytesAreThoseOfTheRecord) {
  const std::string rest =
      R"(,"i53":9007199254740993,"f":1.0,"e":1e2,"big":1e400,"neg0":-0,"a":1,"a":2,"2":"x","1":"y","s":"\u00e9\/ \ud800",)"
      "\"raw\":\"\x7f\u2028\"";
  EXPECT_EQ(sent(R"({"meta":{})" + rest + "}"), std::string(R"({"meta":{)") + kPlace + "}" + rest + "}");
}

TEST(Frame, IsOneLine) {
  EXPECT_EQ(sent("\r\n{\n  \"meta\": {\n\n    \"id\": \"a\"\r\n  },\r  \"x\": 1\n}\n"),
            "{   \"meta\": {     \"id\": \"a\"," + std::string(kPlace) + "   },   \"x\": 1 }");
}

TEST(Frame, BytesThatAreNoUtf8BecomeReplacementCharacters) {
  EXPECT_EQ(sent("{\"meta\":{},\"t\":\"\xbf\xfe\xc3(\"}"),
            std::string(R"({"meta":{)") + kPlace + "},\"t\":\"\uFFFD\uFFFD\uFFFD(\"}");
  // A code point that is cut short is one error, as in a browser.
  EXPECT_EQ(sent("{\"\xe2\x82\":1,\"meta\":{}}"), "{\"\uFFFD\":1,\"meta\":{" + std::string(kPlace) + "}}");
}

TEST(Frame, AByteOrderMarkIsNotSent) { EXPECT_EQ(sent("\xef\xbb\xbf{\"meta\":5}"), R"({"meta":5})"); }

TEST(Frame, WhatIsNoEventHasItsCause) {
  EXPECT_EQ(frame(std::nullopt).skip, SkipCause::null_value);
  EXPECT_EQ(frame("").skip, SkipCause::empty_value);
  EXPECT_EQ(frame(" \n").skip, SkipCause::empty_value);
  for (const char* const text : {"this is not JSON", "{\"truncated\": ", "{} {}", "a: 1", "{\"a\":NaN}", "{\"a\":1,}"})
    EXPECT_EQ(frame(text).skip, SkipCause::not_json) << text;
  for (const char* const text : {"42", "\"text\"", "null", "true", "[1,{\"a\":2}]", "[]"})
    EXPECT_EQ(frame(text).skip, SkipCause::not_object) << text;
  EXPECT_EQ(frame("").event(), "");
}

TEST(Frame, MoreThan128LevelsAreTooDeep) {
  const auto nested = [](std::size_t levels) {
    return "{\"a\":" + std::string(levels - 1, '[') + std::string(levels - 1, ']') + "}";
  };
  EXPECT_EQ(frame(nested(128)).skip, SkipCause::none);
  EXPECT_EQ(frame(nested(129)).skip, SkipCause::too_deep);
  EXPECT_EQ(frame(nested(100'000)).skip, SkipCause::too_deep);
  EXPECT_EQ(frame(std::string(100'000, '[')).skip, SkipCause::not_json);
}

TEST(Frame, CauseNamesDiffer) {
  EXPECT_EQ(skip_cause_name(SkipCause::too_deep), "too_deep");
  EXPECT_EQ(skip_cause_name(SkipCause::not_redacted), "not_redacted");
}

TEST(Frame, MetaDomainTellsCanaryEvents) {
  EXPECT_TRUE(frame(R"({"meta":{"domain":"canary"}})").canary);
  EXPECT_TRUE(frame(R"({"meta":{"domain":"can\u0061ry"}})").canary);
  EXPECT_FALSE(frame(R"({"meta":{"domain":"canary.org"}})").canary);
  EXPECT_FALSE(frame(R"({"domain":"canary","meta":{}})").canary);
}

TEST(Frame, ALargeRecordIsSentWhole) {
  const std::string text(3 << 20, 'x');
  EXPECT_EQ(sent(R"({"meta":5,"t":")" + text + "\"}"), R"({"meta":5,"t":")" + text + "\"}");
}

}  // namespace
}  // namespace eventgate
