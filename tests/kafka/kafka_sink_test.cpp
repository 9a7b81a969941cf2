// Kafka's rare answers, given by librdkafka's mock of a broker. tests/broker has the tests with a real Kafka.
#include "eventgate/kafka/kafka_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "eventgate/telemetry/telemetry.hpp"
#include "support/mock_kafka.hpp"
#include "support/sink_driver.hpp"

namespace eventgate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;
using testing::StartsWith;
using Conf = std::map<std::string, std::string>;

class KafkaSinkOnMock : public testing::Test {
 protected:
  std::unique_ptr<Sink> sink_with(const Conf& conf, milliseconds produce_timeout = seconds(10),
                                  const Conf& topic_conf = {}) {
    KafkaSinkOptions options;
    options.guaranteed.conf = conf;
    options.guaranteed.topic_conf = topic_conf;
    options.guaranteed.conf.emplace("metadata.broker.list", kafka_.address());
    options.hasty = options.guaranteed;
    options.produce_timeout = produce_timeout;
    return make_kafka_sink(std::move(options), driver_.executor(), telemetry_);
  }

  static std::vector<OwnRecord> events(int count, const std::string& topic = "topic") {
    return std::vector<OwnRecord>(static_cast<std::size_t>(count), {topic, "{}", std::nullopt, 1700000000123});
  }

  MockKafka kafka_;
  Metrics metrics_{"test"};
  Telemetry telemetry_{metrics_};
  SinkDriver driver_;
};

TEST_F(KafkaSinkOnMock, RecordIsProduced_SinkIsReady) {
  const auto sink = sink_with({});
  EXPECT_EQ(sink->name(), "kafka");
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(3))), Each("success"));
  EXPECT_TRUE(becomes([&] { return !sink->not_ready_reason(); }));
}

TEST_F(KafkaSinkOnMock, TopicIsNotAuthorised_RecordIsNotProduced) {
  const auto sink = sink_with({});
  kafka_.answer({RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
  const Outcomes outcomes = driver_.produce(*sink, events(1));
  EXPECT_THAT(outcome_texts(outcomes), Each("not_produced: Broker: Topic authorization failed"));
  EXPECT_FALSE(outcomes[0]->is_retryable());
  EXPECT_THAT(metrics_.text(), HasSubstr("TOPIC_AUTHORIZATION_FAILED"));
  EXPECT_TRUE(becomes([&] { return outcome_texts(driver_.produce(*sink, events(1)))[0] == "success"; }));
}

TEST_F(KafkaSinkOnMock, RecordIsRefusedForItself_IsNotRetryable) {
  const auto sink = sink_with({});
  for (const rd_kafka_resp_err_t error :
       {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, RD_KAFKA_RESP_ERR_INVALID_RECORD, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE}) {
    for (const Assurance assurance : {Assurance::guaranteed, Assurance::hasty}) {
      kafka_.answer({error, error});  // to the request with others, then to the single record
      const Outcomes outcomes = driver_.produce(*sink, events(1), assurance);
      ASSERT_TRUE(outcomes[0]) << rd_kafka_err2str(error);
      EXPECT_THAT(outcomes[0]->message, StartsWith(rd_kafka_err2str(error)));
      EXPECT_EQ(outcomes[0]->scope, FailureScope::record);
      EXPECT_FALSE(outcomes[0]->is_retryable());
      // The caller of a hasty record may have freed its text.
      EXPECT_EQ(outcomes[0]->value != nullptr, assurance == Assurance::hasty);
      if (outcomes[0]->value) {
        EXPECT_EQ(*outcomes[0]->value, "{}");
      }
    }
  }
}

TEST_F(KafkaSinkOnMock, RequestIsTooLarge_EachRecordIsSentAlone) {
  const auto sink = sink_with({{"linger.ms", "50"}});
  kafka_.answer({RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE});
  auto records = events(3);
  for (OwnRecord& record : records) {
    record.message_key = "key";
    record.already_answered = true;
  }
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records, Assurance::hasty)), Each("success"));
}

TEST_F(KafkaSinkOnMock, Outage_IsRetryable) {
  const auto sink = sink_with({{"retries", "0"}});
  kafka_.answer({RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS});
  EXPECT_TRUE(driver_.produce(*sink, events(1))[0]->is_retryable());
}

TEST_F(KafkaSinkOnMock, TooFewReplicasOnce_IsRetried) {
  const auto sink = sink_with({});
  kafka_.answer({RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS});
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(1))), ElementsAre("success"));
}

TEST_F(KafkaSinkOnMock, TooFewReplicasForLong_RecordIsNotProduced) {
  const auto sink = sink_with({{"retries", "0"}});
  kafka_.answer({RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS});
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(1))),
              ElementsAre("not_produced: Broker: Not enough in-sync replicas"));
}

TEST_F(KafkaSinkOnMock, TooFewReplicasUntilTheTimeout_RecordIsNotProduced) {
  const auto sink = sink_with({}, seconds(3));
  kafka_.answer(std::vector<rd_kafka_resp_err_t>(1000, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(1))), ElementsAre("not_produced: Local: Message timed out"));
}

TEST_F(KafkaSinkOnMock, WrittenToTooFewReplicas_RecordIsUnknown) {
  const auto sink = sink_with({{"retries", "0"}});
  kafka_.answer({RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND});
  EXPECT_THAT(
      outcome_texts(driver_.produce(*sink, events(1))),
      ElementsAre(StartsWith("unknown: Broker: Message(s) written to insufficient number of in-sync replicas")));
}

// A leader that steps down gives this answer also for records that it has written.
TEST_F(KafkaSinkOnMock, BrokerIsNotLeader_RecordIsUnknown) {
  const auto sink = sink_with({}, seconds(3));
  kafka_.answer(std::vector<rd_kafka_resp_err_t>(1000, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(1))), ElementsAre("unknown: Local: Message timed out"));
}

TEST_F(KafkaSinkOnMock, BrokerIsNotLeader_OtherTopicsAndLaterRecordsAreCertain) {
  const auto sink = sink_with({{"retries", "0"}});
  kafka_.answer({RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION});
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(1))), ElementsAre("success"));
  for (const char* topic : {"topic", "another"}) {
    kafka_.answer({RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS});
    EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(1, topic))), ElementsAre(StartsWith("not_produced")));
  }
}

// No earlier try can have written a record that is too large by itself.
TEST_F(KafkaSinkOnMock, BrokerIsNotLeaderThenTooLargeAlone_RecordIsNotProduced) {
  const auto sink = sink_with({});
  for (const Assurance assurance : {Assurance::guaranteed, Assurance::hasty}) {
    kafka_.answer({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,  // to the request with others, then to the single record
                   RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
    const Outcomes outcomes = driver_.produce(*sink, events(1), assurance);
    EXPECT_THAT(outcome_texts(outcomes), ElementsAre(StartsWith("not_produced: Broker: Message size too large")));
    EXPECT_EQ(outcomes[0]->value != nullptr, assurance == Assurance::hasty) << "for its error event";
  }
}

// The try before may have written each record of the request.
TEST_F(KafkaSinkOnMock, BrokerIsNotLeaderThenTooLargeTogether_GuaranteedIsUnknownAndAnsweredIsSentAlone) {
  const auto sink = sink_with({});
  kafka_.answer({RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(1))),
              ElementsAre(StartsWith("unknown: Broker: Message size too large")));
  kafka_.answer({RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(1), Assurance::hasty)), ElementsAre("success"));
}

TEST_F(KafkaSinkOnMock, UnexpectedErrorOfTheBroker_RecordIsUnknown) {
  const auto sink = sink_with({});
  kafka_.answer({RD_KAFKA_RESP_ERR_UNKNOWN});
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(1))), ElementsAre("unknown: Unknown broker error"));
}

/// A broker that does not know the producer yet refuses the first of two batches and takes the second. librdkafka then
/// reports the first as delivered.
class KafkaSinkBatchOutOfOrder : public KafkaSinkOnMock {
 protected:
  Outcomes produce(Assurance assurance) {
    const auto sink = sink_with({{"enable.idempotence", "true"}, {"batch.num.messages", "1"}});
    kafka_.answer({RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_NO_ERROR});
    kafka_.answer_after(milliseconds(200));  // both batches are under way before the first answer
    auto two = events(2);
    for (OwnRecord& record : two) {
      record.message_key = "key";
      record.already_answered = assurance == Assurance::hasty;
    }
    return driver_.produce(*sink, two, assurance);
  }
};

TEST_F(KafkaSinkBatchOutOfOrder, LaterBatchIsAcknowledged_EarlierRecordIsUnknown) {
  EXPECT_THAT(outcome_texts(produce(Assurance::guaranteed)),
              ElementsAre("unknown: Kafka has not acknowledged it, only what came after it", "success"));
  EXPECT_EQ(kafka_.records("topic"), 1);
}

TEST_F(KafkaSinkBatchOutOfOrder, LaterBatchIsAcknowledged_EarlierAnsweredRecordIsSentAgain) {
  EXPECT_THAT(outcome_texts(produce(Assurance::hasty)), Each("success"));
  EXPECT_EQ(kafka_.records("topic"), 2);
}

TEST_F(KafkaSinkOnMock, NoAnswerInTime_RecordIsUnknown) {
  const auto sink = sink_with({}, seconds(3));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(1))), ElementsAre("success"));
  kafka_.answer_after(seconds(20));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(1))), ElementsAre("unknown: Local: Message timed out"));
}

TEST_F(KafkaSinkOnMock, FatalError_NextClientProduces) {
  const auto sink = sink_with({{"enable.idempotence", "true"}});
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(1))), ElementsAre("success"));
  kafka_.answer({RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER});
  const auto failed = outcome_texts(driver_.produce(*sink, events(1)));
  EXPECT_THAT(failed, Each(testing::Not("success")));
  EXPECT_TRUE(becomes([&] { return outcome_texts(driver_.produce(*sink, events(1)))[0] == "success"; }));
  EXPECT_TRUE(becomes([&] { return !sink->not_ready_reason(); }));
  EXPECT_THAT(metrics_.text(), HasSubstr("_FATAL"));
}

TEST_F(KafkaSinkOnMock, FatalError_EachQueuedRecordGetsItsReport) {
  const auto sink = sink_with({{"enable.idempotence", "true"}, {"batch.num.messages", "1"}});
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(1))), ElementsAre("success"));
  kafka_.answer({RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER});
  kafka_.answer_after(milliseconds(100));
  const auto outcomes = outcome_texts(driver_.produce(*sink, events(50)));  // returns when every record has its report
  EXPECT_LT(std::count(outcomes.begin(), outcomes.end(), "success"), 50);
  EXPECT_TRUE(becomes([&] { return outcome_texts(driver_.produce(*sink, events(1)))[0] == "success"; }));
}

TEST_F(KafkaSinkOnMock, FatalError_AnsweredRecordsAreSentByTheNextClient) {
  const auto sink = sink_with({{"enable.idempotence", "true"}, {"batch.num.messages", "1"}});
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(1), Assurance::hasty)), ElementsAre("success"));
  kafka_.answer({RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER});
  kafka_.answer_after(milliseconds(100));
  auto already_answered = events(50);
  for (OwnRecord& record : already_answered) record.already_answered = true;
  auto first = driver_.start(*sink, already_answered, Assurance::hasty);
  EXPECT_TRUE(becomes([&] { return metrics_.text().find("_FATAL\"") != std::string::npos; }));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, already_answered, Assurance::hasty)), Each("success"));
  EXPECT_THAT(outcome_texts(first.get()), Each("success"));
  EXPECT_TRUE(becomes([&] { return !sink->not_ready_reason(); }));
}

TEST_F(KafkaSinkOnMock, QueueIsFull_RecordsFailAtOnceAndSinkIsNotReady) {
  const auto sink = sink_with({{"queue.buffering.max.messages", "10"}, {"linger.ms", "500"}});
  const auto outcomes = outcome_texts(driver_.produce(*sink, events(15)));
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), "success"), 10);
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), "not_produced: Local: Queue full"), 5);
  EXPECT_TRUE(becomes([&] { return !sink->not_ready_reason(); }));

  kafka_.answer_after(seconds(2));
  auto waiting = driver_.start(*sink, events(15));
  EXPECT_TRUE(becomes([&] {
    return sink->not_ready_reason().value_or("").find("Local: Queue full (queue.buffering.max.messages") !=
           std::string::npos;
  }));
  waiting.wait();
  kafka_.answer_after(milliseconds(0));
  EXPECT_TRUE(becomes([&] { return !sink->not_ready_reason(); }));
}

TEST_F(KafkaSinkOnMock, QueueIsFull_AnsweredRecordsWait) {
  const auto sink = sink_with({{"queue.buffering.max.messages", "10"}});
  auto already_answered = events(100);
  for (OwnRecord& record : already_answered) record.already_answered = true;
  std::vector<std::future<Outcomes>> outcomes;
  for (int i = 0; i < 5; ++i) outcomes.push_back(driver_.start(*sink, already_answered, Assurance::hasty));
  for (auto& outcome : outcomes) EXPECT_THAT(outcome_texts(outcome.get()), Each("success"));
  EXPECT_TRUE(becomes([&] { return !sink->not_ready_reason(); }));
}

TEST_F(KafkaSinkOnMock, SingleRecords_AreNotLimitedByTheQueue) {
  const auto sink = sink_with({{"queue.buffering.max.messages", "10"}});
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(1), Assurance::hasty)), Each("success"));
  // Both batches are refused before the single-record client has connected.
  kafka_.answer({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  kafka_.answer_after(milliseconds(200));
  auto already_answered = events(20);
  for (OwnRecord& record : already_answered) record.already_answered = true;
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, already_answered, Assurance::hasty)), Each("success"));
}

TEST_F(KafkaSinkOnMock, AnsweredRecordIsLargerThanTheQueue_Fails) {
  const auto sink = sink_with({{"queue.buffering.max.kbytes", "1"}});
  auto already_answered = events(1);
  already_answered[0].already_answered = true;
  already_answered[0].value = std::string(2000, 'x');
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, already_answered, Assurance::hasty)),
              ElementsAre("not_produced: Local: Queue full"));
}

TEST_F(KafkaSinkOnMock, Stop_FailsRecordsThatWaitForRoom) {
  const auto sink = sink_with({{"metadata.broker.list", "127.0.0.1:1"}, {"queue.buffering.max.messages", "10"}});
  auto already_answered = events(30);
  for (OwnRecord& record : already_answered) record.already_answered = true;
  auto waiting = driver_.start(*sink, already_answered, Assurance::hasty);
  driver_.produce(*sink, {{"no/topic", "{}", std::nullopt, 0}});  // by now the records before it are handed over
  sink->stop(std::chrono::steady_clock::now());
  EXPECT_THAT(outcome_texts(waiting.get()), Each("not_produced: Local: Purged in queue"));
}

TEST_F(KafkaSinkOnMock, TopicNameIsInvalid_OnlyItsRecordFails) {
  const auto sink = sink_with({});
  std::vector<OwnRecord> records = events(1);
  for (const std::string& topic : std::vector<std::string>{"", ".", "..", "a/b", "a b", std::string(250, 'a')})
    records.push_back({topic, "{}", std::nullopt, 0});
  const auto outcomes = outcome_texts(driver_.produce(*sink, records));
  EXPECT_EQ(outcomes[0], "success");
  for (std::size_t i = 1; i < outcomes.size(); ++i)
    EXPECT_THAT(outcomes[i], StartsWith("not_produced: Broker: Invalid topic"));
}

TEST_F(KafkaSinkOnMock, AcksIsZeroForHasty_RecordsAreDelivered) {
  KafkaSinkOptions options;
  options.guaranteed.conf["metadata.broker.list"] = kafka_.address();
  options.hasty = options.guaranteed;
  options.hasty.topic_conf["acks"] = "0";
  const auto sink = make_kafka_sink(options, driver_.executor(), telemetry_);
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(1), Assurance::hasty)), ElementsAre("success"));
}

TEST_F(KafkaSinkOnMock, AcksIsZeroForGuaranteed_Throws) {
  for (const char* name : {"acks", "request.required.acks"}) {
    EXPECT_THAT(
        [&] {
          sink_with({{name, "0"}});
        },
        testing::ThrowsMessage<std::invalid_argument>(HasSubstr("acks is 0: expected -1 (all) or at least 1")));
    EXPECT_THAT(
        [&] {
          sink_with({}, seconds(10), {{name, "0"}});
        },
        testing::ThrowsMessage<std::invalid_argument>(HasSubstr("acks is 0")));
  }
}

TEST_F(KafkaSinkOnMock, OptionIsRefused_ThrowsWithItsNameAndReason) {
  EXPECT_THAT(
      [&] {
        sink_with({{"no.such.option", "1"}});
      },
      testing::ThrowsMessage<std::invalid_argument>(
          "kafka.guaranteed.conf: no.such.option: No such configuration property: \"no.such.option\""));
  EXPECT_THAT(
      [&] {
        sink_with({}, seconds(10), {{"client.id", "x"}});
      },
      testing::ThrowsMessage<std::invalid_argument>(StartsWith("kafka.guaranteed.topic_conf: client.id: ")));
  EXPECT_THAT(
      [&] {
        sink_with({{"enable.idempotence", "true"}, {"acks", "1"}});
      },
      testing::ThrowsMessage<std::invalid_argument>(StartsWith("kafka.guaranteed: ")));
}

TEST_F(KafkaSinkOnMock, NoBrokers_ThrowsWithTheExpectedOption) {
  EXPECT_THAT([&] { make_kafka_sink({}, driver_.executor(), telemetry_); },
              testing::ThrowsMessage<std::invalid_argument>(HasSubstr("expected metadata.broker.list")));
}

TEST_F(KafkaSinkOnMock, OptionsOfNodeRdkafka_AreIgnored) {
  const auto sink = sink_with({{"dr_cb", "true"}, {"event_cb", "true"}, {"producer.poll.interval.ms", "100"}});
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, events(1))), ElementsAre("success"));
}

}  // namespace
}  // namespace eventgate
