#include "readers/topic_ring.hpp"

#include <gmock/gmock.h>

namespace eventgate {
namespace {

constexpr std::uint64_t kFirst = TopicRing::kFirstNumber;

RingItem frame_item(std::int64_t offset, std::size_t bytes = 2, std::int32_t partition = 0) {
  Frame frame;
  frame.partition = partition;
  frame.offset = offset;
  frame.timestamp = 1000 + offset;
  frame.text = std::string(bytes, 'x');
  return RingItem::of(std::move(frame));
}

RingItem gap_item(std::int64_t from, std::int64_t to, std::int32_t partition = 0) {
  return {RingItem::Kind::gap, nullptr, {partition, from, to}};
}

ReaderPositions at(std::int64_t offset) { return ReaderPositions({"a"}, {{"a", 0, offset, std::nullopt}}); }

TopicRing ring_from(std::int64_t offset, std::size_t max_bytes = 1 << 20) {
  const std::vector<PartitionOffset> begin{{{"a", 0}, offset}};
  return TopicRing("a", max_bytes, begin);
}

TEST(TopicRing, Find_IsTheFirstItemThatIsWanted) {
  TopicRing ring = ring_from(5);
  ring.append({frame_item(5), frame_item(6), frame_item(9)});
  ReaderPositions positions = at(7);
  EXPECT_EQ(ring.find(positions, 0), kFirst + 2);
  positions = at(20);
  EXPECT_EQ(ring.find(positions, 0), kFirst + 3);
}

TEST(TopicRing, Find_FailsBeforeItsFront) {
  TopicRing ring = ring_from(5);
  ReaderPositions positions = at(4);
  EXPECT_FALSE(ring.find(positions, 0));
}

TEST(TopicRing, OldestItemsGoAtTheBound) {
  TopicRing ring = ring_from(0, 1000);
  for (std::int64_t offset = 0; offset < 10; ++offset) ring.append({frame_item(offset, 300)});
  EXPECT_LE(ring.bytes(), 1000u);
  ReaderPositions positions = at(5);
  EXPECT_FALSE(ring.find(positions, 0));
  positions = at(8);
  EXPECT_EQ(ring.find(positions, 0), kFirst + 8);
  std::vector<RingItem> items;
  EXPECT_FALSE(ring.read(kFirst, kFirst + 10, 10, items));
  EXPECT_TRUE(ring.read(kFirst + 8, kFirst + 10, 10, items));
  EXPECT_EQ(items.size(), 2u);
}

TEST(TopicRing, TopicMadeAnew_DropsWhatWasBefore) {
  TopicRing ring = ring_from(0);
  ring.append({frame_item(0), frame_item(1), gap_item(2, 0), frame_item(0)});
  ReaderPositions positions = at(1);
  EXPECT_EQ(ring.find(positions, 0), kFirst + 2);
  std::vector<RingItem> items;
  EXPECT_FALSE(ring.read(kFirst, kFirst + 4, 10, items));
}

TEST(TopicRing, TopicMadeAnewHasTwoPartitions_TheGapOfEachStays) {
  TopicRing ring = ring_from(0);
  ring.append({frame_item(0), frame_item(0, 2, 1), gap_item(1, 0), gap_item(1, 0, 1), frame_item(0)});
  std::vector<RingItem> items;
  ASSERT_TRUE(ring.read(kFirst + 2, kFirst + 5, 10, items));
  ASSERT_EQ(items.size(), 3u);
  EXPECT_EQ(items[0].kind, RingItem::Kind::gap);
  EXPECT_EQ(items[0].partition(), 0);
  EXPECT_EQ(items[1].kind, RingItem::Kind::gap);
  EXPECT_EQ(items[1].partition(), 1);
}

TEST(TopicRing, RecordAt_KnowsWhatItHasAlone) {
  TopicRing ring = ring_from(5);
  ring.append({frame_item(5), frame_item(8)});
  EXPECT_EQ(ring.record_at(0, 8)->timestamp, 1008);
  EXPECT_EQ(ring.record_at(0, 6)->offset, 8);
  EXPECT_FALSE(ring.record_at(0, 4));
  EXPECT_FALSE(ring.record_at(0, 9));
}

TEST(TopicRing, PartitionThatStartsLater_IsGivenToReadersWithoutIt) {
  TopicRing ring = ring_from(0);
  ring.append({{RingItem::Kind::started, nullptr, {1, 0, 0}}, frame_item(0, 2, 1)});
  ReaderPositions positions = at(0);
  ASSERT_TRUE(ring.find(positions, 0));
  ASSERT_TRUE(positions.find(0, 1));
  EXPECT_EQ(positions.find(0, 1)->offset, 0);
}

TEST(TopicRing, PartitionThatATopicMadeAnewDoesNotHave_IsNotSentAgain) {
  const std::vector<PartitionOffset> begin{{{"a", 0}, 0}, {{"a", 1}, 0}};
  TopicRing ring("a", 1 << 20, begin);
  ring.append({frame_item(0, 2, 1), frame_item(1, 2, 1), gap_item(5, 0), frame_item(0)});
  ReaderPositions positions = at(0);
  ASSERT_TRUE(ring.find(positions, 0));
  ASSERT_TRUE(positions.find(0, 1));
  EXPECT_EQ(positions.find(0, 1)->offset, 2);
}

TEST(TopicRing, OlderRecordsArePutInFront) {
  TopicRing ring = ring_from(5);
  ring.append({frame_item(5), frame_item(6)});
  const std::vector<TopicRing::Older> parts{{0, 2, 5}};
  ring.prepend(parts, {frame_item(2), frame_item(4)});
  ReaderPositions positions = at(2);
  EXPECT_EQ(ring.find(positions, 0), kFirst - 2);
  positions = at(3);
  EXPECT_EQ(ring.find(positions, 0), kFirst - 1);
  positions = at(6);
  EXPECT_EQ(ring.find(positions, 0), kFirst + 1);
  positions = at(1);
  EXPECT_FALSE(ring.find(positions, 0));
  EXPECT_EQ(ring.record_at(0, 3)->offset, 4);
  std::vector<RingItem> items;
  ASSERT_TRUE(ring.read(kFirst - 2, kFirst + 2, 10, items));
  EXPECT_EQ(items.size(), 4u);
  EXPECT_EQ(items[1].frame->offset, 4);
}

TEST(TopicRing, OlderRecordsDoNotFit_RingStaysAsItIs) {
  TopicRing ring = ring_from(5, 1000);
  ring.append({frame_item(5, 300)});
  ring.prepend(std::vector<TopicRing::Older>{{0, 4, 5}}, {frame_item(4, 600)});   // too many bytes
  ring.prepend(std::vector<TopicRing::Older>{{0, 3, 4}}, {frame_item(3)});        // not the front
  ring.prepend(std::vector<TopicRing::Older>{{1, 0, 1}}, {frame_item(0, 2, 1)});  // not known
  ReaderPositions positions = at(4);
  EXPECT_FALSE(ring.find(positions, 0));
  EXPECT_EQ(ring.room(), 1000 - ring.bytes());
}

TEST(ReaderPositions, NewGenerationOfATopic_SendsBackOnlyWhoWasInTheOldOne) {
  ReaderPositions old = at(7);
  EXPECT_EQ(old.take(0, "a", gap_item(7, 0)), ReaderPositions::Step::gap);
  EXPECT_EQ(old.find(0, 0)->offset, 0);
  ReaderPositions fresh = at(3);
  EXPECT_EQ(fresh.take(0, "a", gap_item(7, 0)), ReaderPositions::Step::nothing);
  EXPECT_EQ(fresh.find(0, 0)->offset, 3);
}

TEST(ReaderPositions, ReaderBehindTheEndOfATopicMadeAnew_IsSentBackOnce) {
  TopicRing ring = ring_from(0);
  ring.append({frame_item(0), frame_item(1), frame_item(2)});
  EXPECT_EQ(ring.generation(), 0u);
  ring.append({gap_item(3, 0), frame_item(0), frame_item(1)});
  EXPECT_EQ(ring.generation(), 1u);
  ReaderPositions positions = at(1);
  positions.mark_old(0);
  EXPECT_EQ(positions.take(0, "a", gap_item(3, 0)), ReaderPositions::Step::gap);
  EXPECT_EQ(positions.gap().from, 1);
  EXPECT_EQ(positions.find(0, 0)->offset, 0);
  positions.take(0, "a", frame_item(0));
  EXPECT_EQ(positions.take(0, "a", gap_item(3, 0)), ReaderPositions::Step::nothing);
  EXPECT_EQ(positions.find(0, 0)->offset, 1);
}

TEST(ReaderPositions, SkippedRecord_MovesThePositionOn) {
  ReaderPositions positions = at(0);
  Frame skipped;
  skipped.timestamp = 500;
  skipped.skip = SkipCause::not_json;
  EXPECT_EQ(positions.take(0, "a", RingItem::of(std::move(skipped))), ReaderPositions::Step::nothing);
  EXPECT_EQ(positions.find(0, 0)->offset, 1);
  EXPECT_EQ(positions.find(0, 0)->timestamp, 501);
}

}  // namespace
}  // namespace eventgate
