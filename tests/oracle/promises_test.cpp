#include "promises.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace eventgate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kText = R"({"meta":{"id":"1","dt":"2026-01-01T00:00:00.000Z"}})";
constexpr const char* kCompleted = R"({"meta":{"id":"1","dt":"2026-01-01T00:00:00.000Z","request_id":"r"}})";
constexpr std::int64_t kTime = 1767225600000;
constexpr std::chrono::milliseconds kTimeOfKafka{1500};

SentEvent event_of(Answer answer) {
  SentEvent event;
  event.id = "1";
  event.topic = "topic";
  event.text = kText;
  event.additions = {"request_id"};
  event.answer = answer;
  return event;
}

ConsumedRecord record_of(const std::string& value) { return {R"({"id":"1"})", value, kTime, 0}; }

/// What is found broken of one event of one gate, with the faults and the records given.
std::vector<std::string> verdict(const SentEvent& event, const std::vector<ConsumedRecord>& records,
                                 const RoundFaults& faults = {}, const GateLife& gate = {}) {
  Promises promises(kTimeOfKafka);
  promises.add(event);
  for (const ConsumedRecord& record : records) promises.find("topic", record);
  promises.judge(0, faults, {gate});
  std::vector<std::string> broken;
  for (const auto& [ignored, what] : promises.take_broken()) broken.push_back(what.substr(0, what.find(':')));
  EXPECT_EQ(promises.broken_count(), broken.size());
  return broken;
}

TEST(Promises, AnEventAnswered201IsInKafka) {
  EXPECT_THAT(verdict(event_of(Answer::produced), {record_of(kCompleted)}), IsEmpty());
  EXPECT_THAT(verdict(event_of(Answer::produced), {}), ElementsAre("is not in Kafka"));
}

TEST(Promises, AnEventAnswered201IsInTheFileToo) {
  EXPECT_THAT(verdict(event_of(Answer::produced), {record_of(kCompleted)}, {}, {.file = true}),
              ElementsAre("is not in the file"));
}

TEST(Promises, AnEventAnswered202IsInKafkaUnlessTheGateWasKilled) {
  EXPECT_THAT(verdict(event_of(Answer::promised), {}), ElementsAre("is not in Kafka"));
  EXPECT_THAT(verdict(event_of(Answer::promised), {}, {.gate = true}, {.end = GateLife::End::killed}), IsEmpty());
}

TEST(Promises, AStoppedGateMayLoseWhatItCountsWhileTheBrokerIsAway) {
  const GateLife counted{.end = GateLife::End::stopped, .lost = 1};
  EXPECT_THAT(verdict(event_of(Answer::promised), {}, {.broker = true, .gate = true}, counted), IsEmpty());
  EXPECT_THAT(verdict(event_of(Answer::promised), {}, {.gate = true, .leaders = true}, counted), IsEmpty());
  EXPECT_THAT(verdict(event_of(Answer::promised), {}, {.gate = true}, counted), ElementsAre("is not in Kafka"));
  GateLife late = counted;
  late.gave_up = true;
  EXPECT_THAT(verdict(event_of(Answer::promised), {}, {.gate = true}, late), IsEmpty());
  EXPECT_THAT(verdict(event_of(Answer::promised), {}, {.broker = true, .gate = true}, {.end = GateLife::End::stopped}),
              ElementsAre("is not in Kafka"));
}

TEST(Promises, ALargeHastyEventIsNoExcuseForAnotherOne) {
  Promises promises(kTimeOfKafka);
  SentEvent large = event_of(Answer::promised);
  large.id = "2";
  large.fits = false;
  promises.add(large);
  promises.add(event_of(Answer::promised));
  const std::vector<GateLife> gates{{.end = GateLife::End::stopped, .lost = 1, .lost_error_events = true}};
  EXPECT_EQ(promises.missing(0, gates), 1u);
  promises.judge(0, {.broker = true, .gate = true}, gates);
  EXPECT_EQ(promises.broken_count(), 1u);
}

TEST(Promises, AnEventThatIsNotProducedIsNowhere) {
  EXPECT_THAT(verdict(event_of(Answer::not_produced), {}), IsEmpty());
  EXPECT_THAT(verdict(event_of(Answer::not_produced), {record_of(kCompleted)}),
              ElementsAre("is in Kafka though it is not produced"));
  EXPECT_THAT(verdict(event_of(Answer::refused), {record_of(kCompleted)}),
              ElementsAre("is in Kafka though it is not produced"));
  SentEvent filed = event_of(Answer::not_produced);
  filed.filed = 1;
  EXPECT_THAT(verdict(filed, {}), ElementsAre("is in a file though it is not produced"));
}

TEST(Promises, TheSpoolIsAsGoodAsKafka) {
  for (const Answer answer : {Answer::produced, Answer::not_produced}) {
    Promises promises(kTimeOfKafka);
    promises.add(event_of(answer));
    promises.find_in_spool(kCompleted);
    promises.judge(0, {}, {{}});
    EXPECT_EQ(promises.broken_count(), answer == Answer::produced ? 0u : 1u);
  }
}

TEST(Promises, UnknownNeedsACause) {
  EXPECT_THAT(verdict(event_of(Answer::unknown), {}), ElementsAre("unknown without a cause"));
  EXPECT_THAT(verdict(event_of(Answer::unknown), {}, {.gate = true}), ElementsAre("unknown without a cause"));
  EXPECT_THAT(verdict(event_of(Answer::unknown), {}, {.broker = true}), IsEmpty());
  EXPECT_THAT(verdict(event_of(Answer::unknown), {}, {.disk = true}), IsEmpty());
  EXPECT_THAT(verdict(event_of(Answer::unknown), {}, {.leaders = true}), IsEmpty());
}

// A fault is a cause in its own round only, whatever was before.
TEST(Promises, UnknownInTheRoundAfterAFaultNeedsACauseOfItsOwn) {
  Promises promises(kTimeOfKafka);
  SentEvent next = event_of(Answer::unknown);
  next.id = "2";
  next.round = 1;
  promises.add(event_of(Answer::unknown));
  promises.add(next);
  promises.judge(0, {.broker = true}, {{}});
  EXPECT_EQ(promises.broken_count(), 0u);
  promises.judge(1, {}, {{}});
  EXPECT_EQ(promises.broken_count(), 1u);
}

TEST(Promises, UnknownOfAnEventThatKafkaHadItsTimeForIsKept) {
  SentEvent event = event_of(Answer::unknown);
  event.took = kTimeOfKafka - std::chrono::milliseconds(1);
  EXPECT_THAT(verdict(event, {}), ElementsAre("unknown without a cause"));
  event.took = kTimeOfKafka;
  EXPECT_THAT(verdict(event, {}), IsEmpty());
}

SentEvent large_event(Answer answer) {
  SentEvent event = event_of(answer);
  event.fits = false;
  event.answer_text = "500 not_produced: Broker: Message size too large: the record has 3000 bytes";
  return event;
}

std::string error_event(const std::string& stream = "topic", const std::string& type = "record",
                        const std::string& raw = kCompleted) {
  return nlohmann::json{{"error_type", type}, {"errored_stream_name", stream}, {"raw_event", raw}}.dump();
}

/// What is broken after `value` is read from Kafka.
std::vector<std::string> verdict_of_error_event(const SentEvent& event, const std::string& value) {
  Promises promises(kTimeOfKafka);
  promises.add(event);
  promises.find_error_event(value);
  promises.judge(0, {}, {{}});
  std::vector<std::string> broken;
  for (const auto& [ignored, what] : promises.take_broken()) broken.push_back(what.substr(0, what.find(':')));
  return broken;
}

TEST(Promises, AnEventThatIsTooLargeHasAnErrorEvent) {
  for (const Answer answer : {Answer::not_produced, Answer::promised}) {
    EXPECT_THAT(verdict_of_error_event(large_event(answer), error_event()), IsEmpty());
    EXPECT_THAT(verdict(large_event(answer), {}), ElementsAre("has no error event"));
    EXPECT_THAT(verdict(large_event(answer), {}, {}, {.end = GateLife::End::killed}), IsEmpty());
    const GateLife stopped{.end = GateLife::End::stopped};
    EXPECT_THAT(verdict(large_event(answer), {}, {}, stopped), ElementsAre("has no error event"));
    EXPECT_THAT(verdict(large_event(answer), {}, {}, {.lost_error_events = true}), IsEmpty());
  }
  SentEvent other = large_event(Answer::not_produced);
  other.answer_text = "500 not_produced: Local: Message timed out";
  EXPECT_THAT(verdict(other, {}), IsEmpty()) << "it was not refused for its size";
}

TEST(Promises, StopTookAllItsTime_OnlyAnAnswered202NeedsNoErrorEvent) {
  const GateLife gave_up{.end = GateLife::End::stopped, .gave_up = true};
  EXPECT_THAT(verdict(large_event(Answer::promised), {}, {}, gave_up), IsEmpty());
  EXPECT_THAT(verdict(large_event(Answer::not_produced), {}, {}, gave_up), ElementsAre("has no error event"));
}

TEST(Promises, AnErrorEventIsAwaited) {
  Promises promises(kTimeOfKafka);
  promises.add(large_event(Answer::not_produced));
  EXPECT_EQ(promises.missing(0, {{}}), 1u);
  promises.find_error_event(error_event());
  EXPECT_EQ(promises.missing(0, {{}}), 0u);
}

TEST(Promises, AHastyEventThatASpoolOrAFileTookNeedsNoErrorEvent) {
  EXPECT_THAT(verdict(large_event(Answer::promised), {}, {}, {.file = true}), IsEmpty());
  Promises promises(kTimeOfKafka, true);
  promises.add(large_event(Answer::promised));
  promises.judge(0, {}, {{}});
  EXPECT_EQ(promises.broken_count(), 0u);
}

TEST(Promises, AnErrorEventIsOfAnEventThatWasRefusedForItsSize) {
  const SentEvent large = large_event(Answer::not_produced);
  EXPECT_THAT(verdict_of_error_event(large, error_event("another")),
              testing::Contains("has an error event in Kafka that is wrong"));
  EXPECT_THAT(verdict_of_error_event(large, error_event("topic", "validation")),
              testing::Contains("has an error event in Kafka that is wrong"));
  EXPECT_THAT(verdict_of_error_event(large, error_event("topic", "record", kText)),
              testing::Contains(HasSubstr("what is in an error event in Kafka")));
  EXPECT_THAT(verdict_of_error_event(large, "no JSON"), testing::Contains(HasSubstr("was never sent")));
  EXPECT_THAT(verdict_of_error_event(event_of(Answer::none), error_event()),
              testing::Contains("has an error event in Kafka though it fits"));
  EXPECT_THAT(verdict_of_error_event(large_event(Answer::unknown), error_event()),
              testing::Contains("has an error event in Kafka though its answer is another"));
}

TEST(Promises, AnErrorEventMayBeInAFile) {
  Promises promises(kTimeOfKafka);
  SentEvent large = large_event(Answer::not_produced);
  promises.add(large);
  promises.find_in_file(error_event());
  EXPECT_EQ(promises.broken_count(), 0u);
  promises.find_in_file(error_event("another"));
  EXPECT_EQ(promises.broken_count(), 1u);
}

TEST(Promises, AnErrorEventMayBeInTheSpool) {
  Promises promises(kTimeOfKafka, true);
  promises.add(large_event(Answer::not_produced));
  promises.find_in_spool(error_event());
  EXPECT_EQ(promises.broken_count(), 0u);
  promises.find_in_spool(error_event("another"));
  EXPECT_EQ(promises.broken_count(), 1u);
}

TEST(Promises, NoAnswerNeedsACause) {
  EXPECT_THAT(verdict(event_of(Answer::none), {}, {.broker = true}), ElementsAre("no answer"));
  EXPECT_THAT(verdict(event_of(Answer::none), {}, {.gate = true}), IsEmpty());
  SentEvent cut = event_of(Answer::none);
  cut.cut = true;
  EXPECT_THAT(verdict(cut, {record_of(kCompleted)}), IsEmpty());
}

TEST(Promises, AnotherAnswerIsBroken) {
  EXPECT_THAT(verdict(event_of(Answer::wrong), {}), ElementsAre("no such answer is expected"));
}

TEST(Promises, ARecordIsTheEventAsItWasCompleted) {
  const SentEvent event = event_of(Answer::none);
  const RoundFaults gate{.gate = true};
  for (const char* value :
       {R"({"meta":{"id":"1","dt":"2026-01-01T00:00:00.000Z"}})",
        R"({"meta":{"id":"1","dt":"2026-01-01T00:00:00.000Z","request_id":"r","x":"y"}})",
        R"({"meta":{"id":"1", "dt":"2026-01-01T00:00:00.000Z","request_id":"r"}})",
        R"({"meta":{"id":"1","dt":"2026-01-01T00:00:00.000Z","request_id":"r"}} )",
        R"({"meta":{"id":"1","dt":"2026-01-01T00:00:00.000Z","request_id":"r"})", R"({"meta":{"id":"2"}})"})
    EXPECT_EQ(verdict(event, {record_of(value)}, gate).size(), 1u) << value;
  ConsumedRecord record = record_of(kCompleted);
  record.key = "other";
  EXPECT_THAT(verdict(event, {record}, gate), ElementsAre("has the key other"));
  record = record_of(kCompleted);
  record.timestamp += 1;
  EXPECT_THAT(verdict(event, {record}, gate), ElementsAre(HasSubstr("has the time 1767225600001")));
  Promises promises(kTimeOfKafka);
  promises.add(event);
  promises.find("another", record_of(kCompleted));
  EXPECT_EQ(promises.broken_count(), 1u);
}

TEST(Promises, DuplicatesAreCountedAndKept) {
  Promises promises(kTimeOfKafka);
  promises.add(event_of(Answer::produced));
  promises.find("topic", record_of(kCompleted));
  promises.find("topic", record_of(kCompleted));
  promises.judge(0, {}, {{}});
  EXPECT_EQ(promises.duplicates(), 1u);
  EXPECT_EQ(promises.obligations(), 3u);
  EXPECT_EQ(promises.broken_count(), 0u);
}

}  // namespace
}  // namespace eventgate
