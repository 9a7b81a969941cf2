#include "eventgate/spool/spool_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "eventgate/spool/spool_store.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "support/held_sink.hpp"
#include "support/log_file.hpp"
#include "support/sink_driver.hpp"
#include "support/small_disk.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::SizeIs;

constexpr milliseconds kAtOnce{1};
constexpr milliseconds kNever = hours(24);

std::optional<DeliveryFailure> delivered(const KeptRecord&) { return std::nullopt; }
std::optional<DeliveryFailure> outage(const KeptRecord&) {
  return DeliveryFailure{Delivery::not_produced, "Local: Queue full", FailureScope::transient};
}
std::optional<DeliveryFailure> too_large(const KeptRecord&) {
  return DeliveryFailure{Delivery::not_produced, "Broker: Message size too large", FailureScope::record};
}

std::vector<OwnRecord> records(std::initializer_list<std::string> values, const std::string& topic = "test.event") {
  std::vector<OwnRecord> made;
  for (const std::string& value : values) made.push_back({topic, value, std::nullopt, 0});
  return made;
}

std::vector<OwnRecord> already_answered(std::initializer_list<std::string> values) {
  std::vector<OwnRecord> made = records(values);
  for (OwnRecord& record : made) record.already_answered = true;
  return made;
}

class SpoolSinkTest : public testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/spool"; }

  std::unique_ptr<Sink> sink(milliseconds after, std::size_t max_bytes = 1 << 30) {
    SpoolOptions options;
    options.path = path();
    options.after = after;
    options.max_bytes = max_bytes;
    options.min_free = 0;
    return make_spool_sink(options, std::make_unique<HeldSink>(hold_), telemetry_);
  }

  /// Values of the records in the store, as a tool sees them.
  std::vector<std::string> stored() {
    SpoolStore store(path(), SpoolStore::Access::share);
    std::vector<std::string> values;
    store
        .visit_records([&](SpooledRecord& record) {
          values.push_back(record.value);
          return true;
        })
        .value();
    return values;
  }
  bool becomes_empty() {
    return becomes([this] { return stored().empty(); });
  }
  std::string metrics() const { return metrics_.text(); }

  TemporaryFolder folder_;
  Metrics metrics_{"test"};
  Telemetry telemetry_{metrics_};
  std::shared_ptr<SinkHold> hold_ = std::make_shared<SinkHold>();
  SinkDriver driver_;
};

TEST_F(SpoolSinkTest, KafkaTakesRecordsInTime_NoneIsSpooled) {
  hold_->judge = delivered;
  const auto spool = sink(kNever);
  EXPECT_THAT(outcome_texts(driver_.produce(*spool, records({"a", "b"}))), ElementsAre("success", "success"));
  EXPECT_EQ(driver_.spooled(), 0u);
  EXPECT_THAT(stored(), IsEmpty());
}

TEST_F(SpoolSinkTest, KafkaIsSlow_RecordIsSpooledUntilItsFirstAttemptSucceeds) {
  const auto spool = sink(kAtOnce);
  EXPECT_THAT(outcome_texts(driver_.produce(*spool, records({"a"}))), ElementsAre("success"));
  EXPECT_EQ(driver_.spooled(), 1u);
  EXPECT_THAT(stored(), ElementsAre("a"));
  EXPECT_TRUE(hold_->settle("a"));
  EXPECT_TRUE(becomes_empty());
  EXPECT_THAT(hold_->all(), ElementsAre("a"));
  EXPECT_THAT(metrics(), HasSubstr("outcome=\"acknowledged_late\"} 1"));
}

TEST_F(SpoolSinkTest, SpoolingStartsAndEnds_TheLogSaysSoOnceForTheTopic) {
  const LogFile log;
  hold_->judge = outage;
  const auto spool = sink(kNever);
  driver_.produce(*spool, records({"a"}));
  driver_.produce(*spool, records({"b"}));
  EXPECT_THAT(log.msgs(), ElementsAre("Records of a topic go to the spool"));
  EXPECT_EQ(log.line()["level"], 40);
  EXPECT_EQ(log.line()["topic"], "test.event");
  EXPECT_EQ(log.line()["cause"], "Local: Queue full");
  EXPECT_EQ(log.line()["since"].get<std::string>().size(), 24u);
  hold_->set_judge(delivered);
  EXPECT_TRUE(becomes([&] { return log.texts().size() == 2; }));
  EXPECT_EQ(log.lines()[1]["msg"], "Records of a topic have left the spool for Kafka");
  EXPECT_EQ(log.lines()[1]["records"], 2);
}

TEST_F(SpoolSinkTest, KafkaIsDown_HastyRecordsAreSpooledToo) {
  const auto spool = sink(kAtOnce);
  EXPECT_THAT(outcome_texts(driver_.produce(*spool, records({"a"}), Assurance::hasty)), ElementsAre("success"));
  EXPECT_EQ(driver_.spooled(), 1u);
  EXPECT_THAT(stored(), ElementsAre("a"));
}

TEST_F(SpoolSinkTest, FirstAttemptHasNoReport_RecordAndThoseBehindItAreNotReplayed) {
  const auto spool = sink(kAtOnce);
  driver_.produce(*spool, records({"a"}));
  driver_.produce(*spool, records({"b", "c"}));
  driver_.produce(*spool, records({"other"}, "other"));
  EXPECT_EQ(driver_.spooled(), 4u);
  // The other topic has its own attempt; b and c wait behind a.
  EXPECT_THAT(hold_->all(), ElementsAre("a", "other"));
  hold_->set_judge(delivered);
  EXPECT_TRUE(hold_->settle("a", DeliveryFailure{Delivery::unknown, "Local: Message timed out"}));
  EXPECT_TRUE(becomes([this] { return stored().size() == 1; }));
  EXPECT_THAT(stored(), ElementsAre("other"));
  EXPECT_THAT(hold_->all(), ElementsAre("a", "other", "a", "b", "c"));
}

TEST_F(SpoolSinkTest, ReplaysWithKeysTimestampsAndAssurance) {
  hold_->judge = outage;
  hold_->not_ready_reason = "down";
  const auto spool = sink(kNever);
  driver_.produce(*spool, {{"test.event", "{}", "{\"k\":1}", 1700000000123}}, Assurance::hasty);
  hold_->set_judge({});
  hold_->set_not_ready(std::nullopt);
  EXPECT_TRUE(becomes([this] { return hold_->count() == 1; }));
  const KeptRecord& replayed = hold_->held.front().record;
  EXPECT_EQ(replayed.topic, "test.event");
  EXPECT_EQ(replayed.message_key, "{\"k\":1}");
  EXPECT_EQ(replayed.timestamp, 1700000000123);
  EXPECT_EQ(replayed.assurance, Assurance::hasty);
}

TEST_F(SpoolSinkTest, TopicIsSpooled_NewRecordsAreStoredAtOnceAndReplayedInOrder) {
  hold_->judge = outage;
  hold_->not_ready_reason = "down";
  const auto spool = sink(kNever);
  for (const char* value : {"a", "b", "c", "d"}) driver_.produce(*spool, records({value}));
  EXPECT_EQ(driver_.spooled(), 4u);
  EXPECT_THAT(hold_->all(), ElementsAre("a"));  // the others were not tried
  hold_->set_judge(delivered);
  hold_->set_not_ready(std::nullopt);
  EXPECT_TRUE(becomes_empty());
  EXPECT_THAT(hold_->all(), ElementsAre("a", "a", "b", "c", "d"));
  EXPECT_THAT(metrics(), HasSubstr("outcome=\"replayed\"} 4"));
}

TEST_F(SpoolSinkTest, NewRecordBehindAReplay_IsSentAfterItWithoutTheSpool) {
  hold_->judge = outage;
  hold_->not_ready_reason = "down";
  const auto spool = sink(kNever);
  driver_.produce(*spool, records({"a"}));
  hold_->set_judge({});
  hold_->set_not_ready(std::nullopt);
  EXPECT_TRUE(becomes([this] { return hold_->count() == 1; }));
  auto later = driver_.start(*spool, records({"b"}));
  auto other = driver_.start(*spool, records({"other"}, "other"));
  EXPECT_TRUE(becomes([this] { return hold_->count() == 2; }));
  EXPECT_THAT(hold_->all(), ElementsAre("a", "a", "other"));
  EXPECT_TRUE(hold_->settle("a"));
  EXPECT_TRUE(becomes([this] { return hold_->count() == 2; }));
  EXPECT_THAT(hold_->all(), ElementsAre("a", "a", "other", "b"));
  EXPECT_TRUE(hold_->settle("b"));
  EXPECT_THAT(outcome_texts(later.get()), ElementsAre("success"));
  EXPECT_TRUE(hold_->settle("other"));
  EXPECT_THAT(outcome_texts(other.get()), ElementsAre("success"));
  EXPECT_EQ(driver_.spooled(), 1u);
  EXPECT_TRUE(becomes_empty());
}

TEST_F(SpoolSinkTest, ReplayIsInterrupted_ResumesWithRecordsThatAreNotAcknowledged) {
  hold_->judge = outage;
  hold_->not_ready_reason = "down";
  const auto spool = sink(kNever);
  driver_.produce(*spool, records({"a", "b", "c", "d", "e"}));
  hold_->set_judge([](const KeptRecord& record) { return record.value <= "b" ? delivered(record) : outage(record); });
  hold_->set_not_ready(std::nullopt);
  EXPECT_TRUE(becomes([this] { return stored().size() == 3; }));
  EXPECT_THAT(stored(), ElementsAre("c", "d", "e"));
  hold_->set_judge(delivered);
  EXPECT_TRUE(becomes_empty());
  const auto all = hold_->all();
  EXPECT_THAT(std::vector(all.end() - 3, all.end()), ElementsAre("c", "d", "e"));
}

TEST_F(SpoolSinkTest, SpooledByAStoppedGate_ReplayedByTheNext) {
  hold_->judge = outage;
  hold_->not_ready_reason = "down";
  { driver_.produce(*sink(kNever), records({"a", "b"})); }
  EXPECT_THAT(stored(), ElementsAre("a", "b"));
  const auto spool = sink(kNever);
  driver_.produce(*spool, records({"c"}));
  hold_->set_judge(delivered);
  hold_->set_not_ready(std::nullopt);
  EXPECT_TRUE(becomes_empty());
  const auto all = hold_->all();
  EXPECT_THAT(std::vector(all.end() - 3, all.end()), ElementsAre("a", "b", "c"));
}

TEST_F(SpoolSinkTest, Stop_RecordsInFlightAreSpooled) {
  const auto spool = sink(kNever);
  auto guaranteed = driver_.start(*spool, records({"a"}));
  auto hasty = driver_.start(*spool, records({"b"}), Assurance::hasty);
  EXPECT_TRUE(becomes([this] { return hold_->count() == 2; }));
  spool->stop(std::chrono::steady_clock::now());
  EXPECT_THAT(outcome_texts(guaranteed.get()), ElementsAre("success"));
  EXPECT_THAT(outcome_texts(hasty.get()), ElementsAre("success"));
  EXPECT_EQ(driver_.spooled(), 2u);
  EXPECT_THAT(stored(), ElementsAre("a", "b"));
  EXPECT_THAT(outcome_texts(driver_.produce(*spool, records({"c"}))), ElementsAre(HasSubstr("not_produced: ")));
}

TEST_F(SpoolSinkTest, KafkaWillNeverTakeARecord_ItIsNotSpooled) {
  hold_->judge = too_large;
  const auto spool = sink(kNever);
  EXPECT_THAT(outcome_texts(driver_.produce(*spool, records({"a"}))),
              ElementsAre("not_produced: Broker: Message size too large"));
  EXPECT_THAT(stored(), IsEmpty());
}

TEST_F(SpoolSinkTest, KafkaWillNeverTakeASpooledRecord_ItIsSetAsideAndOthersGoOn) {
  hold_->judge = outage;
  hold_->not_ready_reason = "down";
  const auto spool = sink(kNever);
  driver_.produce(*spool, records({"large", "b"}));
  hold_->set_judge([](const KeptRecord& record) { return record.value == "large" ? too_large(record) : std::nullopt; });
  hold_->set_not_ready(std::nullopt);
  EXPECT_TRUE(becomes([this] { return stored().size() == 1; }));
  EXPECT_THAT(stored(), ElementsAre("large"));
  EXPECT_THAT(metrics(), HasSubstr("outcome=\"set_aside\"} 1"));
  driver_.produce(*spool, records({"c"}));
  EXPECT_EQ(driver_.spooled(), 2u);
}

TEST_F(SpoolSinkTest, RecordIsDamaged_ItIsSetAsideAndOthersGoOn) {
  hold_->judge = outage;
  hold_->not_ready_reason = "down";
  { driver_.produce(*sink(kNever), records({"{\"a\":\"first\"}", "{\"a\":\"second\"}"})); }
  {
    SpoolStore store(path(), SpoolStore::Access::own);
    while (store.shrink()) continue;  // moves the records from the log to the file
  }
  std::fstream file(path() + "/spool.db", std::ios::binary | std::ios::in | std::ios::out);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  file.seekp(static_cast<std::streamoff>(bytes.find("{\"a\":\"first\"}")));
  file << "{\"a\":\"thirst";
  file.close();
  hold_->set_judge(delivered);
  hold_->set_not_ready(std::nullopt);
  const auto spool = sink(kNever);
  EXPECT_TRUE(becomes([this] { return stored().size() == 1; }));
  EXPECT_THAT(hold_->all().back(), "{\"a\":\"second\"}");
  EXPECT_TRUE(
      becomes([this] { return metrics().find("spool_records_set_aside{service=\"test\"} 1") != std::string::npos; }));
}

TEST_F(SpoolSinkTest, FileIsDamagedInUse_ItIsMovedAsideAndTheRestReplayed) {
  hold_->judge = outage;
  hold_->not_ready_reason = "down";
  const std::string filling(1000, 'x');
  std::vector<OwnRecord> many;
  for (int i = 1; i <= 300; ++i) many.push_back({"test.event", filling + std::to_string(i) + ';', std::nullopt, 0});
  { driver_.produce(*sink(kNever), many); }
  {
    SpoolStore store(path(), SpoolStore::Access::own);
    while (store.shrink()) continue;  // moves the records from the log to the file
  }
  const auto spool = sink(kNever);
  {
    // Overwrites the page of a record in the middle.
    std::fstream file(path() + "/spool.db", std::ios::binary | std::ios::in | std::ios::out);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    file.seekp(static_cast<std::streamoff>(bytes.find("x150;") / 16384 * 16384));
    file << std::string(16384, '\xee');
  }
  hold_->set_judge(delivered);
  hold_->set_not_ready(std::nullopt);
  EXPECT_TRUE(becomes([this] { return std::filesystem::exists(path() + "/spool.db.damaged-1"); }));
  EXPECT_TRUE(becomes([this] { return metrics().find("spool_records{service=\"test\"} 0") != std::string::npos; }));
  EXPECT_THAT(stored(), IsEmpty());
  const std::vector<std::string> replayed = hold_->all();
  const std::set<std::string> different(replayed.begin(), replayed.end());
  EXPECT_TRUE(different.contains(filling + "1;"));
  EXPECT_TRUE(different.contains(filling + "300;"));
  EXPECT_GT(different.size(), 270u);

  hold_->set_judge(outage);
  hold_->set_not_ready("down");
  driver_.produce(*spool, records({"new"}));
  EXPECT_EQ(driver_.spooled(), 301u);
  EXPECT_THAT(stored(), ElementsAre("new"));
}

TEST_F(SpoolSinkTest, NoRoomAndKafkaIsDown_RecordsFailWithTheReason) {
  hold_->judge = delivered;
  hold_->not_ready_reason = "down";
  const auto spool = sink(kNever, 1);
  EXPECT_THAT(spool->overload_reason().value_or(""), HasSubstr("spool.max_bytes"));
  EXPECT_THAT(spool->not_ready_reason().value_or(""), "down");
  const auto refused = driver_.produce(*spool, records({"a"}));
  EXPECT_THAT(outcome_texts(refused),
              ElementsAre(HasSubstr("not_produced: Kafka does not take it and the spool has no")));
  EXPECT_EQ(refused[0]->scope, FailureScope::capacity);
  hold_->set_not_ready(std::nullopt);
  EXPECT_EQ(spool->overload_reason(), std::nullopt);
  EXPECT_THAT(outcome_texts(driver_.produce(*spool, records({"b"}))), ElementsAre("success"));
  EXPECT_THAT(hold_->all(), ElementsAre("b"));
}

TEST_F(SpoolSinkTest, NoRoom_AnsweredRecordsWaitInOrder) {
  hold_->judge = delivered;
  hold_->not_ready_reason = "down";
  const auto spool = sink(kNever, 1);
  auto first = driver_.start(*spool, already_answered({"a", "b"}), Assurance::hasty);
  auto second = driver_.start(*spool, already_answered({"c"}), Assurance::hasty);
  EXPECT_THAT(outcome_texts(driver_.produce(*spool, records({"d"}))), ElementsAre(HasSubstr("the spool has no room")));
  hold_->set_not_ready(std::nullopt);
  EXPECT_THAT(outcome_texts(first.get()), ElementsAre("success", "success"));
  EXPECT_THAT(outcome_texts(second.get()), ElementsAre("success"));
  EXPECT_EQ(driver_.spooled(), 0u);
  EXPECT_THAT(hold_->all(), ElementsAre("a", "b", "c"));
}

TEST_F(SpoolSinkTest, NoRoom_FailedAnsweredRecordIsTriedAgain) {
  hold_->judge = outage;
  const auto spool = sink(kNever, 1);
  auto outcomes = driver_.start(*spool, already_answered({"a"}), Assurance::hasty);
  EXPECT_TRUE(becomes([this] { return hold_->all().size() > 2; }));
  hold_->set_judge(delivered);
  EXPECT_THAT(outcome_texts(outcomes.get()), ElementsAre("success"));
}

TEST_F(SpoolSinkTest, NoRoom_AnsweredRecordInFlightThatFailsIsTriedAgain) {
  const auto spool = sink(kAtOnce, 1);
  auto outcomes = driver_.start(*spool, already_answered({"a"}), Assurance::hasty);
  EXPECT_TRUE(becomes([this] { return hold_->count() == 1; }));
  EXPECT_TRUE(hold_->settle("a", DeliveryFailure{Delivery::unknown, "Local: Message timed out"}));
  EXPECT_TRUE(becomes([this] { return hold_->count() == 1; }));
  EXPECT_TRUE(hold_->settle("a"));
  EXPECT_THAT(outcome_texts(outcomes.get()), ElementsAre("success"));
}

TEST_F(SpoolSinkTest, NoRoom_AnsweredRecordFailsOnlyAtStop) {
  hold_->judge = outage;
  const auto spool = sink(kNever, 1);
  auto outcomes = driver_.start(*spool, already_answered({"a"}), Assurance::hasty);
  EXPECT_TRUE(becomes([this] { return hold_->all().size() > 1; }));
  spool->stop(std::chrono::steady_clock::now());
  EXPECT_THAT(outcome_texts(outcomes.get()), ElementsAre(HasSubstr("not_produced: Local: Queue full")));
}

TEST_F(SpoolSinkTest, NoRoom_RecordInFlightGetsKafkasResult) {
  const auto spool = sink(kAtOnce, 1);
  auto first = driver_.start(*spool, records({"a"}));
  auto second = driver_.start(*spool, records({"b"}));
  EXPECT_TRUE(becomes([this] { return hold_->count() == 2; }));
  EXPECT_TRUE(hold_->settle("a"));
  EXPECT_TRUE(hold_->settle("b", DeliveryFailure{Delivery::unknown, "Local: Message timed out"}));
  EXPECT_THAT(outcome_texts(first.get()), ElementsAre("success"));
  EXPECT_THAT(outcome_texts(second.get()), ElementsAre("unknown: Local: Message timed out"));
  EXPECT_EQ(driver_.spooled(), 0u);
}

TEST_F(SpoolSinkTest, DiskIsFull_RecordsFailAsAWholeAndNoneIsLost) {
  const SmallDisk disk(path(), "24m");
  if (!disk.mounted()) GTEST_SKIP() << "a small file system can be mounted by root only";
  hold_->judge = outage;
  hold_->not_ready_reason = "down";
  const auto spool = sink(kNever);
  std::multiset<std::string> kept;
  std::size_t refused = 0;
  for (int i = 0; i < 400; ++i) {
    const std::string value = std::string(60000, 'x') + std::to_string(i);
    const auto outcome = outcome_texts(driver_.produce(*spool, records({value}))).front();
    if (outcome == "success") {
      kept.insert(value);
    } else {
      ++refused;
      EXPECT_THAT(outcome, HasSubstr("not_produced: "));
    }
  }
  EXPECT_GT(kept.size(), 5u);
  EXPECT_GT(refused, 5u);
  const auto found = stored();
  EXPECT_EQ(std::multiset<std::string>(found.begin(), found.end()), kept);
  hold_->set_judge(delivered);
  hold_->set_not_ready(std::nullopt);
  EXPECT_TRUE(becomes_empty());
  EXPECT_THAT(hold_->all(), IsSupersetOf(kept));
}

TEST_F(SpoolSinkTest, TopicHasNoMetadata_ItIsLoadedBeforeRecordsAreSpooled) {
  hold_->topics_without_metadata = {"test.event"};
  const auto spool = sink(kAtOnce);
  auto outcome = driver_.start(*spool, records({"a"}));
  EXPECT_TRUE(becomes([this] {
    const std::lock_guard lock(hold_->mutex);
    return hold_->prefetched_topics.size() > 3;
  }));
  EXPECT_TRUE(hold_->settle("a"));
  EXPECT_THAT(outcome_texts(outcome.get()), ElementsAre("success"));
  EXPECT_EQ(driver_.spooled(), 0u);
}

TEST_F(SpoolSinkTest, ToolDropsRecords_TheyAreNotReplayed) {
  hold_->judge = outage;
  hold_->not_ready_reason = "down";
  const auto spool = sink(kNever);
  driver_.produce(*spool, records({"a", "b"}));
  EXPECT_EQ(SpoolStore(path(), SpoolStore::Access::share).drop(std::nullopt).value(), 2u);
  EXPECT_TRUE(becomes([&] { return spool->degraded_reason() == "down"; }));
  hold_->set_judge(delivered);
  hold_->set_not_ready(std::nullopt);
  driver_.produce(*spool, records({"c"}));
  EXPECT_THAT(hold_->all(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(driver_.spooled(), 2u);
}

TEST_F(SpoolSinkTest, ToolQueuesASetAsideRecordDuringAReplay_BothSettle) {
  hold_->judge = [](const KeptRecord& record) {
    return record.value == "bad" ? too_large(record) : std::optional<DeliveryFailure>();
  };
  hold_->not_ready_reason = "down";
  const auto spool = sink(kNever);
  hold_->set_judge(outage);
  driver_.produce(*spool, records({"first"}));
  driver_.produce(*spool, records({"bad", "b"}));
  hold_->set_judge([](const KeptRecord& record) -> std::optional<DeliveryFailure> {
    return record.value == "bad" ? too_large(record) : std::nullopt;
  });
  hold_->set_not_ready(std::nullopt);
  EXPECT_TRUE(becomes([this] { return stored().size() == 1; }));
  EXPECT_THAT(stored(), ElementsAre("bad"));  // set aside
  // The tool queues the record that was set aside, while the first attempt of another one has no report.
  for (int round = 0; round < 20; ++round) {
    hold_->set_judge(outage);
    hold_->set_not_ready("down");
    driver_.produce(*spool, records({"c"}));
    hold_->set_judge({});
    SpoolStore(path(), SpoolStore::Access::share).requeue_set_aside().value();
    hold_->set_not_ready(std::nullopt);
    EXPECT_TRUE(becomes([this] { return hold_->count() == 2; }));
    // The spool has not counted the queued record yet. The report of the other one must still find its topic.
    EXPECT_TRUE(hold_->settle("bad", too_large({})));
    EXPECT_TRUE(becomes([this] {
      SpoolStore store(path(), SpoolStore::Access::share);
      return store.set_aside_count().value() == 1;
    }));
    EXPECT_TRUE(hold_->settle("c"));
    EXPECT_TRUE(becomes([this] { return stored().size() == 1; }));
  }
}

TEST_F(SpoolSinkTest, ToolRemovesRecordsDuringTheirReplay_OthersAreStillCounted) {
  hold_->judge = outage;
  hold_->not_ready_reason = "down";
  const auto spool = sink(kNever);
  driver_.produce(*spool, records({"a", "b", "c", "d"}));
  hold_->set_judge({});
  hold_->set_not_ready(std::nullopt);
  EXPECT_TRUE(becomes([this] { return hold_->count() == 4; }));
  std::vector<std::int64_t> ids;
  SpoolStore tool(path(), SpoolStore::Access::share);
  tool.visit_records([&](SpooledRecord& record) {
        ids.push_back(record.id);
        return ids.size() < 2;
      })
      .value();
  EXPECT_EQ(tool.drop(ids).value(), 2u);
  // The spool looks for external changes once a second. All four records count before and after that.
  EXPECT_TRUE(hold_->settle("a"));
  EXPECT_TRUE(becomes([this] {
    return metrics().find("eventgate_spool_records{service=\"test\"} 3") != std::string::npos ||
           metrics().find("eventgate_spool_records 3") != std::string::npos;
  }));
  for (const char* value : {"b", "c", "d"}) EXPECT_TRUE(hold_->settle(value));
  EXPECT_TRUE(becomes_empty());
}

TEST_F(SpoolSinkTest, TakesNearlyMaxBytesBeforeItIsFull) {
  hold_->judge = outage;
  hold_->not_ready_reason = "down";
  constexpr std::size_t kMaxBytes = std::size_t{8} << 20;
  const auto spool = sink(kNever, kMaxBytes);
  const std::string value(100000, 'v');
  std::size_t taken = 0;
  while (!spool->overload_reason()) {
    const std::size_t before = driver_.spooled();
    driver_.produce(*spool, records({value}));
    taken += driver_.spooled() - before;
    ASSERT_LT(taken, 200u);
  }
  EXPECT_GT(taken * value.size(), kMaxBytes * 8 / 10);
  EXPECT_LE(taken * value.size(), kMaxBytes);
}

TEST_F(SpoolSinkTest, KafkaIsDown_SinkIsReadyAndDegraded) {
  hold_->judge = outage;
  hold_->not_ready_reason = "Kafka: down";
  const auto spool = sink(kNever);
  EXPECT_EQ(spool->degraded_reason(), "Kafka: down");
  driver_.produce(*spool, records({"a", "b"}));
  EXPECT_EQ(spool->not_ready_reason(), std::nullopt);
  EXPECT_TRUE(becomes([&] { return spool->degraded_reason() == "Kafka: down; 2 records are in the spool"; }));
}

TEST_F(SpoolSinkTest, ClientTimedOut_ReportIsLateAndItsTextIsNotRead) {
  const auto spool = sink(kNever);
  EXPECT_THAT(outcome_texts(driver_.produce(*spool, records({"a"}), Assurance::guaranteed, milliseconds(1))),
              ElementsAre("unknown: no report in time"));
  EXPECT_TRUE(hold_->settle("a", outage({})));
  spool->stop(std::chrono::steady_clock::now() + hours(1));
  EXPECT_THAT(stored(), IsEmpty());
  EXPECT_THAT(metrics(), HasSubstr("eventgate_late_deliveries_total{service=\"test\",outcome=\"failed\","));
}

TEST_F(SpoolSinkTest, ManyThreadsProduceWhileKafkaComesAndGoes_NoRecordIsLost) {
  const auto spool = sink(kAtOnce);
  hold_->set_judge(delivered);
  std::array<SinkDriver, 3> drivers;
  std::vector<std::future<Outcomes>> outcomes;
  std::set<std::string> values;
  for (int round = 0; round < 60; ++round) {
    hold_->set_judge(round % 3 == 0 ? outage : delivered);
    for (std::size_t d = 0; d < drivers.size(); ++d) {
      const std::string value = std::to_string(round) + "." + std::to_string(d);
      outcomes.push_back(drivers[d].start(*spool, records({value, value + "b"}, "topic" + std::to_string(d)),
                                          round % 2 == 0 ? Assurance::guaranteed : Assurance::hasty));
      values.insert({value, value + "b"});
    }
  }
  hold_->set_judge(delivered);
  for (auto& outcome : outcomes) EXPECT_THAT(outcome_texts(outcome.get()), Each("success"));
  EXPECT_TRUE(becomes_empty());
  const auto all = hold_->all();
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()), values);
}

}  // namespace
}  // namespace eventgate
