#include "kafka/kafka_errors.hpp"

#include <gtest/gtest.h>

namespace eventgate {
namespace {

TEST(KafkaErrors, RecordIsInvalid_ScopeIsTheRecord) {
  for (const auto error :
       {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_INVALID_RECORD, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION}) {
    EXPECT_EQ(failure_scope(error), FailureScope::record) << rd_kafka_err2name(error);
    EXPECT_FALSE(is_access_denied(error));
  }
}

TEST(KafkaErrors, TopicIsMissingOrForbidden_ScopeIsTheTopic) {
  EXPECT_EQ(failure_scope(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC), FailureScope::topic);
  EXPECT_EQ(failure_scope(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED), FailureScope::topic);
  EXPECT_TRUE(is_access_denied(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED));
  EXPECT_FALSE(is_access_denied(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC));
}

TEST(KafkaErrors, EveryOtherError_IsTransient) {
  for (const auto error : {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT,
                           RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR__QUEUE_FULL})
    EXPECT_EQ(failure_scope(error), FailureScope::transient) << rd_kafka_err2name(error);
}

TEST(KafkaErrors, OneRecordSpoilsItsRequest_ErrorMayConcernAnother) {
  EXPECT_TRUE(may_concern_another_record(RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE));
  EXPECT_TRUE(may_concern_another_record(RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP));
  EXPECT_FALSE(may_concern_another_record(RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION));
}

TEST(KafkaErrors, ClientHasAFatalError_ReportsOfItsRecordsSaySo) {
  EXPECT_TRUE(is_fatal_producer_error(RD_KAFKA_RESP_ERR__FATAL));
  EXPECT_TRUE(is_fatal_producer_error(RD_KAFKA_RESP_ERR__PURGE_QUEUE));
  EXPECT_FALSE(is_fatal_producer_error(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT));
}

}  // namespace
}  // namespace eventgate
