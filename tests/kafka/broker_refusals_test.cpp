#include "kafka/broker_refusals.hpp"

#include <gtest/gtest.h>

namespace eventgate {
namespace {

using std::chrono::seconds;
using Clock = BrokerRefusals::Clock;

constexpr int kDebian12 = 0x020002ff, kDebian13 = 0x020800ff;

struct Line {
  const char* text;
  const char* topic;  // the topic of a doubtful refusal, or empty
};

// Lines that 2.0.2 and 2.8.0 wrote, with the same text, about librdkafka's mock of a broker.
constexpr Line kLines[] = {
    {"[thrd:127.0.0.1:37855/bootstrap]: 127.0.0.1:37855/1: eqiad.test-1_x [0]: MessageSet with 3 message(s) (MsgId 0, "
     "BaseSeq -1) encountered error: Broker: Not leader for partition (actions Refresh,MsgNotPersisted)",
     "eqiad.test-1_x"},
    {"[thrd:127.0.0.1:46779/bootstrap]: 127.0.0.1:46779/1: eqiad.test-1_x [0]: MessageSet with 3 message(s) (MsgId 0, "
     "BaseSeq -1) encountered error: Broker: Disk error when trying to access log file on disk (actions "
     "Refresh,Retry,MsgNotPersisted)",
     "eqiad.test-1_x"},
    {"[thrd:127.0.0.1:45811/bootstrap]: 127.0.0.1:45811/1: eqiad.test-1_x [0]: MessageSet with 3 message(s) (MsgId 2, "
     "BaseSeq 1) encountered error: Broker: Not leader for partition (actions Refresh,MsgNotPersisted)",
     "eqiad.test-1_x"},
    {"[thrd:127.0.0.1:37589/bootstrap]: 127.0.0.1:37589/1: eqiad.test-1_x [0]: MessageSet with 3 message(s) (MsgId 0, "
     "BaseSeq -1) encountered error: Broker: Not enough in-sync replicas (actions Retry,MsgNotPersisted)",
     ""},
    {"[thrd:127.0.0.1:32823/bootstrap]: 127.0.0.1:32823/1: eqiad.test-1_x [0]: MessageSet with 3 message(s) (MsgId 0, "
     "BaseSeq -1) encountered error: Broker: Message(s) written to insufficient number of in-sync replicas (actions "
     "Retry,MsgPossiblyPersisted)",
     ""},
    {"[thrd:127.0.0.1:41907/bootstrap]: 127.0.0.1:41907/1: eqiad.test-1_x [0]: MessageSet with 3 message(s) (MsgId 0, "
     "BaseSeq -1) encountered error: Unknown broker error (actions Permanent,MsgNotPersisted)",
     ""},
    {"[thrd:127.0.0.1:39609/bootstrap]: 127.0.0.1:39609/1: eqiad.test-1_x [0]: MessageSet with 3 message(s) (MsgId 2, "
     "BaseSeq 1) encountered error: Broker: Message size too large (actions Permanent,MsgNotPersisted)",
     ""},
    {"[thrd:127.0.0.1:45325/bootstrap]: 127.0.0.1:45325/1: eqiad.test-1_x [0]: MessageSet with 3 message(s) (MsgId 2, "
     "BaseSeq 1) encountered error: Broker: Topic authorization failed (actions Permanent,MsgNotPersisted)",
     ""},
    {"[thrd:127.0.0.1:45325/bootstrap]: 127.0.0.1:45325/1: eqiad.test-1_x [0]: MessageSet with 3 message(s) (MsgId 2, "
     "BaseSeq 1) encountered error: Broker: Leader not available (actions Refresh,MsgNotPersisted)",
     ""},
    {"[thrd:a/1]: a/1: t [0]: MessageSet with 1 message(s) (MsgId 2, BaseSeq 1) delivered", ""},
    {"]: MessageSet with  encountered error: Broker: Not leader for partition", ""},
    {" [0]: MessageSet with 1 encountered error: Broker: Not leader for partition", ""},
    {"", ""},
};

TEST(DoubtfullyRefusedTopic, LogLinesOfTestedVersions_TopicIsRead) {
  for (const Line& line : kLines) EXPECT_EQ(doubtfully_refused_topic(line.text).value_or(""), line.topic) << line.text;
}

TEST(BrokerRefusals, OnlyTheVersionsOfDebian12And13AreTested) {
  EXPECT_TRUE(BrokerRefusals::is_tested(kDebian12));
  EXPECT_TRUE(BrokerRefusals::is_tested(kDebian13));
  for (const int version : {0, 0x010900ff, 0x020001ff, 0x020002fe, 0x02000200, 0x020801ff, 0x020b00ff, 0x030000ff})
    EXPECT_FALSE(BrokerRefusals::is_tested(version)) << std::hex << version;
}

constexpr auto kNot = RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
constexpr auto kPossibly = RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED;
constexpr auto kPersisted = RD_KAFKA_MSG_STATUS_PERSISTED;

TEST(BrokerRefusals, RefusalIsLogged_EarlierRecordsOfItsTopicArePossiblyPersisted) {
  BrokerRefusals log(kDebian12);
  const auto before = Clock::now() - seconds(1);
  const auto status = [&](const char* topic, Clock::time_point handed_over) {
    return log.status(kNot, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, -1, topic, handed_over);
  };
  EXPECT_EQ(status("eqiad.test-1_x", before), kNot);
  log.add_line(kLines[0].text);
  EXPECT_EQ(status("eqiad.test-1_x", before), kPossibly);
  EXPECT_EQ(status("eqiad.test-1_x", Clock::now() + seconds(1)), kNot);
  EXPECT_EQ(status("eqiad.test-1", before), kNot);
}

TEST(BrokerRefusals, UnexpectedErrorOrImpliedSuccess_IsPossiblyPersistedInEveryVersion) {
  for (const int version : {kDebian12, kDebian13, 0x030000ff}) {
    const BrokerRefusals log(version);
    EXPECT_EQ(log.status(kNot, RD_KAFKA_RESP_ERR_UNKNOWN, -1, "t", Clock::now()), kPossibly);
    EXPECT_EQ(log.status(kPersisted, RD_KAFKA_RESP_ERR_NO_ERROR, -1, "t", Clock::now()), kPossibly);
    EXPECT_EQ(log.status(kPersisted, RD_KAFKA_RESP_ERR_NO_ERROR, 7, "t", Clock::now()), kPersisted);
    EXPECT_EQ(log.status(kPossibly, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, -1, "t", Clock::now()), kPossibly);
  }
}

TEST(BrokerRefusals, UntestedVersion_WhatTheLogWouldDecideIsPossiblyPersisted) {
  const BrokerRefusals log(0x020b00ff);
  for (const auto error : {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                           RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                           RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR__PURGE_QUEUE})
    EXPECT_EQ(log.status(kNot, error, -1, "t", Clock::now()), kPossibly) << rd_kafka_err2name(error);
  EXPECT_EQ(log.status(kNot, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, -1, "t", Clock::now()), kNot);
}

}  // namespace
}  // namespace eventgate
