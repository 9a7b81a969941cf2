#include "api/live_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "live_feed_events.hpp"

namespace eventgate {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::StartsWith;

LiveStream stream_of(LiveFeed& feed, LiveFilter filter = {}) {
  return LiveStream(feed, std::move(filter), feed.oldest(), 15s);
}

/// Returns what `stream` appends at `now`.
std::string sent(LiveStream& stream, steady_clock::time_point now = {}) {
  std::string out;
  stream.append(out, now);
  return out;
}

TEST(LiveStream, EventHasItsOutcomeAndEverythingElseThatIsKnown) {
  LiveFeed feed;
  EventStatus status;
  status.message = "";
  status.errors.push_back({"type", ".a", "#/properties/a/type", R"({"type":"string"})", "should be string"});
  // Four characters of one, two, three and four bytes: UTF-16 has five units for them.
  const std::string text = "{\"k\":\"a\xc3\xa4\xe2\x82\xac\xf0\x9f\xa6\xa2\",\"x\":1}";
  const auto at = static_cast<std::uint32_t>(text.find(",\"x\""));
  const std::vector<TextRange> added{{0, 1}, {at, at + 6}};
  LiveEvent event;
  event.received_at = 1795315146102;
  event.outcome = LiveOutcome::invalid;
  event.hasty = true;
  event.stream = "s\n\n";
  event.query = R"([["a","b"]])";
  event.text = text;
  event.added = added;
  event.status = &status;
  feed.add({&event, 1});
  LiveStream stream = stream_of(feed);
  const std::string all = sent(stream);
  EXPECT_THAT(all, StartsWith("retry: 2000\n\nid: " + std::to_string(feed.epoch()) + "-1\ndata: {"));
  ASSERT_EQ(live_data(all).size(), 1u);
  EXPECT_EQ(live_data(all)[0], json({{"outcome", "invalid"},
                                     {"hasty", true},
                                     {"received_at", "2026-11-22T02:39:06.102Z"},
                                     {"request", 1},
                                     {"index", 0},
                                     {"of", 1},
                                     {"stream", "s\n\n"},
                                     {"schema_uri", nullptr},
                                     {"event", text},
                                     {"added", {{0, 1}, {12, 18}}},
                                     {"query", json::array({json::array({"a", "b"})})},
                                     {"errors",
                                      {{{"keyword", "type"},
                                        {"dataPath", ".a"},
                                        {"schemaPath", "#/properties/a/type"},
                                        {"params", {{"type", "string"}}},
                                        {"message", "should be string"}}}},
                                     {"message", "'.a' should be string"},
                                     {"reason", "type"},
                                     {"path", ".a"}}));
}

TEST(LiveStream, EventsOfARequestShareItAndHaveTheirPlaces) {
  LiveFeed feed;
  add_live_event(feed, "before");
  LiveEvent event;
  event.received_at = 1795315146102;
  event.topic = "dc1.test";
  event.key = R"({"id":1})";
  event.partition = 3;
  event.offset = 4711;
  const std::vector<LiveEvent> request(2, event);
  feed.add(request);
  LiveStream stream = stream_of(feed);
  const std::vector<json> data = live_data(sent(stream));
  ASSERT_EQ(data.size(), 3u);
  EXPECT_EQ(data[0]["request"], 1);
  EXPECT_FALSE(data[0].contains("offset"));
  for (int i = 0; i < 2; ++i) {
    const json& one = data[static_cast<std::size_t>(i) + 1];
    EXPECT_EQ(one["request"], 2);
    EXPECT_EQ(one["index"], i);
    EXPECT_EQ(one["of"], 2);
    EXPECT_EQ(one["topic"], "dc1.test");
    EXPECT_EQ(one["key"], R"({"id":1})");
    EXPECT_EQ(one["partition"], 3);
    EXPECT_EQ(one["offset"], 4711);
  }
}

TEST(LiveStream, AfterAResetTheClientIsToldSoAndOfNoMissedEvents) {
  LiveFeed feed;
  add_live_event(feed, "first");
  LiveStream stream = stream_of(feed);
  EXPECT_THAT(live_event_texts(sent(stream)), ElementsAre("first"));
  add_live_event(feed, "forgotten");
  feed.reset();
  add_live_event(feed, "second");
  const std::string all = sent(stream);
  EXPECT_THAT(all, StartsWith("event: reset\ndata: {}\n\nid: "));
  EXPECT_THAT(live_event_texts(all), ElementsAre("second"));
}

TEST(LiveStream, ClientThatIsTooSlowGetsTheNumberOfMissedEvents) {
  LiveFeed feed;
  add_live_event(feed, "first");
  LiveStream stream = stream_of(feed);
  EXPECT_THAT(live_event_texts(sent(stream)), ElementsAre("first"));
  for (std::size_t i = 0; i < LiveFeed::kMaxEvents + 5; ++i) add_live_event(feed, "later");
  const std::string all = sent(stream);
  EXPECT_THAT(all, StartsWith("event: dropped\ndata: {\"dropped\":5}\n\n"));
  // Each call appends a part, and the next call appends the rest.
  std::size_t count = live_event_texts(all).size();
  for (std::string more; !(more = sent(stream)).empty();) {
    EXPECT_EQ(more.find("dropped"), std::string::npos);
    EXPECT_LT(more.size(), 512u * 1024);
    count += live_event_texts(more).size();
  }
  EXPECT_EQ(count, LiveFeed::kMaxEvents);
}

TEST(LiveStream, HeartbeatHasTheIdOfTheLastEvent) {
  LiveFeed feed;
  LiveFilter filter;
  filter.stream = "other";
  LiveStream stream = stream_of(feed, filter);
  const steady_clock::time_point start{};
  EXPECT_EQ(sent(stream, start), "retry: 2000\n\n");
  add_live_event(feed, "of another stream");
  EXPECT_EQ(sent(stream, start + 14s), "");
  const std::string heartbeat = ": heartbeat\nid: " + std::to_string(feed.epoch()) + "-1\n\n";
  EXPECT_EQ(sent(stream, start + 15s), heartbeat);
  EXPECT_EQ(sent(stream, start + 16s), "");
  add_live_event(feed, "1", LiveOutcome::accepted, "other");
  EXPECT_THAT(live_event_texts(sent(stream, start + 20s)), ElementsAre("1"));
  EXPECT_EQ(sent(stream, start + 34s), "");
  EXPECT_THAT(sent(stream, start + 35s), StartsWith(": heartbeat\n"));
}

}  // namespace
}  // namespace eventgate
