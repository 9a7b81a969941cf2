#include "eventgate/gate/live_feed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace eventgate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

LiveEvent event(std::string_view text, std::string_view stream = "s", LiveOutcome outcome = LiveOutcome::accepted) {
  LiveEvent made;
  made.text = text;
  made.stream = stream;
  made.outcome = outcome;
  return made;
}

void add(LiveFeed& feed, const LiveEvent& one) { feed.add({&one, 1}); }

std::vector<std::string> texts(std::string_view events, const LiveFilter& filter = {}) {
  std::vector<std::string> all;
  LiveEventMemory memory;
  while (const auto next = next_live_event(events, memory))
    if (filter.wants(*next)) all.emplace_back(next->text);
  return all;
}

/// Somebody looks on.
void look(LiveFeed& feed) { feed.read(1, {}, 1); }

std::vector<std::string> texts(LiveFeed& feed, const LiveFilter& filter = {}) {
  return texts(feed.read(0, filter, LiveFeed::kMaxBytes).events, filter);
}

TEST(LiveFeed, ReadersGoOnFromWhereTheyAre) {
  LiveFeed feed;
  EXPECT_EQ(feed.oldest(), 1u);
  EXPECT_THAT(texts(feed), IsEmpty());
  const std::vector<LiveEvent> three{event("1"), event("2"), event("3")};
  feed.add(three);
  const LiveFeed::Page first = feed.read(2, {}, 1 << 20);
  EXPECT_THAT(texts(first.events), ElementsAre("2", "3"));
  EXPECT_EQ(first.missed, 0u);
  EXPECT_EQ(first.next, 4u);
  EXPECT_THAT(texts(feed.read(first.next, {}, 1 << 20).events), IsEmpty());
  add(feed, event("4"));
  EXPECT_THAT(texts(feed.read(first.next, {}, 1 << 20).events), ElementsAre("4"));
  EXPECT_EQ(feed.read(99, {}, 1 << 20).next, 5u);
}

TEST(LiveFeed, EveryTextOfAMegabyte_EventIsCutAndTheRingHolds) {
  LiveFeed feed;
  const std::string megabyte(std::size_t{1} << 20, 'x');
  for (int field = 0; field < 7; ++field) {
    EventStatus status;
    status.message = field == 6 ? megabyte : "refused";
    ValidationError error{"keyword", ".path", "#/schema", "{}", "message"};
    std::string* const fields[] = {&error.keyword, &error.data_path, &error.schema_path, &error.params, &error.message};
    if (field < 5) *fields[field] = megabyte;
    error.property_name = field == 5 ? megabyte : "name";
    status.errors = {error, {"type", "", "#/type", "{}", "should be string"}};
    LiveEvent put = event("{}", "s", LiveOutcome::invalid);
    put.status = &status;
    add(feed, put);
    add(feed, event("after"));

    std::string_view events;
    const LiveFeed::Page piece = feed.read(feed.oldest(), {}, LiveFeed::kMaxBytes);
    events = piece.events;
    LiveEventMemory memory;
    std::optional<LiveEvent> last_invalid;
    std::size_t errors = 0;
    while (const auto next = next_live_event(events, memory)) {
      if (!next->status) continue;
      last_invalid = next;
      errors = next->status->errors.size();
      EXPECT_LT(next->status->message.size(), LiveFeed::kMaxText);
    }
    ASSERT_TRUE(last_invalid) << field;
    EXPECT_TRUE(last_invalid->cut) << field;
    EXPECT_EQ(errors, 2u) << field;
    EXPECT_EQ(texts(feed).back(), "after");
  }
}

TEST(LiveFeed, MorePlacesAddedThanAnEventMayHave_AreLeftOut) {
  LiveFeed feed;
  const std::vector<TextRange> added(1 << 17);
  LiveEvent put = event("{}");
  put.added = added;
  add(feed, put);
  const LiveFeed::Page piece = feed.read(1, {}, LiveFeed::kMaxBytes);
  std::string_view events = piece.events;
  LiveEventMemory memory;
  const auto got = next_live_event(events, memory);
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->cut);
  EXPECT_TRUE(got->added.empty());
}

TEST(LiveFeed, GivesAllThatWasPutIn) {
  LiveFeed feed;
  EventStatus status;
  status.message = "refused";
  status.has_delivery = true;
  status.delivery = Delivery::unknown;
  status.errors.push_back({"type", ".a", "#/a", R"({"type":"string"})", "should be string"});
  status.errors.push_back({"pattern", "", "#/p", "{}", "should match", "name"});
  const std::vector<TextRange> added{{1, 3}, {7, 9}};
  LiveEvent put = event(R"({"a":1,"b":2})", "stream", LiveOutcome::error);
  put.received_at = 1795315146102;
  put.hasty = true;
  put.schema_uri = "/test/1.0.0";
  put.query = R"([["a","b"]])";
  put.cause = "delivery_unknown";
  put.topic = "dc1.stream";
  put.key = R"({"id":7})";
  put.partition = 5;
  put.offset = std::int64_t{1} << 40;
  put.added = added;
  put.status = &status;
  add(feed, put);

  const LiveFeed::Page piece = feed.read(1, {}, 1 << 20);
  std::string_view events = piece.events;
  LiveEventMemory memory;
  const auto got = next_live_event(events, memory);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->number, 1u);
  EXPECT_EQ(got->received_at, 1795315146102);
  EXPECT_EQ(got->outcome, LiveOutcome::error);
  EXPECT_TRUE(got->hasty);
  EXPECT_FALSE(got->cut);
  EXPECT_EQ(got->stream, "stream");
  EXPECT_EQ(got->schema_uri, "/test/1.0.0");
  EXPECT_EQ(got->query, R"([["a","b"]])");
  EXPECT_EQ(got->cause, "delivery_unknown");
  EXPECT_EQ(got->topic, "dc1.stream");
  EXPECT_EQ(got->key, R"({"id":7})");
  EXPECT_EQ(got->partition, 5);
  EXPECT_EQ(got->offset, std::int64_t{1} << 40);
  EXPECT_EQ(got->text, put.text);
  ASSERT_EQ(got->added.size(), 2u);
  EXPECT_EQ(got->added[1].begin, 7u);
  EXPECT_EQ(got->added[1].end, 9u);
  ASSERT_TRUE(got->status);
  EXPECT_EQ(got->status->message, "refused");
  EXPECT_TRUE(got->status->has_delivery);
  EXPECT_EQ(got->status->delivery, Delivery::unknown);
  ASSERT_EQ(got->status->errors.size(), 2u);
  EXPECT_EQ(got->status->errors[0].params, R"({"type":"string"})");
  EXPECT_EQ(got->status->errors[0].property_name, std::nullopt);
  EXPECT_EQ(got->status->errors[1].property_name, "name");
  EXPECT_FALSE(next_live_event(events, memory));
}

TEST(LiveFeed, FiltersByStreamAndOutcome) {
  LiveFeed feed;
  add(feed, event("a", "one"));
  add(feed, event("b", "two", LiveOutcome::invalid));
  add(feed, event("c", "one", LiveOutcome::error));
  LiveFilter filter;
  filter.stream = "one";
  EXPECT_THAT(texts(feed, filter), ElementsAre("a", "c"));
  filter.accepted = false;
  EXPECT_THAT(texts(feed, filter), ElementsAre("c"));
  filter.stream.reset();
  EXPECT_THAT(texts(feed, filter), ElementsAre("b", "c"));
  filter.error = false;
  EXPECT_THAT(texts(feed, filter), ElementsAre("b"));
}

TEST(LiveFeed, APieceHasOneEventAtLeast) {
  LiveFeed feed;
  for (const char* const text : {"aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"}) add(feed, event(text));
  const LiveFeed::Page first = feed.read(1, {}, 1);
  EXPECT_THAT(texts(first.events), ElementsAre("aaaaaaaaaa"));
  EXPECT_EQ(first.next, 2u);
  EXPECT_THAT(texts(feed.read(2, {}, 2 * first.events.size()).events), ElementsAre("bbbbbbbbbb", "cccccccccc"));
}

TEST(LiveFeed, OldestAreOverwrittenAndReadersAreToldHowMany) {
  LiveFeed feed;
  look(feed);
  for (std::size_t i = 1; i <= LiveFeed::kMaxEvents + 10; ++i) add(feed, event(std::to_string(i)));
  EXPECT_EQ(feed.oldest(), 11u);
  const LiveFeed::Page piece = feed.read(4, {}, 1 << 20);
  EXPECT_EQ(piece.missed, 7u);
  EXPECT_EQ(texts(piece.events).size(), LiveFeed::kMaxEvents);
  EXPECT_EQ(texts(piece.events).front(), "11");
}

TEST(LiveFeed, BytesAreBoundedToo) {
  LiveFeed feed;
  look(feed);
  // Of sizes that end at other places of the ring each time around.
  std::size_t put = 0;
  for (std::size_t i = 1; put < 20 * LiveFeed::kMaxBytes; ++i) {
    const std::string text = std::to_string(i) + std::string((i * 7919) % 50000, 'x');
    put += text.size();
    add(feed, event(text));
    if (i % 16 != 0) continue;
    const auto kept = texts(feed);
    ASSERT_FALSE(kept.empty());
    ASSERT_EQ(kept.back(), text);
    std::size_t number = i - kept.size() + 1;
    std::size_t size = 0;
    for (const std::string& one : kept) {
      ASSERT_EQ(one, std::to_string(number) + std::string((number * 7919) % 50000, 'x'));
      ++number;
      size += one.size();
    }
    ASSERT_LE(size, LiveFeed::kMaxBytes);
    ASSERT_GT(size, std::min(put, LiveFeed::kMaxBytes) / 2);
  }
}

/// An event received so long after the last look that the feed is idle.
LiveEvent late(std::string_view text) {
  LiveEvent made = event(text);
  const auto at = std::chrono::system_clock::now() + LiveFeed::kIdleAfter + std::chrono::hours(1);
  made.received_at = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
  return made;
}

TEST(LiveFeed, WithoutAViewer_FewerEventsAreKept) {
  LiveFeed feed;
  const std::string text(1000, 'x');
  for (int i = 0; i < 500; ++i) add(feed, late(text));
  const std::size_t idle = texts(feed).size();
  EXPECT_GT(idle, LiveFeed::kIdleBytes / 2000);
  EXPECT_LT(idle, LiveFeed::kIdleBytes / 1000);
  for (int i = 0; i < 500; ++i) add(feed, event(text));
  EXPECT_GE(texts(feed).size(), 500u);
  for (int i = 0; i < 100; ++i) add(feed, late(text));
  EXPECT_LE(texts(feed).size(), idle);
  EXPECT_EQ(feed.read(1, {}, 1).missed + texts(feed).size(), 1100u);
}

TEST(LiveFeed, OfManyAtOnceTheLastAreKept) {
  LiveFeed feed;
  add(feed, late("before"));
  std::vector<std::string> made;
  for (int i = 0; i < 200; ++i) made.push_back(std::to_string(i) + std::string(1000, 'x'));
  std::vector<LiveEvent> events;
  for (const std::string& text : made) events.push_back(late(text));
  feed.add(events);
  add(feed, late("after"));
  const auto kept = texts(feed);
  ASSERT_GT(kept.size(), 20u);
  ASSERT_LT(kept.size(), 70u);
  EXPECT_EQ(kept.back(), "after");
  for (std::size_t i = 0; i + 1 < kept.size(); ++i) EXPECT_EQ(kept[i], made[200 - kept.size() + 1 + i]);
  EXPECT_EQ(feed.oldest(), 203 - kept.size());
}

TEST(LiveFeed, LongTextsAreCutBetweenCharactersAndSaySo) {
  LiveFeed feed;
  std::string text = "a";
  while (text.size() <= LiveFeed::kMaxText) text += "\xc3\xa4";
  const std::vector<TextRange> added{{0, 1}};
  LiveEvent put = event(text, std::string_view(text));
  put.added = added;
  add(feed, put);
  const LiveFeed::Page piece = feed.read(1, {}, 1);
  std::string_view events = piece.events;
  LiveEventMemory memory;
  const auto got = next_live_event(events, memory);
  EXPECT_TRUE(got->cut);
  EXPECT_EQ(got->text, text.substr(0, LiveFeed::kMaxText - 1));
  EXPECT_EQ(got->stream.size(), 1023u);
  EXPECT_TRUE(got->added.empty());
}

TEST(LiveFeed, ErrorsThatAreTooLongAreLeftOut) {
  LiveFeed feed;
  EventStatus status;
  status.message = std::string(100000, 'm');
  for (int i = 0; i < 100; ++i) status.errors.push_back({"type", std::string(10000, 'p'), "#", "{}", "wrong"});
  LiveEvent put = event("{}", "s", LiveOutcome::invalid);
  put.status = &status;
  add(feed, put);
  const LiveFeed::Page piece = feed.read(1, {}, 1);
  EXPECT_LT(piece.events.size(), 2 * LiveFeed::kMaxText);
  std::string_view events = piece.events;
  LiveEventMemory memory;
  const auto got = next_live_event(events, memory);
  EXPECT_TRUE(got->cut);
  EXPECT_EQ(got->status->message.size(), LiveFeed::kMaxText / 4);
  // 40 KB of the 64 are used when no further error is sure to fit: 16 for the message, 4 and a bit for each error.
  EXPECT_EQ(got->status->errors.size(), 6u);
  EXPECT_EQ(got->status->errors[0].data_path.size(), 4096u);
}

TEST(LiveFeed, CountsEventsThatItDoesNotKeep) {
  LiveFeed feed;
  std::vector<LiveEvent> events;
  const std::string text(1000, 'x');
  for (int i = 0; i < 200; ++i) events.push_back(late(text));
  feed.add(events);
  EXPECT_EQ(feed.count({}).outcomes, (LiveTally{200, 0, 0, 0}));
  EXPECT_LT(feed.summary().kept, 100u);
  EXPECT_EQ(feed.summary().last, 200u);
}

TEST(LiveFeed, ResetForgetsEventsAndCountsButNotWhatIsInFlight) {
  LiveFeed feed;
  add(feed, event("1"));
  feed.begin(3);
  feed.reset();
  EXPECT_THAT(texts(feed), IsEmpty());
  EXPECT_EQ(feed.count({}).outcomes, LiveTally{});
  EXPECT_EQ(feed.count({}).in_flight, 3u);
  // A viewer who has seen everything is told, too.
  EXPECT_TRUE(feed.read(2, {}, 1).reset);
  const LiveFeed::Page page = feed.read(1, {}, 1);
  EXPECT_TRUE(page.reset);
  EXPECT_EQ(page.missed, 0u);
  EXPECT_FALSE(feed.read(page.next, {}, 1).reset);
  add(feed, event("2"));
  EXPECT_THAT(texts(feed), ElementsAre("2"));
  EXPECT_EQ(feed.count({}).outcomes, (LiveTally{1, 0, 0, 0}));
}

TEST(LiveFeed, ThreadsAddAndReadAtTheSameTime) {
  LiveFeed feed;
  constexpr std::uint64_t kEach = 5000;
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  std::atomic<std::uint64_t> seen[2]{};
  for (auto& count : seen)
    readers.emplace_back([&feed, &done, &count] {
      std::uint64_t next = 1;
      for (bool last = false; !last;) {
        last = done;
        const LiveFeed::Page piece = feed.read(next, {}, 4096);
        count += piece.missed;
        LiveEventMemory memory;
        std::string_view events = piece.events;
        std::uint64_t number = next + piece.missed;
        while (const auto got = next_live_event(events, memory)) {
          EXPECT_EQ(got->number, number++);
          EXPECT_EQ(got->text, std::string(got->stream.size(), 't'));
          ++count;
        }
        if (next != piece.next) last = false;
        next = piece.next;
      }
    });
  std::vector<std::thread> writers;
  for (int i = 0; i < 2; ++i)
    writers.emplace_back([&feed] {
      const std::string text(300, 't'), stream(300, 's');
      for (std::uint64_t n = 0; n < kEach; ++n)
        add(feed, event(std::string_view(text).substr(0, n % 300), std::string_view(stream).substr(0, n % 300)));
    });
  for (std::thread& writer : writers) writer.join();
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(seen[0], 2 * kEach);
  EXPECT_EQ(seen[1], 2 * kEach);
}

}  // namespace
}  // namespace eventgate
