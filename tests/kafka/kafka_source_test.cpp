// Kafka's rare answers to the read side, given by librdkafka's mock of a broker. tests/broker has the tests with a real
// Kafka.
#include "eventgate/kafka/kafka_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "eventgate/telemetry/telemetry.hpp"
#include "support/becomes.hpp"
#include "support/mock_kafka.hpp"
#include "support/source_reading.hpp"
#include "support/topic_writer.hpp"

namespace eventgate {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::SizeIs;

class KafkaSourceOnMock : public testing::Test {
 protected:
  std::unique_ptr<RecordSource> source_with(std::map<std::string, std::string> conf) {
    KafkaSourceOptions options;
    options.conf = std::move(conf);
    options.conf.emplace("metadata.broker.list", kafka_.address());
    return make_kafka_source(std::move(options), telemetry_);
  }

  /// Writes `count` records to partition 0 of the topic.
  void write(int count) {
    std::vector<TopicWriter::Written> records;
    for (int i = 0; i < count; ++i) records.push_back({"topic", "{}", 1700000000000 + i, std::nullopt, 0});
    TopicWriter(kafka_.address()).write(records);
  }

  SourceResult<std::vector<TopicBounds>> bounds(RecordSource& source, seconds time = seconds(30)) {
    const std::vector<std::string> topics{"topic"};
    return source.bounds(topics, soon(time));
  }

  MockKafka kafka_;
  Metrics metrics_{"test"};
  Telemetry telemetry_{metrics_};
};

TEST_F(KafkaSourceOnMock, OptionIsRefused_Throws) {
  EXPECT_THROW(source_with({{"no.such.option", "1"}}), std::invalid_argument);
  EXPECT_THROW(source_with({{"security.protocol", "sasl_plaintext"}, {"sasl.mechanism", "none"}}),
               std::invalid_argument);
}

TEST_F(KafkaSourceOnMock, NoBrokerAnswers_SourceIsAway) {
  const auto source = source_with({{"metadata.broker.list", "127.0.0.1:1"}});
  EXPECT_EQ(source->name(), "kafka");
  EXPECT_TRUE(source->away_reason().has_value());
  const auto found = bounds(*source, seconds(1));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, SourceFailure::Kind::away);
  EXPECT_THAT(found.error().message, HasSubstr("Kafka did not answer in time: "));
  EXPECT_THAT(metrics_.text(), HasSubstr("eventgate_consumer_errors_total{service=\"test\","));
  const TailReader reader(*source, "topic", {{{"topic", 0}, 5}});
}

TEST_F(KafkaSourceOnMock, BrokerRefusesAtFirst_CallIsTriedAgain) {
  rd_kafka_mock_topic_create(kafka_.cluster(), "topic", 1, 1);
  write(3);
  const auto source = source_with({});
  kafka_.answer({RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE},
                kListOffsetsRequest);
  const auto found = bounds(*source);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->at(0).partitions.at(0).end, 3);
  EXPECT_TRUE(becomes([&] { return !source->away_reason(); }));
}

TEST_F(KafkaSourceOnMock, TopicIsNotAuthorised_SourceIsAwayWithTheReason) {
  rd_kafka_mock_topic_create(kafka_.cluster(), "topic", 1, 1);
  rd_kafka_mock_topic_set_error(kafka_.cluster(), "topic", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  const auto source = source_with({});
  const auto found = bounds(*source, seconds(1));
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("topic: Broker: Topic authorization failed"));
}

TEST_F(KafkaSourceOnMock, FetchRequestsFailAndTheBrokerGoesDown_NothingIsLost) {
  rd_kafka_mock_topic_create(kafka_.cluster(), "topic", 1, 1);
  write(3);
  const auto source = source_with({});
  kafka_.answer({RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR}, kFetchRequest);
  TailReader reader(*source, "topic", {{{"topic", 0}, 0}});
  ASSERT_TRUE(reader.read_records(3));
  rd_kafka_mock_broker_set_down(kafka_.cluster(), 1);
  ASSERT_TRUE(becomes([&] { return source->away_reason().has_value(); }));
  EXPECT_FALSE(source->fetch({"topic", 0}, 0, 1, soon(seconds(1))));
  rd_kafka_mock_broker_set_up(kafka_.cluster(), 1);
  ASSERT_TRUE(becomes([&] { return !source->away_reason(); }));
  write(2);
  ASSERT_TRUE(reader.read_records(5));
  EXPECT_THAT(reader.all().records, SizeIs(5));
  EXPECT_THAT(fetch_all(*source, {"topic", 0}, 0, 1), SizeIs(5));
}

}  // namespace
}  // namespace eventgate
