// The gate, as a process, in front of a Kafka that cannot take events: what its clients are told, and what is in Kafka
// afterwards. docs/reliability.md has the table.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <optional>
#include <set>

#include "kafka_gate.hpp"
#include "support/sink_driver.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Clock = std::chrono::steady_clock;

/// Answers come within `produce_timeout`; the machine may be busy.
constexpr seconds kProduceTimeout{3};
constexpr seconds kInTime{4};

class Outage : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
    kafka_.emplace();
  }

  KafkaBroker& kafka() { return *kafka_; }

  /// In front of it. `more` is YAML, at first of `kafka`.
  std::unique_ptr<GateProcess> gate(const std::string& more = "") {
    return std::make_unique<GateProcess>(std::vector<std::string>{kShippedConfig},
                                         config_of(kafka(), more) + "topic_prefix: ''\nproduce_timeout: " +
                                             std::to_string(kProduceTimeout.count()) + "s\n");
  }

  static bool becomes_ready(const GateProcess& gate) {
    return becomes([&] { return HttpClient(gate.port()).get("/readyz").status == 200; });
  }

  static HttpReply post(const GateProcess& gate, const std::string& body, bool hasty = false) {
    return HttpClient(gate.port()).post(hasty ? "/v1/events?hasty=true" : "/v1/events", body);
  }

  /// `delivery: message` of each error of a reply.
  static std::vector<std::string> deliveries(const HttpReply& reply) {
    std::vector<std::string> found;
    const json body = json::parse(reply.body);
    for (const json& error : body.at("error")) {
      const json& context = error.at("context");
      found.push_back(context.value("delivery", "none") + ": " + context.value("message", ""));
    }
    return found;
  }

  static std::vector<int> numbers(int first, int count) {
    std::vector<int> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), first);
    return all;
  }

 private:
  std::optional<KafkaBroker> kafka_;
};

TEST_F(Outage, ABrokerThatIsDownIsToldInTimeAndNothingOfItComesLater) {
  const auto gate = this->gate();
  kafka().create_topic("test.keyed.down");
  EXPECT_TRUE(becomes([&] { return post(*gate, keyed_event("down", 0)).status == 201; }));
  kafka().kill();
  const auto down = Clock::now();
  auto longest = Clock::duration(0);
  // Long enough for waits between two tries to connect to become long, if they did.
  for (int i = 1; Clock::now() - down < seconds(12); i += 3) {
    const auto start = Clock::now();
    const HttpReply reply = post(*gate, keyed_events("down", i, 3));
    longest = std::max(longest, Clock::now() - start);
    EXPECT_EQ(reply.status, 500u);
    EXPECT_THAT(deliveries(reply), testing::AllOf(testing::SizeIs(3), Each("not_produced: Local: Message timed out")));
  }
  EXPECT_LT(longest, kInTime);
  std::printf("broker down for 12 s: every answer within %.1f s\n", std::chrono::duration<double>(longest).count());
  EXPECT_EQ(HttpClient(gate->port()).get("/readyz").status, 503u);
  kafka().restart();
  EXPECT_TRUE(becomes_ready(*gate));
  EXPECT_EQ(post(*gate, keyed_event("down", 1000)).status, 201u);
  std::vector<int> there = keyed_numbers(kafka(), "down");
  there.erase(std::unique(there.begin(), there.end()), there.end());
  EXPECT_EQ(there.back(), 1000);
  EXPECT_EQ(std::count_if(there.begin(), there.end(), [](int number) { return number > 0 && number < 1000; }), 0);
}

TEST_F(Outage, AFrozenBrokerIsToldAsUnknownInTimeAndWritesWhatItHadLater) {
  const auto gate = this->gate();
  kafka().create_topic("test.keyed.frozen");
  EXPECT_TRUE(becomes_ready(*gate));
  EXPECT_TRUE(becomes([&] { return post(*gate, keyed_event("frozen", 0)).status == 201; }));
  kafka().freeze();
  const auto start = Clock::now();
  const HttpReply reply = post(*gate, keyed_event("frozen", 1));
  EXPECT_LT(Clock::now() - start, kInTime);
  EXPECT_EQ(reply.status, 500u);
  EXPECT_THAT(deliveries(reply), ElementsAre("unknown: Local: Message timed out"));
  kafka().thaw();
  EXPECT_TRUE(becomes([&] { return keyed_numbers(kafka(), "frozen").back() == 1; }));
}

TEST_F(Outage, AStartWithoutABrokerSucceedsAndABrokerThatComesIsUsed) {
  kafka().create_topic("test.keyed.start");
  kafka().kill();
  const auto gate = this->gate();
  EXPECT_EQ(HttpClient(gate->port()).get("/healthz").status, 200u);
  const HttpReply ready = HttpClient(gate->port()).get("/readyz");
  EXPECT_EQ(ready.status, 503u);
  EXPECT_THAT(ready.body, HasSubstr("Kafka (guaranteed)"));
  EXPECT_THAT(deliveries(post(*gate, keyed_event("start", 1))), ElementsAre("not_produced: Local: Message timed out"));
  EXPECT_EQ(post(*gate, keyed_event("start", 2), true).status, 202u);
  kafka().restart();
  EXPECT_TRUE(becomes_ready(*gate));
  EXPECT_EQ(post(*gate, keyed_event("start", 3)).status, 201u);
  gate->signal(SIGTERM);
  EXPECT_EQ(gate->wait(), 0) << gate->log();
  EXPECT_THAT(keyed_numbers(kafka(), "start"), testing::UnorderedElementsAre(2, 3));
}

/// The most memory that the process ever used, in megabytes.
std::size_t peak_memory(pid_t process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) / 1024;
  return 0;
}

TEST_F(Outage, HastyWorkIsBoundedAndWhatWasTakenIsProduced) {
  constexpr int kEvents = 100, kBodies = 200;
  constexpr std::size_t kInflight = 8 << 20;
  const std::string text(900, 'x');
  const auto gate = this->gate("max_inflight_bytes: " + std::to_string(kInflight) + "\nmax_body_size: 200kb\n");
  kafka().create_topic("test.keyed.bounded");
  EXPECT_TRUE(becomes([&] { return post(*gate, keyed_event("bounded", 0)).status == 201; }));
  kafka().freeze();
  const std::size_t before = peak_memory(gate->process());
  std::vector<int> taken;
  int refused = 0;
  HttpClient client(gate->port());
  for (int i = 0; i < kBodies; ++i) {
    const HttpReply reply =
        client.post("/v1/events?hasty=true", keyed_events("bounded", 1 + i * kEvents, kEvents, text));
    if (reply.status == 202) {
      taken.push_back(i);
      continue;
    }
    ++refused;
    EXPECT_EQ(reply.status, 503u);
    EXPECT_NE(reply.header("retry-after"), std::nullopt);
  }
  EXPECT_GT(taken.size(), 10u);
  EXPECT_GT(refused, 100);
  EXPECT_LE(metric(*gate, "eventgate_inflight_bytes"), static_cast<double>(kInflight));
  const std::size_t grown = peak_memory(gate->process()) - before;
  EXPECT_LT(grown, 100u);
  std::printf("hasty arrays while the broker is away: %zu taken, %d refused, memory grew by %zu MB\n", taken.size(),
              refused, grown);
  kafka().thaw();
  EXPECT_TRUE(becomes_ready(*gate));
  EXPECT_TRUE(becomes([&] { return metric(*gate, "eventgate_inflight_bytes") == 0; }, seconds(60)));
  EXPECT_EQ(client.post("/v1/events?hasty=true", keyed_event("bounded", 1000000)).status, 202u);
  gate->signal(SIGTERM);
  EXPECT_EQ(gate->wait(), 0) << gate->log();
  std::set<int> expected{1000000};
  for (const int body : taken)
    for (int i = 0; i < kEvents; ++i) expected.insert(1 + body * kEvents + i);
  const std::vector<int> there = keyed_numbers(kafka(), "bounded");
  std::set<int> found(there.begin(), there.end());
  found.erase(0);
  EXPECT_EQ(found, expected);
}

TEST_F(Outage, AQueueOf100LosesNoneOf150HastyEvents) {
  const auto gate = this->gate("  hasty: {conf: {queue.buffering.max.messages: 100, max.in.flight: 1}}\n");
  kafka().create_topic("test.keyed.queue");
  EXPECT_TRUE(becomes([&] { return post(*gate, keyed_event("queue", 0)).status == 201; }));
  kafka().freeze();
  EXPECT_EQ(post(*gate, keyed_events("queue", 1, 150), true).status, 202u);
  EXPECT_EQ(post(*gate, keyed_event("queue", 151), true).status, 202u);
  EXPECT_TRUE(becomes(
      [&] { return HttpClient(gate->port()).get("/readyz").body.find("Local: Queue full") != std::string::npos; }));
  kafka().thaw();
  EXPECT_TRUE(becomes_ready(*gate));
  EXPECT_TRUE(becomes([&] { return metric(*gate, "eventgate_inflight_bytes") == 0; }));
  EXPECT_EQ(metric(*gate, "eventgate_hasty_events_lost_total"), 0);
  std::vector<int> there = keyed_numbers(kafka(), "queue");
  there.erase(std::remove(there.begin(), there.end(), 0), there.end());
  // Two requests have no order between them, once they are answered.
  EXPECT_EQ(std::erase(there, 151), 1u);
  EXPECT_EQ(there, numbers(1, 150));
}

TEST_F(Outage, AStopDuringAnOutageProducesWhatWaitsForAQueue) {
  const auto gate = this->gate(
      "  hasty: {conf: {queue.buffering.max.messages: 100, reconnect.backoff.max.ms: 250}}\nshutdown_timeout: 1m\n");
  kafka().create_topic("test.keyed.stop");
  EXPECT_TRUE(becomes([&] { return post(*gate, keyed_event("stop", 0)).status == 201; }));
  kafka().kill();
  EXPECT_EQ(post(*gate, keyed_events("stop", 1, 150), true).status, 202u);
  gate->signal(SIGTERM);
  EXPECT_TRUE(becomes([&] { return gate->log().find("\"stopping\"") != std::string::npos; }));
  kafka().restart();
  EXPECT_EQ(gate->wait(), 0) << gate->log();
  EXPECT_THAT(gate->log(), HasSubstr("\"hasty_events_lost\":0"));
  std::vector<int> there = keyed_numbers(kafka(), "stop");
  there.erase(std::remove(there.begin(), there.end(), 0), there.end());
  EXPECT_EQ(there, numbers(1, 150));
}

TEST_F(Outage, AStopThatCannotProduceCountsWhatIsLost) {
  const auto gate = this->gate("  hasty: {conf: {queue.buffering.max.messages: 100}}\nshutdown_timeout: 4s\n");
  kafka().create_topic("test.keyed.lost");
  EXPECT_TRUE(becomes([&] { return post(*gate, keyed_event("lost", 0)).status == 201; }));
  kafka().kill();
  EXPECT_EQ(post(*gate, keyed_events("lost", 1, 150), true).status, 202u);
  gate->signal(SIGTERM);
  EXPECT_EQ(gate->wait(), 1);
  EXPECT_THAT(gate->log(), HasSubstr("\"hasty_events_lost\":150"));
}

TEST_F(Outage, WhatTheFileTookAndKafkaDidNotIsUnknownAndNamesTheSink) {
  const TemporaryFolder folder;
  const auto gate = this->gate("output_path: " + folder.path() + "/events.ndjson\n");
  kafka().kill();
  EXPECT_THAT(deliveries(post(*gate, keyed_event("both", 1))), ElementsAre("unknown: kafka: Local: Message timed out"));
  std::ifstream in(folder.path() + "/events.ndjson");
  std::string line;
  EXPECT_TRUE(std::getline(in, line));
  EXPECT_THAT(line, HasSubstr(R"("stream":"test.keyed.both")"));
}

TEST(OutageCauses, EachHasItsCounterAndItsEffectOnReadyz) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaBroker kafka({KafkaBroker::kAcls[0], KafkaBroker::kAcls[1], "auto.create.topics.enable=false"});
  kafka.create_topic("test.keyed.denied");
  kafka.allow_only("test.keyed.denied", {RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_ACL_OPERATION_DESCRIBE});
  kafka.create_topic("test.keyed.small", 1, {{"max.message.bytes", "1000"}});
  const GateProcess gate(
      {kShippedConfig},
      config_of(kafka, "  guaranteed: {conf: {queue.buffering.max.messages: 20}}\ntopic_prefix: ''\n"));
  EXPECT_TRUE(becomes([&] { return HttpClient(gate.port()).get("/readyz").status == 200; }));
  const auto posted = [&](const std::string& body) { return HttpClient(gate.port()).post("/v1/events", body); };
  const auto failures = [&](const std::string& cause) {
    return metric(gate, "eventgate_record_failures_total", "cause=\"" + cause + "\"");
  };
  const auto message = [](const HttpReply& reply) {
    return json::parse(reply.body).at("error").at(0).at("context").at("message").get<std::string>();
  };
  EXPECT_EQ(message(posted(keyed_event("denied", 1))), "Broker: Topic authorization failed");
  EXPECT_EQ(failures("TOPIC_AUTHORIZATION_FAILED"), 1);
  EXPECT_EQ(message(posted(keyed_event("nowhere", 1))), "Broker: Unknown topic or partition");
  EXPECT_EQ(failures("UNKNOWN_TOPIC_OR_PART") + failures("_UNKNOWN_TOPIC"), 1);
  EXPECT_THAT(message(posted(keyed_event("small", 1, std::string(2000, 'x')))),
              HasSubstr("the topic 'test.keyed.small' takes 1000 (max.message.bytes)"));
  EXPECT_EQ(failures("MSG_SIZE_TOO_LARGE"), 1);
  // Those are of the event alone.
  EXPECT_EQ(HttpClient(gate.port()).get("/readyz").status, 200u);

  kafka.freeze();
  const HttpReply reply = posted(keyed_events("small", 2, 30));
  EXPECT_EQ(failures("_QUEUE_FULL"), 10);
  EXPECT_EQ(failures("_MSG_TIMED_OUT"), 20);
  EXPECT_EQ(json::parse(reply.body).at("error").size(), 30u);
  EXPECT_TRUE(becomes([&] { return HttpClient(gate.port()).get("/readyz").status == 503; }));
  kafka.thaw();
  EXPECT_TRUE(becomes([&] { return HttpClient(gate.port()).get("/readyz").status == 200; }, seconds(60)));
  EXPECT_EQ(kafka.values("test.keyed.denied"), std::vector<std::string>());
}

TEST(OutageCauses, NoAcknowledgementForGuaranteedEventsIsAStartUpError) {
  EXPECT_THAT(
      [] {
        const GateProcess gate({kShippedConfig}, "kafka: {conf: {metadata.broker.list: '127.0.0.1:1', acks: 0}}\n");
      },
      testing::ThrowsMessage<std::runtime_error>(HasSubstr("acks is 0: expected -1 (all) or at least 1")));
}

}  // namespace
}  // namespace eventgate
