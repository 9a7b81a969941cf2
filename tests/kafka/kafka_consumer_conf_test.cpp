#include "kafka/kafka_consumer_conf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventgate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

KafkaSourceOptions options_with(std::map<std::string, std::string> conf) {
  KafkaSourceOptions options;
  options.conf = std::move(conf);
  options.conf["metadata.broker.list"] = "broker:9092";
  return options;
}

std::string value_of(const KafkaSourceOptions& options, ConsumerPurpose purpose, const char* name) {
  std::vector<std::string> problems;
  const KafkaConf conf = make_consumer_conf(options, purpose, problems);
  EXPECT_THAT(problems, IsEmpty());
  return kafka_conf_value(*conf, name);
}

TEST(KafkaConsumerConf, OptionsOfProducersAndGroupsAreLeftOut) {
  const KafkaSourceOptions options = options_with({{"group.id", "group"},
                                                   {"enable.auto.commit", "true"},
                                                   {"auto.offset.reset", "latest"},
                                                   {"linger.ms", "7"},
                                                   {"dr_cb", "true"},
                                                   {"security.protocol", "ssl"}});
  EXPECT_EQ(value_of(options, ConsumerPurpose::live, "group.id"), "");
  EXPECT_EQ(value_of(options, ConsumerPurpose::live, "linger.ms"), "5");
  EXPECT_EQ(value_of(options, ConsumerPurpose::live, "auto.offset.reset"), "error");
  EXPECT_EQ(value_of(options, ConsumerPurpose::live, "security.protocol"), "ssl");
}

TEST(KafkaConsumerConf, FetchSizesOfTheLiveClientCanBeSet_ThoseOfReplaysAreBounded) {
  const KafkaSourceOptions options = options_with({{"max.partition.fetch.bytes", "2000000"},
                                                   {"queued.max.messages.kbytes", "100000"},
                                                   {"fetch.wait.max.ms", "500"}});
  EXPECT_EQ(value_of(options, ConsumerPurpose::live, "fetch.message.max.bytes"), "2000000");
  EXPECT_EQ(value_of(options, ConsumerPurpose::live, "queued.max.messages.kbytes"), "100000");
  EXPECT_EQ(value_of(options, ConsumerPurpose::live, "fetch.wait.max.ms"), "500");
  EXPECT_EQ(value_of(options, ConsumerPurpose::replay, "fetch.message.max.bytes"), "524288");
  EXPECT_EQ(value_of(options, ConsumerPurpose::replay, "queued.max.messages.kbytes"), "512");
  EXPECT_EQ(value_of(options, ConsumerPurpose::look_up, "fetch.message.max.bytes"), "1024");
}

TEST(KafkaConsumerConf, DefaultsHoldUnlessAnOptionIsGiven) {
  EXPECT_EQ(value_of(options_with({}), ConsumerPurpose::live, "client.id"), "eventgate-streams");
  EXPECT_EQ(value_of(options_with({{"client.id", "mine"}}), ConsumerPurpose::live, "client.id"), "mine");
  EXPECT_EQ(value_of(options_with({}), ConsumerPurpose::live, "isolation.level"), "read_committed");
  EXPECT_EQ(
      value_of(options_with({{"isolation.level", "read_uncommitted"}}), ConsumerPurpose::replay, "isolation.level"),
      "read_uncommitted");
}

TEST(KafkaConsumerConf, RefusedOptionIsAProblem) {
  KafkaSourceOptions options = options_with({{"no.such.option", "1"}});
  options.topic_conf["offset.store.method"] = "file";
  options.topic_conf["consume.callback.max.messages"] = "x";
  std::vector<std::string> problems;
  make_consumer_conf(options, ConsumerPurpose::live, problems);
  EXPECT_THAT(problems, ElementsAre(HasSubstr("kafka.streams.conf: no.such.option")));
  problems.clear();
  make_consumer_conf(KafkaSourceOptions(), ConsumerPurpose::live, problems);
  EXPECT_THAT(problems, ElementsAre(HasSubstr("metadata.broker.list")));
}

TEST(KafkaConsumerConf, ProducerOptionsAreTold) {
  EXPECT_TRUE(is_kafka_producer_option("compression.codec"));
  EXPECT_FALSE(is_kafka_producer_option("fetch.wait.max.ms"));
  EXPECT_FALSE(is_kafka_producer_option("metadata.broker.list"));
}

}  // namespace
}  // namespace eventgate
