#include "readers/replay.hpp"

#include <gmock/gmock.h>

#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/stream_metrics.hpp"

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;
using testing::ElementsAre;

RingItem item(std::int32_t partition, std::int64_t offset, std::int64_t timestamp) {
  Frame frame;
  frame.partition = partition;
  frame.offset = offset;
  frame.timestamp = timestamp;
  frame.text = "{}" + std::string(Frame::kEnd);
  return RingItem::of(std::move(frame));
}

/// A replay of topic `a` with two partitions, from their beginning.
Replay two_partitions(std::size_t rate, const std::map<std::int32_t, TopicRing::Place>& targets = {}) {
  const std::vector<std::string> topics{"a"};
  const ReaderPositions positions(topics, {{"a", 0, 0, std::nullopt}, {"a", 1, 0, std::nullopt}});
  return Replay(topics, positions, {targets}, rate);
}

TEST(Replay, MergesPartitionsByTimeAndWaitsForTheOneThatIsNotThere) {
  Replay replay = two_partitions(1 << 20);
  std::optional<Clock::time_point> later;
  ASSERT_EQ(replay.wanted(Clock::now(), later).size(), 2u);
  Replay::Fetched first;
  first.items = {item(0, 0, 10), item(0, 1, 30)};
  first.next = 2;
  first.at_end = true;
  replay.add(0, std::move(first));
  EXPECT_FALSE(replay.next());
  Replay::Fetched second;
  second.items = {item(1, 0, 20)};
  second.next = 1;
  second.at_end = true;
  replay.add(1, std::move(second));
  std::vector<std::int64_t> times;
  while (const std::optional<Replay::Next> next = replay.next()) times.push_back(next->item.frame->timestamp);
  EXPECT_THAT(times, ElementsAre(10, 20, 30));
  EXPECT_TRUE(replay.is_done());
}

TEST(ReplaySlots, ThoseWhoWaitAreCountedUntilTheyHaveASlotOrStop) {
  Metrics metrics("test");
  StreamMetrics stream_metrics(metrics);
  const auto slots = std::make_shared<ReplaySlots>(1, stream_metrics);
  const auto counted = [&metrics](const std::string& replays, const std::string& waiting) {
    const std::string text = metrics.text();
    EXPECT_THAT(text, testing::HasSubstr("eventgate_stream_replays{service=\"test\"} " + replays + "\n"));
    EXPECT_THAT(text, testing::HasSubstr("eventgate_stream_replays_waiting{service=\"test\"} " + waiting + "\n"));
  };
  int granted = 0;
  for (int i = 0; i < 4; ++i) slots->acquire([&granted] { ++granted; });
  EXPECT_EQ(granted, 1);
  counted("1", "3");
  slots->release();
  EXPECT_EQ(granted, 2);
  counted("1", "2");
  slots->stop();
  slots->release();
  EXPECT_EQ(granted, 2);
  counted("0", "0");
}

TEST(Replay, Rate_LetsFetchesWait) {
  Replay replay = two_partitions(1000);
  std::optional<Clock::time_point> later;
  const Clock::time_point now = Clock::now();
  ASSERT_EQ(replay.wanted(now, later).size(), 2u);
  Replay::Fetched fetched;
  fetched.next = 1;
  fetched.bytes = 5000;
  replay.add(0, std::move(fetched));
  EXPECT_TRUE(replay.wanted(now, later).empty());
  ASSERT_TRUE(later);
  EXPECT_GT(*later, now + std::chrono::seconds(4));
  EXPECT_EQ(replay.wanted(*later, later).size(), 1u);
}

TEST(Replay, Target_IsFetchedNoFurther) {
  Replay replay = two_partitions(1 << 20, {{0, {3, std::nullopt}}, {1, {0, std::nullopt}}});
  std::optional<Clock::time_point> later;
  const std::vector<Replay::Wanted> wanted = replay.wanted(Clock::now(), later);
  ASSERT_EQ(wanted.size(), 1u);
  Replay::Fetched fetched;
  fetched.next = 3;
  replay.add(wanted[0].part, std::move(fetched));
  EXPECT_TRUE(replay.is_done());
}

TEST(Replay, SourceAway_IsAskedAgainLater) {
  Replay replay = two_partitions(1 << 20);
  std::optional<Clock::time_point> later;
  ASSERT_EQ(replay.wanted(Clock::now(), later).size(), 2u);
  Replay::Fetched failed;
  failed.away = true;
  replay.add(0, std::move(failed));
  EXPECT_TRUE(replay.is_away());
  EXPECT_FALSE(replay.is_done());
  EXPECT_TRUE(replay.wanted(Clock::now(), later).empty());
  ASSERT_TRUE(later);
  EXPECT_EQ(replay.wanted(*later, later).size(), 1u);
}

TEST(ReplaySlots, GivenToSoManyAtATime_OthersWaitInLine) {
  Metrics metrics("test");
  StreamMetrics counts(metrics);
  const auto slots = std::make_shared<ReplaySlots>(1, counts);
  std::vector<int> granted;
  slots->acquire([&] { granted.push_back(1); });
  slots->acquire([&] { granted.push_back(2); });
  slots->acquire([&] { granted.push_back(3); });
  EXPECT_THAT(granted, ElementsAre(1));
  { const ReplaySlots::Slot first(slots); }
  EXPECT_THAT(granted, ElementsAre(1, 2));
  slots->release();
  EXPECT_THAT(granted, ElementsAre(1, 2, 3));
  slots->release();
  slots->acquire([&] { granted.push_back(4); });
  EXPECT_THAT(granted, ElementsAre(1, 2, 3, 4));
}

}  // namespace
}  // namespace eventgate
