#include "spool/spool_inbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <thread>

namespace eventgate {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Clock = SpoolInbox::Clock;

PendingWrite write(std::int64_t id, const std::string& topic, std::string value = "{}") {
  PendingWrite made;
  made.record.id = id;
  made.record.topic = topic;
  made.record.value = std::move(value);
  return made;
}

std::vector<PendingWrite> writes(const std::vector<std::int64_t>& ids, const std::string& topic = "topic") {
  std::vector<PendingWrite> made;
  for (const std::int64_t id : ids) made.push_back(write(id, topic));
  return made;
}

std::vector<std::int64_t> ids(const std::vector<PendingWrite>& writes) {
  std::vector<std::int64_t> found;
  for (const PendingWrite& each : writes) found.push_back(each.record.id);
  return found;
}

Record record(std::string_view topic) {
  Record made;
  made.topic = topic;
  return made;
}

class SpoolInboxTest : public testing::Test {
 protected:
  /// Returns what the inbox has now.
  SpoolInbox::Work take() { return inbox_.wait(Clock::now()); }
  AttemptBatchPointer batch(Assurance assurance) { return new AttemptBatch(1, assurance, io_.get_executor()); }

  boost::asio::io_context io_;
  SpoolInbox inbox_;
};

TEST_F(SpoolInboxTest, WritesAndReports_AreTakenOnceInOrder) {
  EXPECT_THAT(inbox_.add(writes({1, 2})), IsEmpty());
  inbox_.add_report({1, false, std::nullopt});
  EXPECT_FALSE(inbox_.is_empty());
  const SpoolInbox::Work work = take();
  EXPECT_THAT(ids(work.writes), ElementsAre(1, 2));
  ASSERT_THAT(work.reports, SizeIs(1));
  EXPECT_EQ(work.reports[0].id, 1);
  EXPECT_TRUE(inbox_.is_empty());
  EXPECT_THAT(take().writes, IsEmpty());
}

TEST_F(SpoolInboxTest, TopicIsSpooledUntilItsLastRecordIsRemoved) {
  EXPECT_FALSE(inbox_.has_spooled_topics());
  inbox_.add(writes({1}, "a"));
  inbox_.add_spooled("a", 2);
  const std::vector<Record> records{record("a"), record("a"), record("b")};
  EXPECT_TRUE(inbox_.has_spooled_topics());
  EXPECT_THAT(inbox_.find_spooled(records), ElementsAre(true, true, false));
  inbox_.remove_spooled("a", 2);
  EXPECT_TRUE(inbox_.has_spooled_topics());
  inbox_.remove_spooled("a", 1);
  EXPECT_FALSE(inbox_.has_spooled_topics());
  EXPECT_THAT(inbox_.find_spooled(records), ElementsAre(false, false, false));
}

TEST_F(SpoolInboxTest, WaitingWritesAreTooLarge_OnlyAlreadyAnsweredOnesHaveRoom) {
  std::vector<PendingWrite> large;
  large.push_back(write(1, "topic", std::string(std::size_t{65} << 20, 'x')));
  EXPECT_THAT(inbox_.add(std::move(large)), IsEmpty());
  EXPECT_FALSE(inbox_.has_room());
  std::vector<PendingWrite> more = writes({2, 3});
  more[1].already_answered = true;
  EXPECT_THAT(ids(inbox_.add(std::move(more))), ElementsAre(2));
  EXPECT_THAT(ids(take().writes), ElementsAre(1, 3));
  EXPECT_TRUE(inbox_.has_room());
}

TEST_F(SpoolInboxTest, ClaimIsFalse_WriteIsNotAdded) {
  inbox_.add_claimed(writes({1, 2, 3}), [](std::size_t i, PendingWrite&) { return i != 1; });
  EXPECT_THAT(ids(take().writes), ElementsAre(1, 3));
}

TEST_F(SpoolInboxTest, DeadlinePasses_ItsBatchIsReturned) {
  const AttemptBatchPointer soon = batch(Assurance::guaranteed), later = batch(Assurance::hasty);
  inbox_.add_deadline(Clock::now() + milliseconds(20), soon);
  inbox_.add_deadline(Clock::now() + std::chrono::hours(1), later);
  EXPECT_THAT(inbox_.wait(Clock::now() + std::chrono::hours(1)).expired, ElementsAre(soon));
}

TEST_F(SpoolInboxTest, DeadlineIsSetWhileTheThreadWaits_ItWakesInTime) {
  const AttemptBatchPointer expected = batch(Assurance::guaranteed);
  std::thread other([&] { inbox_.add_deadline(Clock::now() + milliseconds(20), expected); });
  EXPECT_THAT(inbox_.wait(Clock::now() + std::chrono::hours(1)).expired, ElementsAre(expected));
  other.join();
}

TEST_F(SpoolInboxTest, Woken_ReturnsAtOnceAndSaysWhetherItIsFinishing) {
  inbox_.wake(false);
  EXPECT_FALSE(inbox_.wait(Clock::now() + std::chrono::hours(1)).finishing);
  inbox_.wake(true);
  EXPECT_TRUE(inbox_.wait(Clock::now() + std::chrono::hours(1)).finishing);
}

}  // namespace
}  // namespace eventgate
