#include "eventgate/kafka/kafka_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "eventgate/telemetry/telemetry.hpp"
#include "support/kafka_broker.hpp"
#include "support/sink_driver.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_certificate.hpp"

namespace eventgate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AnyOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;
using testing::StartsWith;
using Clock = std::chrono::steady_clock;
using Conf = std::map<std::string, std::string>;

constexpr std::int64_t kSomeDay = 1700000000123;

class KafkaSink : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  }

  std::unique_ptr<Sink> sink_to(const std::string& address, const Conf& conf = {},
                                milliseconds produce_timeout = seconds(10)) {
    KafkaSinkOptions options;
    options.guaranteed.conf = conf;
    options.guaranteed.conf["metadata.broker.list"] = address;
    options.hasty = options.guaranteed;
    options.produce_timeout = produce_timeout;
    return make_kafka_sink(std::move(options), driver_.executor(), telemetry_);
  }

  std::unique_ptr<Sink> ready_sink_to(const std::string& address, const Conf& conf = {},
                                      milliseconds produce_timeout = seconds(10)) {
    auto sink = sink_to(address, conf, produce_timeout);
    EXPECT_TRUE(becomes([&] { return !sink->not_ready_reason(); })) << *sink->not_ready_reason();
    return sink;
  }

  /// `count` records for `topic`, whose values are their numbers from `first`.
  static std::vector<OwnRecord> numbers(const std::string& topic, int count, int first = 0) {
    std::vector<OwnRecord> made;
    for (int i = 0; i < count; ++i) made.push_back({topic, std::to_string(first + i), std::nullopt, kSomeDay});
    return made;
  }

  static std::vector<std::string> values(const std::vector<OwnRecord>& records) {
    std::vector<std::string> found;
    for (const OwnRecord& record : records) found.push_back(record.value);
    return found;
  }

  /// How many reports of success came after the deadline.
  int late_deliveries() const {
    const std::string text = metrics_.text();
    for (std::size_t at = 0; (at = text.find("\neventgate_late_deliveries_total{", at)) != std::string::npos; ++at) {
      const std::string line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
      if (line.find("outcome=\"delivered\"") != std::string::npos) return std::stoi(line.substr(line.rfind(' ')));
    }
    return 0;
  }

  Metrics metrics_{"test"};
  Telemetry telemetry_{metrics_};
  SinkDriver driver_;
};

TEST_F(KafkaSink, KeyValueAndTimestampArrive) {
  KafkaBroker& kafka = KafkaBroker::shared();
  const auto sink = sink_to(kafka.address());
  const std::string topic = fresh_topic();
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, {{topic, R"({"a":1})", R"({"id":"x"})", kSomeDay},
                                                    {topic, R"({"a":2})", std::nullopt, kSomeDay + 1}})),
              Each("success"));
  EXPECT_THAT(kafka.records(topic), ElementsAre(ConsumedRecord{R"({"id":"x"})", R"({"a":1})", kSomeDay, 0},
                                                ConsumedRecord{std::nullopt, R"({"a":2})", kSomeDay + 1, 0}));
}

TEST_F(KafkaSink, HastyRecordsArriveToo) {
  KafkaBroker& kafka = KafkaBroker::shared();
  const auto sink = sink_to(kafka.address());
  const std::string topic = fresh_topic();
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers(topic, 3), Assurance::hasty)), Each("success"));
  EXPECT_THAT(kafka.values(topic), ElementsAre("0", "1", "2"));
}

TEST_F(KafkaSink, OrderIsKept) {
  KafkaBroker& kafka = KafkaBroker::shared();
  const auto sink = sink_to(kafka.address());
  const std::string topic = fresh_topic();
  std::vector<std::future<Outcomes>> outcomes;
  for (int batch = 0; batch < 10; ++batch) outcomes.push_back(driver_.start(*sink, numbers(topic, 100, batch * 100)));
  for (auto& outcome : outcomes) EXPECT_THAT(outcome_texts(outcome.get()), Each("success"));
  EXPECT_EQ(kafka.values(topic), values(numbers(topic, 1000)));
}

TEST_F(KafkaSink, RecordsOfOneKeyShareAPartition) {
  KafkaBroker& kafka = KafkaBroker::shared();
  const auto sink = sink_to(kafka.address());
  const std::string topic = fresh_topic();
  kafka.create_topic(topic, 4);
  std::vector<OwnRecord> records;
  for (int i = 0; i < 80; ++i) records.push_back({topic, "{}", "key" + std::to_string(i % 8), kSomeDay});
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records)), Each("success"));
  std::set<std::pair<std::string, int>> places;
  std::set<int> partitions;
  for (const ConsumedRecord& record : kafka.records(topic)) {
    places.emplace(record.key.value_or("none"), record.partition);
    partitions.insert(record.partition);
  }
  EXPECT_EQ(places.size(), 8u);
  EXPECT_GT(partitions.size(), 1u);
}

TEST_F(KafkaSink, WarmingMakesTheTopicBeforeItsFirstRecord) {
  KafkaBroker& kafka = KafkaBroker::shared();
  const auto sink = sink_to(kafka.address());
  const std::string topic = fresh_topic();
  ASSERT_FALSE(kafka.has_topic(topic));
  sink->prefetch_metadata(topic);
  EXPECT_TRUE(becomes([&] { return kafka.has_topic(topic); }));
}

TEST_F(KafkaSink, OneEventTooLargeForTheTopicFailsAloneWithBothSizes) {
  KafkaBroker& kafka = KafkaBroker::shared();
  const auto sink = sink_to(kafka.address(), {{"linger.ms", "100"}});
  const std::string topic = fresh_topic();
  kafka.create_topic(topic, 1, {{"max.message.bytes", "2000"}});
  std::vector<OwnRecord> records;
  for (int i = 0; i < 10; ++i)
    records.push_back({topic, std::string(500, static_cast<char>('a' + i)), "k", kSomeDay + i});
  records.insert(records.begin() + 5, {topic, std::string(3000, 'X'), std::nullopt, kSomeDay});
  const auto outcomes = outcome_texts(driver_.produce(*sink, records));
  EXPECT_EQ(outcomes[5], "not_produced: Broker: Message size too large: the record has 3000 bytes, the topic '" +
                             topic + "' takes 2000 (max.message.bytes)");
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), "success"), 10);
  auto found = kafka.records(topic);
  ASSERT_EQ(found.size(), 10u);
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.value < b.value; });
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(found[static_cast<std::size_t>(i)],
              (ConsumedRecord{"k", std::string(500, static_cast<char>('a' + i)), kSomeDay + i, 0}));
}

TEST_F(KafkaSink, OneEventFromTheFutureFailsAlone) {
  KafkaBroker& kafka = KafkaBroker::shared();
  const auto sink = sink_to(kafka.address(), {{"linger.ms", "100"}});
  const std::string topic = fresh_topic();
  kafka.create_topic(topic);
  std::vector<OwnRecord> records = numbers(topic, 5);
  records[2].timestamp = 4102444800000;  // 2100-01-01; Kafka takes an hour by default
  const auto outcomes = outcome_texts(driver_.produce(*sink, records));
  EXPECT_EQ(outcomes[2], "not_produced: Broker: Invalid timestamp");
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), "success"), 4);
  auto found = kafka.values(topic);
  std::sort(found.begin(), found.end());
  EXPECT_THAT(found, ElementsAre("0", "1", "3", "4"));
}

TEST_F(KafkaSink, AnEventFromBeforeTheEpochKeepsItsTimestamp) {
  KafkaBroker& kafka = KafkaBroker::shared();
  const auto sink = sink_to(kafka.address());
  const std::string topic = fresh_topic();
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, {{topic, "{}", std::nullopt, -86400000}})), Each("success"));
  EXPECT_THAT(kafka.records(topic), ElementsAre(ConsumedRecord{std::nullopt, "{}", -86400000, 0}));
}

TEST_F(KafkaSink, AnEventTooLargeForTheProducerFailsAtOnceWithBothSizes) {
  KafkaBroker& kafka = KafkaBroker::shared();
  const auto sink = sink_to(kafka.address(), {{"message.max.bytes", "2000"}});
  const std::string topic = fresh_topic();
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, {{topic, std::string(5000, 'x'), std::nullopt, kSomeDay},
                                                    {topic, "{}", std::nullopt, kSomeDay}})),
              ElementsAre("not_produced: Broker: Message size too large: the record has 5000 bytes, the producer takes "
                          "2000 (message.max.bytes)",
                          "success"));
}

TEST_F(KafkaSink, UnknownTopicIsNotProducedInTime) {
  KafkaBroker kafka({"auto.create.topics.enable=false"});
  const auto sink = ready_sink_to(kafka.address());
  const auto start = Clock::now();
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers("nowhere", 2))),
              Each("not_produced: Broker: Unknown topic or partition"));
  EXPECT_LT(Clock::now() - start, seconds(10));
  EXPECT_EQ(sink->not_ready_reason(), std::nullopt);
  EXPECT_FALSE(kafka.has_topic("nowhere"));

  kafka.create_topic("nowhere");
  EXPECT_TRUE(becomes([&] { return !driver_.produce(*sink, numbers("nowhere", 1, 2))[0]; }));
  EXPECT_THAT(kafka.values("nowhere"), ElementsAre("2"));
}

TEST_F(KafkaSink, WithoutABrokerNothingIsProducedAndItSaysSo) {
  KafkaBroker kafka;
  kafka.create_topic("topic");
  kafka.kill();
  const auto sink = sink_to(kafka.address(), {}, seconds(4));
  EXPECT_THAT(sink->not_ready_reason(), Optional(StartsWith("Kafka (guaranteed): ")));
  const auto start = Clock::now();
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers("topic", 3))),
              Each("not_produced: Local: Message timed out"));
  EXPECT_LT(Clock::now() - start, seconds(5));
  EXPECT_THAT(sink->not_ready_reason(), Optional(StartsWith("Kafka (guaranteed): ")));

  kafka.restart();
  EXPECT_TRUE(becomes([&] { return !sink->not_ready_reason(); }));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers("topic", 3, 3))), Each("success"));
  EXPECT_THAT(kafka.values("topic"), ElementsAre("3", "4", "5"));
}

TEST_F(KafkaSink, FrozenBeforeTheFirstConnectNothingIsProduced) {
  KafkaBroker kafka;
  kafka.create_topic("topic");
  kafka.freeze();
  const auto sink = sink_to(kafka.address(), {}, seconds(4));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers("topic", 3))),
              Each("not_produced: Local: Message timed out"));
  EXPECT_THAT(sink->not_ready_reason(), Optional(testing::_));
  kafka.thaw();
  EXPECT_TRUE(becomes([&] { return !sink->not_ready_reason(); }, seconds(60)));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers("topic", 1, 3))), Each("success"));
  EXPECT_THAT(kafka.values("topic"), ElementsAre("3"));
}

TEST_F(KafkaSink, FrozenWithRequestsInFlightThoseAreUnknownAndTheRestIsNotProduced) {
  KafkaBroker kafka;
  kafka.create_topic("topic");
  const auto sink = ready_sink_to(kafka.address(), {{"max.in.flight", "2"}, {"batch.num.messages", "1"}}, seconds(4));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers("topic", 1))), Each("success"));
  kafka.freeze();
  const auto outcomes = outcome_texts(driver_.produce(*sink, numbers("topic", 40, 1)));
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), "unknown: Local: Message timed out"), 2);
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), "not_produced: Local: Message timed out"), 38);
  EXPECT_TRUE(becomes([&] { return sink->not_ready_reason().has_value(); }));
  kafka.thaw();
  EXPECT_TRUE(becomes([&] { return !sink->not_ready_reason(); }, seconds(60)));
  std::vector<std::string> expected{"0"};
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    if (outcomes[i].starts_with("unknown")) expected.push_back(std::to_string(i + 1));
  EXPECT_TRUE(becomes([&] { return kafka.values("topic") == expected; }));
}

TEST_F(KafkaSink, AReportThatComesAfterTheDeadlineIsCountedAsLate) {
  KafkaBroker kafka;
  kafka.create_topic("topic");
  const auto sink = ready_sink_to(kafka.address());
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers("topic", 1))), Each("success"));
  kafka.freeze();
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers("topic", 1, 1), Assurance::guaranteed, milliseconds(1000))),
              ElementsAre("unknown: no report in time"));
  kafka.thaw();
  EXPECT_TRUE(becomes([&] { return late_deliveries() == 1; }));
  EXPECT_THAT(kafka.values("topic"), ElementsAre("0", "1"));
}

TEST_F(KafkaSink, KilledThenProducedIsNotProducedAndABrokerThatComesBackIsUsed) {
  KafkaBroker kafka;
  kafka.create_topic("topic");
  const auto sink = ready_sink_to(kafka.address(), {}, seconds(4));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers("topic", 1))), Each("success"));
  kafka.kill();
  EXPECT_TRUE(becomes([&] { return sink->not_ready_reason().has_value(); }));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers("topic", 5, 1))),
              Each("not_produced: Local: Message timed out"));
  kafka.restart();
  EXPECT_TRUE(becomes([&] { return !sink->not_ready_reason(); }));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers("topic", 1, 6))), Each("success"));
  EXPECT_THAT(kafka.values("topic"), ElementsAre("0", "6"));
}

TEST_F(KafkaSink, KilledWithRequestsInFlightEachOutcomeIsTrue) {
  for (const char* idempotence : {"false", "true"}) {
    KafkaBroker kafka;
    kafka.create_topic("topic");
    const auto sink = ready_sink_to(kafka.address(), {{"enable.idempotence", idempotence}});
    EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers("topic", 1))), Each("success"));
    kafka.freeze();
    auto waiting = driver_.start(*sink, numbers("topic", 20, 1));
    std::this_thread::sleep_for(milliseconds(300));  // so that some are in flight; which ones does not matter
    kafka.kill();
    kafka.restart();
    const auto outcomes = outcome_texts(waiting.get());
    const auto there = kafka.values("topic");
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const auto count = std::count(there.begin(), there.end(), std::to_string(i + 1));
      EXPECT_GE(count, outcomes[i] == "success" ? 1 : 0) << i;
      EXPECT_LE(count, outcomes[i].starts_with("not_produced") ? 0 : 20) << i;
      EXPECT_LE(count, idempotence == std::string_view("true") ? 1 : 20) << i;
    }
  }
}

TEST_F(KafkaSink, StopDeliversWhatWaits) {
  KafkaBroker& kafka = KafkaBroker::shared();
  const auto sink = ready_sink_to(kafka.address(), {{"linger.ms", "60000"}, {"message.timeout.ms", "90000"}});
  const std::string topic = fresh_topic();
  kafka.create_topic(topic);
  auto guaranteed = driver_.start(*sink, numbers(topic, 50));
  auto hasty = driver_.start(*sink, numbers(topic, 200, 50), Assurance::hasty);
  driver_.produce(*sink, {{"no/topic", "{}", std::nullopt, 0}});  // what was started before is handed over now
  sink->stop(Clock::now() + seconds(20));
  EXPECT_THAT(outcome_texts(guaranteed.get()), Each("success"));
  EXPECT_THAT(outcome_texts(hasty.get()), Each("success"));
  EXPECT_EQ(kafka.values(topic).size(), 250u);
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers(topic, 1))), Each(StartsWith("not_produced: ")));
}

TEST_F(KafkaSink, StopAtTheDeadlineSettlesTheRest) {
  KafkaBroker kafka;
  kafka.create_topic("topic");
  const auto sink = ready_sink_to(kafka.address());
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers("topic", 1))), Each("success"));
  kafka.freeze();
  auto sent = driver_.start(*sink, numbers("topic", 1, 1));
  auto cold = driver_.start(*sink, numbers("elsewhere", 5), Assurance::hasty);
  driver_.produce(*sink, {{"no/topic", "{}", std::nullopt, 0}});
  const auto start = Clock::now();
  sink->stop(start + milliseconds(500));
  EXPECT_LT(Clock::now() - start, seconds(8));
  EXPECT_THAT(outcome_texts(sent.get()),
              Each(AnyOf("unknown: Local: Purged in flight", "not_produced: Local: Purged in queue")));
  EXPECT_THAT(outcome_texts(cold.get()), Each("not_produced: Local: Purged in queue"));
  kafka.thaw();
}

TEST_F(KafkaSink, SpeaksTls) {
  KafkaBroker kafka({"--tls"});
  const auto sink =
      ready_sink_to(kafka.tls_address(), {{"security.protocol", "ssl"}, {"ssl.ca.location", kafka.ca_file()}});
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers("topic", 2))), Each("success"));
  EXPECT_THAT(kafka.values("topic"), ElementsAre("0", "1"));
}

TEST_F(KafkaSink, ABrokerWhoseCertificateIsNotTrustedIsNotReady) {
  KafkaBroker kafka({"--tls"});
  const auto sink = sink_to(kafka.tls_address(), {{"security.protocol", "ssl"}}, seconds(3));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers("topic", 1))),
              Each("not_produced: Local: Message timed out"));
  EXPECT_THAT(sink->not_ready_reason().value_or(""), HasSubstr("certificate"));
}

TEST_F(KafkaSink, CertificatesThatHaveChangedAreReadAgain) {
  KafkaBroker kafka({"--tls"});
  const TemporaryFolder folder;
  const std::string ca = folder.write("ca.pem", TestCertificate("DNS:other.example").pem());
  const auto sink = sink_to(kafka.tls_address(), {{"security.protocol", "ssl"}, {"ssl.ca.location", ca}}, seconds(3));
  EXPECT_TRUE(becomes([&] { return sink->not_ready_reason().value_or("").find("certificate") != std::string::npos; }));

  folder.write("ca.pem", "no certificate");
  EXPECT_THROW(sink->reload(), std::invalid_argument);
  std::filesystem::copy_file(kafka.ca_file(), ca, std::filesystem::copy_options::overwrite_existing);
  sink->reload();  // not put to use
  sink->reload()();
  EXPECT_TRUE(becomes([&] { return !sink->not_ready_reason(); }));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, numbers("topic", 2))), Each("success"));
  EXPECT_THAT(kafka.values("topic"), ElementsAre("0", "1"));
}

TEST_F(KafkaSink, StatisticsBecomeMetrics) {
  const auto sink = ready_sink_to(KafkaBroker::shared().address(), {{"statistics.interval.ms", "100"}});
  EXPECT_TRUE(becomes([&] { return metrics_.text().find("eventgate_rdkafka_") != std::string::npos; }));
}

}  // namespace
}  // namespace eventgate
