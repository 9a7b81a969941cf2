#include "eventgate/readers/stream_start.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace eventgate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = WantedStart::Kind;

constexpr std::int64_t kTime = 1'793'491'200'000;

/// A partition as a source sees it: the records that are kept, in order.
struct Partition {
  std::vector<RecordPlace> records;
  std::int64_t begin;
  std::int64_t end;
};

/// Records at offsets `begin` to `end`, each a second after the one before; that at offset 0 has time kTime.
Partition every_second(std::int64_t begin, std::int64_t end) {
  Partition partition{{}, begin, end};
  for (std::int64_t i = begin; i < end; ++i) partition.records.push_back({i, kTime + i * 1000});
  return partition;
}

StartPosition start(const WantedStart& wanted, const Partition& partition) {
  StartResolver resolver(wanted, {0, partition.begin, partition.end});
  int questions = 0;
  while (const auto question = resolver.question()) {
    if (++questions > 4) throw std::logic_error("more than four questions");
    const bool by_time = question->kind == StartQuestion::Kind::offset_at;
    const auto found = std::find_if(partition.records.begin(), partition.records.end(), [&](const RecordPlace& record) {
      return (by_time ? record.timestamp : record.offset) >= question->value;
    });
    const bool none = found == partition.records.end();
    if (by_time) {
      resolver.answer(none ? std::nullopt : std::optional(found->offset));
    } else {
      resolver.answer(none ? std::nullopt : std::optional(*found));
    }
  }
  return resolver.position();
}

/// For example `5 after 1793491204001 gap 2-5 by time`.
std::string text_of(const StartPosition& position) {
  std::string text = std::to_string(position.offset);
  if (position.timestamp) text += " after " + std::to_string(*position.timestamp - kTime);
  if (position.gap) text += " gap " + std::to_string(position.gap->from) + "-" + std::to_string(position.gap->to);
  if (position.by_time_instead) text += " by time";
  return text;
}

std::string start_text(const WantedStart& wanted, const Partition& partition) {
  return text_of(start(wanted, partition));
}

TEST(StartResolver, EndAndBeginningAreTheBounds) {
  EXPECT_EQ(start_text({Kind::end}, every_second(2, 6)), "6 after 5001");
  EXPECT_EQ(start_text({Kind::beginning}, every_second(2, 6)), "2");
  EXPECT_EQ(start_text({Kind::end}, every_second(0, 0)), "0");
  EXPECT_EQ(start_text({Kind::end}, every_second(7, 7)), "7");
}

TEST(StartResolver, AnOffsetIsTakenAsItIs) {
  EXPECT_EQ(start_text({Kind::offset, 4}, every_second(2, 6)), "4 after 3001");
  EXPECT_EQ(start_text({Kind::offset, 2}, every_second(2, 6)), "2");
  EXPECT_EQ(start_text({Kind::offset, 6}, every_second(2, 6)), "6 after 5001");
}

TEST(StartResolver, AnOffsetThatIsGoneIsAGap) {
  EXPECT_EQ(start_text({Kind::offset, 1}, every_second(5, 10)), "5 gap 1-5");
  EXPECT_EQ(start_text({Kind::offset, 12}, every_second(5, 10)), "10 after 9001 gap 12-10");
}

TEST(StartResolver, ATimeIsTheFirstOffsetNotBeforeIt) {
  EXPECT_EQ(start_text({Kind::time, 0, kTime + 2000}, every_second(0, 6)), "2 after 1001");
  EXPECT_EQ(start_text({Kind::time, 0, kTime + 2001}, every_second(0, 6)), "3 after 2001");
  EXPECT_EQ(start_text({Kind::time, 0, kTime + 9000}, every_second(0, 6)), "6 after 5001");
  EXPECT_EQ(start_text({Kind::time, 0, kTime - 1}, every_second(0, 6)), "0");
  const Partition disorder{{{0, kTime}, {1, kTime + 3000}, {2, kTime + 1000}, {3, kTime + 4000}}, 0, 4};
  EXPECT_EQ(start_text({Kind::time, 0, kTime + 1500}, disorder), "1 after 1");
}

TEST(StartResolver, ATimeBeforeWhatIsKeptIsAGap) {
  EXPECT_EQ(start_text({Kind::time, 0, kTime}, every_second(5, 10)), "5 gap 0-5");
  EXPECT_EQ(start_text({Kind::time, 0, kTime + 5000}, every_second(5, 10)), "5");
  EXPECT_EQ(start_text({Kind::time, 0, kTime}, every_second(7, 7)), "7");
}

TEST(StartResolver, AnIdOfOursGoesOnAtItsOffset) {
  EXPECT_EQ(start_text({Kind::exact, 4, kTime + 3000}, every_second(0, 6)), "4 after 3001");
  EXPECT_EQ(start_text({Kind::exact, 6, kTime + 5000}, every_second(0, 6)), "6 after 5001");
  // Records of the same millisecond, and of an earlier one, are no reason to leave the offset.
  const Partition ties{{{0, kTime}, {1, kTime}, {2, kTime}, {3, kTime - 5000}}, 0, 4};
  EXPECT_EQ(start_text({Kind::exact, 1, kTime}, ties), "1 after 1");
  EXPECT_EQ(start_text({Kind::exact, 4, kTime - 5000}, ties), "4 after -4999");
}

TEST(StartResolver, AnIdWhoseRecordIsGoneIsHeldToTheNextOne) {
  EXPECT_EQ(start_text({Kind::exact, 5, kTime + 4000}, every_second(5, 10)), "5 after 4001");
  EXPECT_EQ(start_text({Kind::exact, 2, kTime + 1000}, every_second(5, 10)), "5 gap 2-5");
  EXPECT_EQ(start_text({Kind::exact, 7, kTime + 6000}, every_second(7, 7)), "7 after 6001");
  EXPECT_EQ(start_text({Kind::exact, 3, kTime + 2000}, every_second(7, 7)), "7 gap 3-7");
  // Compaction took the record before the offset.
  const Partition compacted{{{0, kTime}, {3, kTime + 3000}}, 0, 4};
  EXPECT_EQ(start_text({Kind::exact, 2, kTime + 1000}, compacted), "2 after 1001");
}

TEST(StartResolver, AnIdOfOtherRecordsGoesByItsTime) {
  EXPECT_EQ(start_text({Kind::exact, 4, kTime + 1000}, every_second(0, 6)), "1 after 1 by time");
  EXPECT_EQ(start_text({Kind::exact, 4, kTime - 1}, every_second(0, 6)), "0 by time");
  EXPECT_EQ(start_text({Kind::exact, 4, kTime + 60'000}, every_second(0, 6)), "6 after 5001 by time");
  // The next record is older than the one that was read: another topic of this name, or times out of order.
  EXPECT_EQ(start_text({Kind::exact, 5, kTime + 60'000}, every_second(5, 10)), "5 by time");
  EXPECT_EQ(start_text({Kind::exact, 3, kTime + 60'000}, every_second(5, 10)), "5 gap 3-5 by time");
}

TEST(StartResolver, AnIdBeyondTheEndGoesByItsTimeWithAGap) {
  EXPECT_EQ(start_text({Kind::exact, 100, kTime + 2000}, every_second(0, 6)), "2 after 1001 gap 100-2");
  EXPECT_EQ(start_text({Kind::exact, 100, kTime + 60'000}, every_second(0, 6)), "6 after 5001 gap 100-6");
  EXPECT_EQ(start_text({Kind::exact, 5, kTime}, every_second(0, 0)), "0 gap 5-0");
}

/// Resumes at every offset, after records were deleted up to every offset: nothing is lost or sent twice.
TEST(StartResolver, IdsAreExactWhateverWasDeletedSince) {
  const std::vector<std::int64_t> times{5, 5, 5, 9, 7, 7, 3, 20, 20, 1};
  const auto size = static_cast<std::int64_t>(times.size());
  for (std::int64_t offset = 1; offset <= size; ++offset) {
    for (std::int64_t begin = 0; begin <= size; ++begin) {
      Partition partition{{}, begin, size};
      for (std::int64_t i = begin; i < size; ++i)
        partition.records.push_back({i, kTime + times[static_cast<std::size_t>(i)]});
      const StartPosition position =
          start({Kind::exact, offset, kTime + times[static_cast<std::size_t>(offset) - 1]}, partition);
      if (position.by_time_instead) {
        // Times out of order around what was deleted: some may come again, none is lost.
        EXPECT_LE(position.offset, std::max(offset, begin));
        EXPECT_LE(offset, begin);
        continue;
      }
      EXPECT_EQ(position.offset, std::max(offset, begin));
      EXPECT_EQ(position.gap.has_value(), offset < begin);
    }
  }
}

StreamRequest request(std::vector<LastEventEntry> entries, std::optional<std::int64_t> since = {}) {
  StreamRequest request;
  request.topics = {"a", "b"};
  request.last_event_id = std::move(entries);
  request.since = since;
  return request;
}

/// Two partitions of topic a, one of b.
std::vector<TopicBounds> both_topics() { return {{true, {{0, 0, 9}, {1, 0, 9}}}, {true, {{0, 0, 9}}}}; }

/// For example `a/0 offset 4, a/1 end`.
std::string plan_text(const StreamRequest& request, std::span<const TopicBounds> bounds) {
  const auto plan = plan_starts(request, bounds);
  if (!plan) return std::string(plan.error().cause) + ": " + plan.error().detail;
  std::string text;
  for (const PlannedStart& one : plan->starts) {
    if (!text.empty()) text += ", ";
    text += one.id.topic + "/" + std::to_string(one.id.partition);
    const WantedStart& wanted = one.wanted;
    switch (wanted.kind) {
      case Kind::end:
        text += " end";
        break;
      case Kind::beginning:
        text += " beginning";
        break;
      case Kind::offset:
        text += " offset " + std::to_string(wanted.offset);
        break;
      case Kind::time:
        text += " time " + std::to_string(wanted.time);
        break;
      case Kind::exact:
        text += " offset " + std::to_string(wanted.offset) + " if " + std::to_string(wanted.time);
        break;
    }
  }
  return text;
}

std::string plan_text(const StreamRequest& request) { return plan_text(request, both_topics()); }

TEST(StartPlan, WithoutAWishTheEndAndSinceForAll) {
  EXPECT_EQ(plan_text(request({})), "a/0 end, a/1 end, b/0 end");
  EXPECT_EQ(plan_text(request({}, 500)), "a/0 time 500, a/1 time 500, b/0 time 500");
  EXPECT_EQ(plan_text(request({}, 0)), "a/0 beginning, a/1 beginning, b/0 beginning");
  EXPECT_EQ(plan_text(request({{"a", {}, {}, {}}}, 500)), "a/0 time 500, a/1 time 500, b/0 time 500");
}

TEST(StartPlan, EntriesSayWhatTheyMean) {
  EXPECT_EQ(plan_text(request({{"a", 0, 4, {}}, {"a", 1, {}, 500}, {"b", 0, 7, 600}})),
            "a/0 offset 4, a/1 time 500, b/0 offset 7 if 599");
  EXPECT_EQ(plan_text(request({{"a", 0, -2, {}}, {"a", 1, {}, -2}, {"b", 0, -1, {}}})),
            "a/0 beginning, a/1 beginning, b/0 end");
  EXPECT_EQ(plan_text(request({{"a", 0, -1, {}}, {"a", 1, {}, -1}, {"b", 0, -1, -1}})), "a/0 end, a/1 end, b/0 end");
  EXPECT_EQ(plan_text(request({{"a", 0, {}, 0}, {"a", 1, -1, 300}, {"b", 0, -2, 300}})),
            "a/0 beginning, a/1 time 300, b/0 beginning");
}

TEST(StartPlan, APartitionWithoutAnEntryStartsAtTheSmallestTime) {
  EXPECT_EQ(plan_text(request({{"a", 0, {}, 700}, {"b", 0, {}, 600}}, 100)),
            "a/0 time 700, a/1 time 600, b/0 time 600");
  EXPECT_EQ(plan_text(request({{"a", 0, 3, 700}})), "a/0 offset 3 if 699, a/1 time 699, b/0 time 699");
  EXPECT_EQ(plan_text(request({{"a", 0, 3, {}}}, 100)), "a/0 offset 3, a/1 time 100, b/0 time 100");
  EXPECT_EQ(plan_text(request({{"a", 0, 3, {}}})), "a/0 offset 3, a/1 end, b/0 end");
}

TEST(StartPlan, MinusOneBesideTimesIsAPartitionThatSentNothing) {
  EXPECT_EQ(plan_text(request({{"a", 0, {}, 700}, {"a", 1, -1, {}}, {"b", 0, -1, {}}})),
            "a/0 time 700, a/1 time 700, b/0 time 700");
}

TEST(StartPlan, EntriesOfMissingPartitionsAreLeftOut) {
  const auto plan = plan_starts(request({{"a", 0, 4, {}}, {"a", 7, 4, {}}}), both_topics());
  ASSERT_TRUE(plan);
  EXPECT_THAT(plan->notices, ElementsAre("ignored entries of Last-Event-ID, whose partitions do not exist: a/7"));
  EXPECT_THAT(plan_text(request({{"a", 7, 4, {}}, {"b", 9, {}, 5}})),
              HasSubstr("invalid_last_event_id: expected an entry whose partition exists"));
}

TEST(StartPlan, ATopicThatDoesNotExistHasNoPartitionsAndIsNoError) {
  const std::vector<TopicBounds> one{{true, {{0, 0, 9}}}, {}};
  EXPECT_EQ(plan_text(request({{"b", 0, 4, {}}}), one), "a/0 end");
  EXPECT_THAT(plan_starts(request({}), std::vector<TopicBounds>(2))->starts, IsEmpty());
}

TEST(StartAfterOutage, WhatCameSinceTheConnectIsNotLeftOut) {
  EXPECT_EQ(start_after_outage(request({}), {"a", 0}, 900), (WantedStart{Kind::time, 0, 900}));
  EXPECT_EQ(start_after_outage(request({}, 500), {"a", 0}, 900), (WantedStart{Kind::time, 0, 500}));
  EXPECT_EQ(start_after_outage(request({{"a", 0, 4, 700}}), {"a", 0}, 900), (WantedStart{Kind::exact, 4, 699}));
}

TEST(Last, IsTheEndOfTheMergeByTime) {
  const std::vector<PartitionEnd> ends{{10, {{7, 100}, {8, 300}, {9, 500}}}, {5, {{2, 200}, {3, 400}, {4, 600}}}};
  EXPECT_THAT(last_starts(3, ends), ElementsAre(9, 3));
  EXPECT_THAT(last_starts(6, ends), ElementsAre(7, 2));
  EXPECT_THAT(last_starts(100, ends), ElementsAre(7, 2));
  EXPECT_THAT(last_starts(1, ends), ElementsAre(10, 4));
  EXPECT_THAT(last_starts(3, std::vector<PartitionEnd>{{4, {}}}), ElementsAre(4));
}

TEST(Last, KeepsTheOrderOfAPartitionWhoseTimesAreOutOfOrder) {
  const std::vector<PartitionEnd> ends{{3, {{0, 900}, {1, 100}, {2, 100}}}, {2, {{0, 200}, {1, 300}}}};
  EXPECT_THAT(last_starts(3, ends), ElementsAre(0, 2));
}

TEST(Until, IsTheFirstRecordNotBeforeItOrTheEndWhenItHasPassed) {
  EXPECT_EQ(until_offset(500, 900, 10, 7), 7);
  EXPECT_EQ(until_offset(500, 900, 10, {}), 10);
  EXPECT_EQ(until_offset(1000, 900, 10, {}), std::nullopt);
}

TEST(StartComment, SaysWhereAndHowFarBehind) {
  const PartitionId id{"eqiad.x", 0};
  EXPECT_EQ(start_comment(id, {12, {}, {}, false}, kTime, kTime + 200'000),
            "from eqiad.x/0 offset 12, 3 minutes behind");
  EXPECT_EQ(start_comment(id, {12, {}, {}, false}, kTime, kTime + 1000), "from eqiad.x/0 offset 12, 1 second behind");
  EXPECT_EQ(start_comment(id, {12, {}, {}, false}, kTime, kTime + 90'000'000),
            "from eqiad.x/0 offset 12, 1 day behind");
  EXPECT_EQ(start_comment(id, {12, {}, {}, false}, {}, kTime), "from eqiad.x/0 offset 12");
  EXPECT_THAT(start_comment(id, {5, {}, RecordGap{0, 2, 5}, false}, {}, kTime),
              HasSubstr("records before it are gone"));
  EXPECT_THAT(start_comment(id, {5, {}, {}, true}, {}, kTime), HasSubstr("its time counts"));
}

TEST(Gap, IsJson) { EXPECT_EQ(gap_json("eqiad.x", {0, 2, 5}), R"({"topic":"eqiad.x","partition":0,"from":2,"to":5})"); }

}  // namespace
}  // namespace eventgate
