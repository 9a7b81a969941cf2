#include "promises.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventgate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kText = R"({"meta":{"id":"1","dt":"2026-01-01T00:00:00.000Z"}})";
constexpr const char* kCompleted = R"({"meta":{"id":"1","dt":"2026-01-01T00:00:00.000Z","request_id":"r"}})";
constexpr std::int64_t kTime = 1767225600000;

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
  Promises promises;
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
  EXPECT_THAT(verdict(event_of(Answer::promised), {}, {.gate = true}, counted), ElementsAre("is not in Kafka"));
  EXPECT_THAT(verdict(event_of(Answer::promised), {}, {.broker = true, .gate = true}, {.end = GateLife::End::stopped}),
              ElementsAre("is not in Kafka"));
}

TEST(Promises, ALargeHastyEventIsNoExcuseForAnotherOne) {
  Promises promises;
  SentEvent large = event_of(Answer::promised);
  large.id = "2";
  large.fits = false;
  promises.add(large);
  promises.add(event_of(Answer::promised));
  const std::vector<GateLife> gates{{.end = GateLife::End::stopped, .lost = 1}};
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
    Promises promises;
    promises.add(event_of(answer));
    promises.find_in_spool(kCompleted);
    promises.judge(0, {}, {{}});
    EXPECT_EQ(promises.broken_count(), answer == Answer::produced ? 0u : 1u);
  }
}

TEST(Promises, UnknownNeedsACause) {
  EXPECT_THAT(verdict(event_of(Answer::unknown), {}), ElementsAre("unknown without a cause"));
  EXPECT_THAT(verdict(event_of(Answer::unknown), {}, {.broker = true}), IsEmpty());
  EXPECT_THAT(verdict(event_of(Answer::unknown), {}, {.disk = true}), IsEmpty());
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
  Promises promises;
  promises.add(event);
  promises.find("another", record_of(kCompleted));
  EXPECT_EQ(promises.broken_count(), 1u);
}

TEST(Promises, DuplicatesAreCountedAndKept) {
  Promises promises;
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
