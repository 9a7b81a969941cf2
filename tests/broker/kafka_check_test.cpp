// `eventgate check`, as a process, of what is to be said about Kafka.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "kafka_check_run.hpp"
#include "support/gate_process.hpp"
#include "support/kafka_broker.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_certificate.hpp"

namespace eventgate {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// The lines of what was printed that begin with `kind`.
std::string lines(const GateRun& run, const std::string& kind) {
  std::istringstream all(run.output);
  std::string found;
  for (std::string line; std::getline(all, line);)
    if (line.starts_with(kind)) found += line + '\n';
  return found;
}

TEST(KafkaCheck, TopicsOfOneReplicaAreThere_WarnsOnly) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaBroker& kafka = KafkaBroker::shared();
  const std::string prefix = fresh_topic();
  kafka.create_topic(prefix + ".a");
  const GateRun run = check(prefix, {"a"}, brokers(kafka.address()));
  EXPECT_EQ(run.output,
            "warning: kafka: the replication factor is 1: expected at least 3, so that events are kept and taken while "
            "one broker is away: the topic '" +
                prefix +
                ".a'\n"
                "warning: kafka: min.insync.replicas is 1: expected at least 2, so that a 201 survives the loss of one "
                "broker: the topic '" +
                prefix + ".a'\nno problems\n");
  EXPECT_EQ(run.status, 0);
}

// What topics have is of no use then, so nothing is said of it.
TEST(KafkaCheck, AcksThatAreNotAll_WarnsOfEachProducer) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaBroker& kafka = KafkaBroker::shared();
  const std::string prefix = fresh_topic();
  kafka.create_topic(prefix + ".a");
  const GateRun run =
      check(prefix, {"a"}, brokers(kafka.address(), "acks: 1") + "  hasty: {topic_conf: {request.required.acks: 0}}\n");
  EXPECT_EQ(run.output,
            "warning: kafka.guaranteed: acks is 1: expected -1 (all), so that a 201 survives the loss of one broker\n"
            "warning: kafka.hasty: acks is 0: expected -1 (all), so that a 202 survives the loss of one broker\n"
            "no problems\n");
  const GateRun all = check(prefix, {}, brokers(kafka.address(), "acks: all"));
  EXPECT_EQ(all.output, "no problems\n");
}

TEST(KafkaCheck, OptionsOfATopicMayNotBeRead_WarnsThatTheyAreNotKnown) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaBroker kafka({KafkaBroker::kAcls[0], KafkaBroker::kAcls[1]});
  kafka.create_topic("x.a", 1, {{"min.insync.replicas", "1"}});
  kafka.create_topic("x.b", 1, {{"unclean.leader.election.enable", "true"}});
  kafka.allow_only("x.a", {RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_ACL_OPERATION_DESCRIBE});
  const GateRun run = check("x", {"a", "b"}, brokers(kafka.address()));
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(
      run.output,
      "warning: kafka: the replication factor is 1: expected at least 3, so that events are kept and taken while "
      "one broker is away: the topics 'x.a', 'x.b'\n"
      "warning: kafka: min.insync.replicas is 1: expected at least 2, so that a 201 survives the loss of one "
      "broker: the topic 'x.b'\n"
      "warning: kafka: unclean.leader.election.enable is true: expected false, so that no broker leads that lacks "
      "what was acknowledged: the topic 'x.b'\n"
      "warning: kafka: options of topics are not known (Broker: Topic authorization failed): expected an answer, "
      "and the right to DescribeConfigs, to check max.message.bytes, min.insync.replicas and "
      "unclean.leader.election.enable: the topic 'x.a'\n"
      "no problems\n");
}

TEST(KafkaCheck, TopicsThatTheBrokerWouldCreate_WarnsAndMakesNone) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaBroker& kafka = KafkaBroker::shared();
  const std::string prefix = fresh_topic();
  const GateRun run = check(prefix, {"a", "b"}, brokers(kafka.address()));
  EXPECT_EQ(run.output,
            "warning: kafka: the topics '" + prefix + ".a', '" + prefix +
                ".b' are not there: expected a topic made with the partitions and replicas that it needs; the broker "
                "creates it with its defaults when the first event comes (auto.create.topics.enable)\nno problems\n");
  EXPECT_EQ(run.status, 0);
  EXPECT_FALSE(kafka.has_topic(prefix + ".a"));
}

TEST(KafkaCheck, FindsCompactedTopicsWithoutKeys) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaBroker& kafka = KafkaBroker::shared();
  const std::string prefix = fresh_topic();
  kafka.create_topic(prefix + ".a", 1, {{"cleanup.policy", "compact,delete"}});
  kafka.create_topic(prefix + ".b", 1, {{"cleanup.policy", "delete"}});
  const GateRun run = check(prefix, {"a", "b"}, brokers(kafka.address()));
  EXPECT_EQ(
      lines(run, "problem"),
      "problem: kafka: cleanup.policy is compact,delete: expected message_key_fields of the stream, because Kafka "
      "refuses records without a key there: the topic '" +
          prefix + ".a'\n");
  const TemporaryFolder folder;
  const std::string keyed = folder.write(
      "keyed.yaml", "a: {schema_title: test, message_key_fields: {stream: meta.stream}}\nb: {schema_title: test}\n");
  EXPECT_EQ(lines(check(prefix, {}, "stream_config_uri: " + keyed + "\n" + brokers(kafka.address())), "problem"), "");
}

TEST(KafkaCheck, TimesThatATopicRefuses_WarnsUnlessTheGateBoundsThem) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaBroker& kafka = KafkaBroker::shared();
  const std::string prefix = fresh_topic();
  kafka.create_topic(prefix + ".a", 1, {{"message.timestamp.after.max.ms", "60000"}});
  kafka.create_topic(prefix + ".b", 1,
                     {{"message.timestamp.after.max.ms", "60000"}, {"message.timestamp.type", "LogAppendTime"}});
  kafka.create_topic(prefix + ".c", 1, {{"message.timestamp.after.max.ms", "9223372036854775807"}});
  const auto warning = [&](const std::string& config) {
    std::string found =
        lines(check(prefix, {"a", "b", "c"}, config + brokers(kafka.address())), "warning: kafka: message.");
    return found;
  };
  EXPECT_EQ(warning(""),
            "warning: kafka: message.timestamp.after.max.ms is 60000: expected max_future_dt of at most 60000ms, found "
            "3600000ms, so that an event whose time is further ahead is not refused: the topic '" +
                prefix + ".a'\n");
  EXPECT_THAT(warning("max_future_dt: 0s\n"), HasSubstr("found none"));
  EXPECT_EQ(warning("max_future_dt: 1m\n"), "");
  EXPECT_EQ(warning("dt_field: ''\n"), "");
}

TEST(KafkaCheck, FindsTopicsThatAreNotThereAndMakesNone) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaBroker kafka({"auto.create.topics.enable=false"});
  const std::string prefix = "x";
  kafka.create_topic(prefix + ".a");
  const GateRun run = check(prefix, {"a", "b", "c"}, brokers(kafka.address()));
  EXPECT_EQ(lines(run, "problem"), "problem: kafka: expected the topic '" + prefix + ".b', which is not there\n" +
                                       "problem: kafka: expected the topic '" + prefix + ".c', which is not there\n");
  EXPECT_EQ(run.status, 1);
  EXPECT_FALSE(kafka.has_topic(prefix + ".b"));
}

TEST(KafkaCheck, FindsRecordsThatMayBeLargerThanTheirTopicTakes) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaBroker& kafka = KafkaBroker::shared();
  const std::string prefix = fresh_topic();
  kafka.create_topic(prefix + ".small", 1, {{"max.message.bytes", "2000"}});
  kafka.create_topic(prefix + ".smaller", 1, {{"max.message.bytes", "1000"}});
  kafka.create_topic(prefix + ".usual");
  const GateRun run =
      check(prefix, {"small", "smaller", "usual"},
            brokers(kafka.address(), "message.max.bytes: 1500") + "  hasty: {conf: {message.max.bytes: 4194304}}\n");
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output,
              AllOf(HasSubstr("kafka.guaranteed: message.max.bytes is 1500: expected at most 1000, the "
                              "max.message.bytes of the topic '" +
                              prefix + ".smaller'\n"),
                    HasSubstr("kafka.hasty: message.max.bytes is 4194304: expected at most 2000, the "
                              "max.message.bytes of the topic '" +
                              prefix + ".small'\n"),
                    HasSubstr("expected at most 1048588, the max.message.bytes of the topic '" + prefix + ".usual'\n"),
                    Not(HasSubstr("not there"))));
}

TEST(KafkaCheck, FindsEachBrokerThatDoesNotAnswer) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  const GateRun run = check(fresh_topic(), {}, brokers("127.0.0.1:1, " + KafkaBroker::shared().address()));
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, testing::MatchesRegex("problem: kafka: broker '127.0.0.1:1': expected an answer: .*\n"));
  EXPECT_THAT(run.output, HasSubstr("Connection refused"));
}

TEST(KafkaCheck, FindsBrokersThatAnotherAuthorityVouchesFor) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaBroker kafka({"--tls"});
  const TemporaryFolder folder;
  const auto with_ca = [&](const std::string& file) {
    return check("x", {}, brokers(kafka.tls_address(), "security.protocol: ssl, ssl.ca.location: " + file));
  };
  EXPECT_EQ(with_ca(kafka.ca_file()).output, "no problems\n");
  const GateRun run = with_ca(folder.write("ca.pem", TestCertificate("DNS:localhost").pem()));
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, AllOf(HasSubstr("broker '" + kafka.tls_address() + "'"), HasSubstr("certificate")));
}

TEST(KafkaCheck, ReadSide_ItsBrokersAndTopicsAreAsked) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaBroker& kafka = KafkaBroker::shared();
  const std::string prefix = fresh_topic();
  kafka.create_topic(prefix + ".a");
  const TemporaryFolder folder;
  const std::string streams =
      folder.write("streams.yaml", "a: {topics: [" + prefix + ".a]}\nb: {topics: [" + prefix + ".b]}\n");
  const auto of = [&](const std::string& address) {
    return run_gate(
        {"check", "-c",
         folder.write("read.yaml", "streams: true\nintake: false\nstream_config_uri: " + streams +
                                       "\nkafka: {streams: {conf: {metadata.broker.list: '" + address + "'}}}\n")});
  };
  const GateRun run = of(kafka.address());
  EXPECT_EQ(run.output, "warning: kafka.streams: the topic '" + prefix +
                            ".b' is not there: expected topics with the events of streams; they are read once they "
                            "are there\nno problems\n");
  EXPECT_EQ(run.status, 0);
  const GateRun away = of("127.0.0.1:1");
  EXPECT_EQ(away.status, 1);
  EXPECT_THAT(away.output, HasSubstr("kafka.streams: broker '127.0.0.1:1': expected an answer: "));
}

TEST(KafkaCheck, ReadSideBesideIntake_NothingIsToldTwice) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  const GateRun run = check("x", {"a"}, "streams: true\n" + brokers("127.0.0.1:1"));
  EXPECT_EQ(run.status, 1);
  const std::size_t first = run.output.find("broker '127.0.0.1:1'");
  ASSERT_NE(first, std::string::npos) << run.output;
  EXPECT_EQ(run.output.find("broker '127.0.0.1:1'", first + 1), std::string::npos) << run.output;
}

// Without Kafka.

TEST(KafkaCheck, FindsEveryOptionThatIsRefused) {
  const GateRun run = check("x", {},
                            brokers("127.0.0.1:1", "no.such.option: 1, compression.codec: squeeze") +
                                "  hasty: {conf: {linger.ms: many}, topic_conf: {client.id: x}}\n");
  EXPECT_EQ(run.status, 1);
  // Each with the file; they come in the file's order.
  EXPECT_THAT(
      run.output,
      testing::MatchesRegex(
          "problem: /[^ ]*/config.yaml: kafka.conf.no.such.option is 1, expected an option that librdkafka takes: "
          "No such configuration property: \"no.such.option\"\n"
          "problem: /[^ ]*/config.yaml: kafka.conf.compression.codec is \"squeeze\", expected an option that "
          "librdkafka takes: Invalid value \"squeeze\" for configuration property \"compression.codec\"\n"
          "problem: /[^ ]*/config.yaml: kafka.hasty.conf.linger.ms is \"many\", expected an option that librdkafka "
          "takes: Invalid value for configuration property \"queue.buffering.max.ms\"\n"
          "problem: /[^ ]*/config.yaml: kafka.hasty.topic_conf.client.id is \"x\", expected an option that "
          "librdkafka takes: No such configuration property: \"client.id\"\n"
          "problem: kafka: broker '127.0.0.1:1': expected an answer: .*\n"));
}

TEST(KafkaCheck, FindsThatAGuaranteeWouldBeNone) {
  const GateRun run = check("x", {}, brokers("127.0.0.1:1", "acks: 0"));
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("kafka.guaranteed: acks is 0: expected -1 (all) or at least 1"));
}

TEST(KafkaCheck, PrintsProblemsOfEverythingAtOnce) {
  const GateRun run = check("x", {"a"},
                            brokers("127.0.0.1:1") +
                                "port: many\nschema_precache_uris: [/none/1.0.0]\n"
                                "test_events: [{$schema: /test/1.0.0, meta: {stream: b}}]\n",
                            {"--json"});
  EXPECT_EQ(run.status, 1);
  const auto problems = nlohmann::json::parse(run.output).at("problems");
  ASSERT_EQ(problems.size(), 4u) << problems.dump();
  EXPECT_THAT(problems[0].get<std::string>(), HasSubstr("port is \"many\""));
  EXPECT_THAT(problems[1].get<std::string>(), HasSubstr("'/none/1.0.0'"));
  EXPECT_THAT(problems[2].get<std::string>(), HasSubstr("test_events[0]"));
  EXPECT_THAT(problems[3].get<std::string>(), HasSubstr("broker '127.0.0.1:1'"));
}

}  // namespace
}  // namespace eventgate
