#include "spool/topic_queues.hpp"

#include <gtest/gtest.h>

#include "eventgate/spool/spool_store.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "spool/spool_inbox.hpp"
#include "spool/spool_state.hpp"
#include "support/log_file.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

class TopicQueuesTest : public testing::Test {
 protected:
  /// The queue of `topic`, or one without records.
  TopicQueue queue(const std::string& topic) const {
    const TopicQueue* const found = queues_.find(topic);
    return found == nullptr ? TopicQueue() : *found;
  }
  /// Adds a record as the writer does.
  void store(std::int64_t id, bool attempt_in_flight = false) {
    inbox_.add_spooled("topic", 1);
    queues_.add_stored("topic", id, attempt_in_flight);
  }
  /// Ends a replay with success, and removes the record.
  bool finish_replay(std::int64_t id) { return queues_.remove(*queues_.end_replay(id), id); }
  void begin_replay(std::int64_t id) {
    TopicQueue& queue = *queues_.all().at("topic");
    queue.in_use.insert(id);
    queues_.begin_replay(queue, id, kSpooledAt, std::chrono::steady_clock::now());
  }

  /// 2026-11-22T02:39:06.102Z
  static constexpr std::int64_t kSpooledAt = 1795315146102;

  Metrics metrics_{"test"};
  Telemetry telemetry_{metrics_};
  SpoolInbox inbox_;
  SpoolState state_;
  TopicQueues queues_{inbox_, state_, telemetry_};
};

TEST_F(TopicQueuesTest, RecordWithoutAnAttempt_IsReplayable) {
  store(7);
  EXPECT_TRUE(queue("topic").has_replayable_records());
  EXPECT_FALSE(queues_.has_attempts());
}

TEST_F(TopicQueuesTest, FirstAttemptIsInFlight_RecordIsReplayableOnlyAfterItsReport) {
  store(7, true);
  EXPECT_FALSE(queue("topic").has_replayable_records());
  EXPECT_TRUE(queues_.has_first_attempt(7));
  TopicQueue* const ended = queues_.end_first_attempt(7);
  ASSERT_NE(ended, nullptr);
  ended->in_use.erase(7);
  EXPECT_TRUE(queue("topic").has_replayable_records());
  EXPECT_EQ(queues_.end_first_attempt(7), nullptr);
}

TEST_F(TopicQueuesTest, LastRecordIsRemoved_TopicIsNoLongerSpooled) {
  store(1);
  store(2);
  begin_replay(1);
  begin_replay(2);
  EXPECT_EQ(queues_.replay_count(), 2u);
  EXPECT_FALSE(finish_replay(1));
  EXPECT_TRUE(inbox_.has_spooled_topics());
  EXPECT_TRUE(finish_replay(2));
  EXPECT_TRUE(queues_.is_empty());
  EXPECT_FALSE(inbox_.has_spooled_topics());
}

TEST_F(TopicQueuesTest, LastRecordIsDelivered_OneLineTellsOfAll) {
  const LogFile log;
  for (const std::int64_t id : {1, 2, 3}) store(id);
  for (const std::int64_t id : {1, 2, 3}) {
    begin_replay(id);
    if (id != 2) ++queues_.all().at("topic")->delivered;  // the second is set aside
  }
  for (const std::int64_t id : {1, 2, 3}) {
    EXPECT_TRUE(log.texts().empty());
    finish_replay(id);
  }
  const auto line = log.line();
  EXPECT_EQ(line["level"], 30);
  EXPECT_EQ(line["msg"], "Records of a topic have left the spool for Kafka");
  EXPECT_EQ(line["topic"], "topic");
  EXPECT_EQ(line["records"], 2);
  EXPECT_GE(line["seconds"], 0);
  EXPECT_EQ(line["oldest"], "2026-11-22T02:39:06.102Z");
}

TEST_F(TopicQueuesTest, EarlierRecordIsAdded_ReadingStartsAgainBeforeIt) {
  store(5);
  queues_.all().at("topic")->read_up_to = 5;
  store(3);
  EXPECT_EQ(queue("topic").read_up_to, 2);
}

TEST_F(TopicQueuesTest, AnotherProcessRemovedARecordInUse_ItCountsUntilItsAttemptEnds) {
  const TemporaryFolder folder;
  SpoolStore spool(folder.path(), SpoolStore::Access::own);
  SpooledRecord other;
  other.id = 2;
  other.topic = "topic";
  const SpooledRecord* const added[] = {&other};
  ASSERT_TRUE(spool.apply({.add = added, .remove = {}, .set_aside = {}}));
  store(1);
  begin_replay(1);
  queues_.recount(spool);
  EXPECT_EQ(queue("topic").records, 2u);
  EXPECT_FALSE(finish_replay(1));
  EXPECT_EQ(queue("topic").records, 1u);
}

TEST_F(TopicQueuesTest, AnotherProcessRemovedAllRecords_QueueIsErased) {
  const TemporaryFolder folder;
  SpoolStore spool(folder.path(), SpoolStore::Access::own);
  store(1);
  queues_.publish_count();
  EXPECT_EQ(state_.records, 1u);
  queues_.recount(spool);
  EXPECT_TRUE(queues_.is_empty());
  EXPECT_FALSE(inbox_.has_spooled_topics());
  EXPECT_EQ(state_.records, 0u);
}

}  // namespace
}  // namespace eventgate
