#include "oracle/reader_promises.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/sse_blocks.hpp"

namespace eventgate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A topic `t` whose partition 0 has ten events, a0 to a9.
class ReaderPromisesTest : public testing::Test {
 protected:
  ReaderPromisesTest() { write(10, 'a'); }

  void write(int count, char letter) {
    for (int i = 0; i < count; ++i) history.add("t", 0, i, letter + std::to_string(i));
  }
  void read(int first, int end, char letter = 'a') {
    for (int i = first; i < end; ++i) reader.event("t", 0, i, letter + std::to_string(i));
  }

  TopicHistory history;
  ReaderPromises reader{"reader"};
};

TEST_F(ReaderPromisesTest, EachEventOnce_NothingIsBroken) {
  reader.begin("t", 0, 4);
  EXPECT_EQ(reader.missing(history), 6u);
  read(4, 10);
  EXPECT_EQ(reader.missing(history), 0u);
  EXPECT_THAT(reader.judge(history), IsEmpty());
  EXPECT_EQ(reader.events(), 6u);
}

TEST_F(ReaderPromisesTest, EventIsMissing) {
  read(0, 5);
  read(6, 10);
  EXPECT_EQ(reader.missing(history), 1u);
  EXPECT_THAT(reader.judge(history), ElementsAre("reader: t/0 offset 5: is missing"));
  EXPECT_THAT(reader.judge(history), IsEmpty());  // told once
}

TEST_F(ReaderPromisesTest, EventOfAPartitionThatTheFirstIdDidNotName_IsMissing) {
  reader.begin("t", 0, 10);
  history.add("t", 1, 0, "b0");
  EXPECT_THAT(reader.judge(history), ElementsAre("reader: t/1 offset 0: is missing"));
}

TEST_F(ReaderPromisesTest, EventComesTwice) {
  read(0, 10);
  read(9, 10);
  EXPECT_THAT(reader.judge(history), ElementsAre(HasSubstr("came 2 times"), HasSubstr("came after offset 9")));
}

TEST_F(ReaderPromisesTest, EventsAreOutOfOrder) {
  read(0, 8);
  read(9, 10);
  read(8, 9);
  EXPECT_THAT(reader.judge(history), ElementsAre("reader: t/0 offset 8: came after offset 9"));
}

TEST_F(ReaderPromisesTest, EventWasNeverWrittenOrElsewhere) {
  read(0, 9);
  reader.event("t", 0, 10, "a9");
  reader.event("t", 0, 11, "x");
  EXPECT_THAT(reader.judge(history), ElementsAre(HasSubstr("was written at 9"), HasSubstr("was never written: x")));
}

TEST_F(ReaderPromisesTest, DeletedEventsAreMissing_AGapMustSaySo) {
  history.delete_before("t", 0, 3);
  read(3, 10);
  EXPECT_EQ(reader.missing(history), 0u);
  EXPECT_THAT(reader.judge(history), testing::SizeIs(3));
  ReaderPromises told("told");
  told.gap("t", 0, 0, 3);
  for (int i = 3; i < 10; ++i) told.event("t", 0, i, "a" + std::to_string(i));
  EXPECT_THAT(told.judge(history), IsEmpty());
}

TEST_F(ReaderPromisesTest, GapHasAnEventThatIsThere) {
  history.delete_before("t", 0, 3);
  reader.gap("t", 0, 0, 4);
  read(4, 10);
  EXPECT_THAT(reader.judge(history), ElementsAre(HasSubstr("a gap from 0 to 4 has it"), HasSubstr("is missing")));
}

TEST_F(ReaderPromisesTest, TopicIsMadeAnew_ItsEventsMayComeAgainAndNoneIsMissing) {
  read(0, 7);
  history.make_anew("t");
  write(3, 'b');
  reader.gap("t", 0, 7, 0);
  read(0, 2, 'b');
  read(0, 2, 'b');
  EXPECT_THAT(reader.judge(history), ElementsAre("reader: t/0 offset 2: is missing"));
  read(2, 3, 'b');
  EXPECT_THAT(reader.judge(history), IsEmpty());
}

TEST_F(ReaderPromisesTest, TopicWasMadeAnewLongAgo_EachEventComesOnceAgain) {
  read(0, 10);
  history.make_anew("t");
  write(3, 'b');
  reader.gap("t", 0, 10, 0);
  read(0, 3, 'b');
  read(0, 3, 'b');
  EXPECT_THAT(reader.judge(history), IsEmpty());
  history.settle();
  reader.settle();
  for (int i = 3; i < 6; ++i) history.add("t", 0, i, "b" + std::to_string(i));
  read(3, 6, 'b');
  EXPECT_THAT(reader.judge(history), IsEmpty());
  read(2, 3, 'b');
  read(5, 6, 'b');
  EXPECT_THAT(reader.judge(history), ElementsAre(HasSubstr("offset 2: came again"), HasSubstr("offset 5: came 2 times"),
                                                 HasSubstr("offset 5: came after offset 5")));
}

TEST_F(ReaderPromisesTest, GapGoesBackThoughTheTopicIsTheSame) {
  read(0, 10);
  reader.gap("t", 0, 10, 0);
  EXPECT_THAT(reader.judge(history), ElementsAre(HasSubstr("a gap back to 0")));
}

TEST(SseBlocks, BlocksAreGivenWhenTheyAreComplete) {
  SseBlocks blocks;
  EXPECT_THAT(blocks.add(": hello\n\nid: [1]\nevent: gap\ndata: a\nda"), testing::SizeIs(1));
  const auto found = blocks.add("ta:b\r\n\r\nid: [2]\n\ndata: cut");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].event, "gap");
  EXPECT_EQ(found[0].data, "a\nb");
  EXPECT_EQ(found[0].id, "[1]");
  EXPECT_EQ(found[1].data, "");
  EXPECT_EQ(found[1].id, "[2]");
}

}  // namespace
}  // namespace eventgate
