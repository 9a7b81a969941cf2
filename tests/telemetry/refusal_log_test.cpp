#include "telemetry/refusal_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "support/log_file.hpp"

namespace eventgate {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using Refusal = RefusalLog::Refusal;

struct RefusalLogTest : testing::Test {
  void add(const Refusal& refusal, std::chrono::steady_clock::duration at = {}) { refusals.add(refusal, start + at); }

  static Refusal refusal(std::string_view message = "'.test' should be string") {
    return {.msg = "Events are refused",
            .cause = "invalid",
            .stream = "test.event",
            .schema_uri = "/test/event/1.0.0",
            .message = message};
  }

  LogFile log;
  RefusalLog refusals;
  const std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

TEST_F(RefusalLogTest, FirstHasALineAtOnceThatNamesAll) {
  add(refusal());
  const auto line = log.line();
  EXPECT_EQ(line["level"], 40);
  EXPECT_EQ(line["msg"], "Events are refused");
  EXPECT_EQ(line["stream"], "test.event");
  EXPECT_EQ(line["schema_uri"], "/test/event/1.0.0");
  EXPECT_EQ(line["cause"], "invalid");
  EXPECT_EQ(line["message"], "'.test' should be string");
  EXPECT_EQ(line["count"], 1);
  EXPECT_EQ(line["total"], 1);
  EXPECT_EQ(line["since"].get<std::string>().size(), 24u);
  EXPECT_FALSE(line.contains("example_stream"));
}

TEST_F(RefusalLogTest, OthersOfItsKindHaveOneLineAMinuteWithTheirNumberAndTheFirstText) {
  add(refusal());
  for (int i = 0; i < 17; ++i) add(refusal(i == 0 ? "the first" : "a later one"), seconds(i));
  refusals.write_due(start + seconds(59));
  EXPECT_EQ(log.texts().size(), 1u);
  refusals.write_due(start + seconds(60));
  refusals.write_due(start + seconds(61));
  const auto lines = log.lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1]["message"], "the first");
  EXPECT_EQ(lines[1]["count"], 17);
  EXPECT_EQ(lines[1]["total"], 18);
  EXPECT_EQ(lines[1]["since"], lines[0]["since"]);
}

TEST_F(RefusalLogTest, RefusalAfterAMinuteWritesTheLineItself) {
  add(refusal());
  add(refusal("second"), seconds(10));
  add(refusal("third"), seconds(60));
  ASSERT_EQ(log.texts().size(), 2u);
  EXPECT_EQ(log.lines()[1]["message"], "second");
  EXPECT_EQ(log.lines()[1]["count"], 2);
}

TEST_F(RefusalLogTest, StreamsSchemasAndCausesAreKindsOfTheirOwn) {
  add(refusal());
  Refusal other = refusal();
  other.stream = "other.event";
  add(other);
  other.schema_uri = "/test/event/2.0.0";
  add(other);
  other.cause = "title";
  add(other);
  EXPECT_EQ(log.texts().size(), 4u);
  EXPECT_EQ(refusals.size(), 4u);
}

TEST_F(RefusalLogTest, TextsOfClientsAreExamplesOfOneKindForEachCause) {
  for (int i = 0; i < 1000; ++i) {
    const std::string sent = "stream" + std::to_string(i);
    add({.msg = "Events are refused",
         .cause = "stream",
         .example_stream = sent,
         .example_schema_uri = "/test/event/1.0.0",
         .message = sent + " is not configured."});
  }
  EXPECT_EQ(refusals.size(), 1u);
  const auto line = log.line();
  EXPECT_EQ(line["stream"], "unknown");
  EXPECT_EQ(line["schema_uri"], "unknown");
  EXPECT_EQ(line["example_stream"], "stream0");
  EXPECT_EQ(line["example_schema_uri"], "/test/event/1.0.0");
}

TEST_F(RefusalLogTest, UnknownSchemaOfADeclaredStreamIsAnExampleToo) {
  add({.msg = "Events are refused",
       .cause = "schema",
       .stream = "test.event",
       .example_stream = "test.event",
       .example_schema_uri = "/tset/event/1.0.0",
       .message = "Failed loading schema at /tset/event/1.0.0"});
  EXPECT_EQ(log.line()["stream"], "test.event");
  EXPECT_EQ(log.line()["schema_uri"], "unknown");
  EXPECT_EQ(log.line()["example_schema_uri"], "/tset/event/1.0.0");
}

TEST_F(RefusalLogTest, TextsOfClientsAreCutAndEscaped) {
  const std::string hostile = std::string(1000, 'x') + "\n\x1b[31m";
  add({.msg = "Events are refused",
       .cause = "stream",
       .example_stream = "\x1b[31m\n" + hostile,
       .example_schema_uri = hostile,
       .message = hostile});
  const std::string text = log.texts().at(0);
  EXPECT_THAT(text, HasSubstr("\"example_stream\":\"\\u001b[31m\\nxxx"));
  EXPECT_LT(text.size(), 2 * RefusalLog::kMaxExample + RefusalLog::kMaxMessage + 500);
}

TEST_F(RefusalLogTest, KindNotSeenForAnHourIsForgotten) {
  add(refusal());
  add(refusal("pending"), seconds(1));
  refusals.write_due(start + minutes(60));
  EXPECT_EQ(refusals.size(), 1u);
  refusals.write_due(start + minutes(60) + seconds(1));
  EXPECT_EQ(refusals.size(), 0u);
  add(refusal(), minutes(61));
  EXPECT_EQ(log.lines().back()["total"], 1);
}

TEST_F(RefusalLogTest, KindsAreBoundedAndFurtherOnesCountForTheirCause) {
  for (int i = 0; i < 2000; ++i) {
    const std::string stream = "stream" + std::to_string(i);
    Refusal one = refusal();
    one.stream = stream;
    add(one);
  }
  EXPECT_LE(refusals.size(), RefusalLog::kMaxKinds);
  EXPECT_EQ(log.lines().back()["stream"], "unknown");
  EXPECT_THAT(log.lines().back()["example_stream"].get<std::string>(), HasSubstr("stream"));
}

TEST_F(RefusalLogTest, RequestsHaveLinesWithoutAStream) {
  add({.msg = "Requests are rejected", .cause = "content_type", .message = "Content-Type is \"text/html\""});
  EXPECT_FALSE(log.line().contains("stream"));
  EXPECT_EQ(log.line()["cause"], "content_type");
}

TEST_F(RefusalLogTest, EndWritesWhatHasNoLineYet) {
  add(refusal());
  add(refusal("left"), seconds(1));
  refusals.write_all(start + seconds(2));
  EXPECT_THAT(log.lines().back()["message"], "left");
  refusals.write_all(start + seconds(3));
  EXPECT_EQ(log.texts().size(), 2u);
}

}  // namespace
}  // namespace eventgate
