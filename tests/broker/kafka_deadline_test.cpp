// Rows of "When Kafka cannot take an event" that need a broker of a special kind. The others are in kafka_sink_test.cpp
// and, as the gate's clients see them, in kafka_outage_test.cpp.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <thread>

#include "eventgate/kafka/kafka_sink.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "kafka_gate.hpp"
#include "support/kafka_broker.hpp"
#include "support/sink_driver.hpp"

namespace eventgate {
namespace {

using std::chrono::seconds;
using testing::Each;
using testing::ElementsAre;
using Conf = std::map<std::string, std::string>;

constexpr std::int64_t kSomeDay = 1700000000123;

class KafkaDeadline : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  }

  std::unique_ptr<Sink> sink_to(const std::string& address, const Conf& conf = {}) {
    KafkaSinkOptions options;
    options.guaranteed.conf = conf;
    options.guaranteed.conf["metadata.broker.list"] = address;
    options.hasty = options.guaranteed;
    options.produce_timeout = seconds(4);
    return make_kafka_sink(std::move(options), driver_.executor(), telemetry_);
  }

  static std::vector<OwnRecord> records(const std::string& topic, const std::vector<std::string>& values) {
    std::vector<OwnRecord> made;
    for (const std::string& value : values) made.push_back({topic, value, std::nullopt, kSomeDay});
    return made;
  }

  Metrics metrics_{"test"};
  Telemetry telemetry_{metrics_};
  SinkDriver driver_;
};

TEST_F(KafkaDeadline, FrozenWithOneRequestInFlightAllOfItIsUnknownAndThereAfterTheThaw) {
  KafkaBroker kafka;
  kafka.create_topic("topic");
  const auto sink = sink_to(kafka.address(), {{"linger.ms", "100"}});
  EXPECT_TRUE(becomes([&] { return !driver_.produce(*sink, records("topic", {"warm"}))[0]; }));
  kafka.freeze();
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records("topic", {"0", "1", "2", "3", "4"}))),
              Each("unknown: Local: Message timed out"));
  kafka.thaw();
  std::vector<std::string> there;
  EXPECT_TRUE(becomes([&] {
    there = kafka.values("topic");
    return !there.empty() && there.back() == "4";
  }));
  there.erase(std::remove(there.begin(), there.end(), "warm"), there.end());
  EXPECT_THAT(there, ElementsAre("0", "1", "2", "3", "4"));
}

TEST_F(KafkaDeadline, AnUnknownTopicIsToldAsSoonAsItsPropagationIsNotWaitedFor) {
  KafkaBroker kafka({"auto.create.topics.enable=false"});
  const auto sink = sink_to(kafka.address(), {{"topic.metadata.propagation.max.ms", "500"}});
  EXPECT_TRUE(becomes([&] { return !sink->not_ready_reason(); }));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records("nowhere", {"0"}))),
              ElementsAre("not_produced: Broker: Unknown topic or partition"));
  EXPECT_FALSE(kafka.has_topic("nowhere"));
}

TEST_F(KafkaDeadline, WithoutTheRightToReadATopicsLimitTheEventRefusedAloneIsTheOneTooLarge) {
  KafkaBroker kafka({KafkaBroker::kAcls[0], KafkaBroker::kAcls[1]});
  kafka.create_topic("topic", 1, {{"max.message.bytes", "2000"}});
  kafka.allow_only("topic",
                   {RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_ACL_OPERATION_DESCRIBE});
  const auto sink = sink_to(kafka.address(), {{"linger.ms", "100"}});
  sink->prefetch_metadata("topic");
  const std::string most(500, 'a'), large(3000, 'x');
  const auto outcomes = outcome_texts(driver_.produce(*sink, records("topic", {most, most, most, large, most, most})));
  EXPECT_EQ(
      outcomes[3],
      "not_produced: Broker: Message size too large: the record has 3000 bytes, more than the topic 'topic' takes "
      "(max.message.bytes)");
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), "success"), 5);
  EXPECT_THAT(kafka.values("topic"), ElementsAre(most, most, most, most, most));
}

TEST_F(KafkaDeadline, HastyEventsThatAnOutageMadeDoubtfulAndALargeOneHadRefusedAreProducedAlone) {
  KafkaBroker kafka;
  kafka.create_topic("topic", 1, {{"max.message.bytes", "2000"}});
  const auto sink = sink_to(kafka.address(), {{"linger.ms", "100"},
                                              {"statistics.interval.ms", "50"},
                                              {"message.timeout.ms", "200000"},
                                              {"reconnect.backoff.max.ms", "250"}});
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records("topic", {"warm"}), Assurance::hasty)), Each("success"));
  kafka.freeze();
  const std::string large(3000, 'x');
  auto waiting = driver_.start(*sink, records("topic", {"0", "1", large, "2", "3"}), Assurance::hasty);
  EXPECT_TRUE(becomes([&] {
    return metric(metrics_.text(), "eventgate_rdkafka_broker_waitresp_msg_cnt", "producer_type=\"hasty\"") == 5;
  }));
  kafka.kill();
  kafka.restart();
  const auto outcomes = outcome_texts(waiting.get());
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), "success"), 4);
  EXPECT_THAT(outcomes[2], testing::HasSubstr("the record has 3000 bytes, the topic 'topic' takes 2000"));
  EXPECT_THAT(kafka.values("topic"), testing::UnorderedElementsAre("warm", "0", "1", "2", "3"));
}

TEST_F(KafkaDeadline, TopicIsNotAuthorised_RecordIsNotProduced) {
  KafkaBroker kafka({KafkaBroker::kAcls[0], KafkaBroker::kAcls[1]});
  kafka.create_topic("topic");
  kafka.allow_only("topic", {RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_ACL_OPERATION_DESCRIBE});
  const auto sink = sink_to(kafka.address());
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records("topic", {"0", "1"}))),
              Each("not_produced: Broker: Topic authorization failed"));
  EXPECT_EQ(kafka.values("topic"), std::vector<std::string>());
}

/// Closes every connection at once.
class ClosingServer {
 public:
  ClosingServer() : acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}), thread_([this] { run(); }) {}
  ~ClosingServer() {
    ended_ = true;
    boost::system::error_code ignored;
    boost::asio::ip::tcp::socket(io_).connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }
  ClosingServer(const ClosingServer&) = delete;
  ClosingServer& operator=(const ClosingServer&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }
  int connections() const { return connections_; }

 private:
  void run() {
    boost::system::error_code ignored;
    for (; !ended_; ++connections_) boost::asio::ip::tcp::socket closed = acceptor_.accept(ignored);
  }

  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::atomic<bool> ended_{false};
  std::atomic<int> connections_{0};
  std::thread thread_;
};

TEST(KafkaReconnect, TheGuaranteedProducerGoesOnTryingSoonHoweverLongItLasts) {
  const ClosingServer server;
  Metrics metrics("test");
  Telemetry telemetry(metrics);
  SinkDriver driver;
  KafkaSinkOptions options;
  options.guaranteed.conf["metadata.broker.list"] = server.address();
  options.hasty = options.guaranteed;
  const auto sink = make_kafka_sink(std::move(options), driver.executor(), telemetry);
  // With librdkafka's default, waits that double up to ten seconds, both producers together would make 16.
  EXPECT_TRUE(becomes([&] { return server.connections() >= 50; }));
}

}  // namespace
}  // namespace eventgate
