// The gate with a spool, as a process, in front of a real Kafka that goes away.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "eventgate/spool/spool_store.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/kafka_broker.hpp"
#include "support/paths.hpp"
#include "support/sink_driver.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kShippedConfig = source_dir() + "/config/config.yaml";

std::string id_of(int number) { return "00000000-0000-4000-8000-" + std::to_string(100000000000 + number); }

std::string event(const std::string& stream, int number) {
  return R"({"$schema":"/test/event/1.0.0","meta":{"stream":")" + stream + R"(","id":")" + id_of(number) +
         R"(","dt":"2026-11-22T02:15:30Z"},"test":"x"})";
}

/// A broker that may be killed, a spool, and a gate that uses both.
class GateSpool : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
    broker_.emplace();
    broker_->create_topic(topic());
    broker_->create_topic(topic("hasty."));
  }

  std::string topic(const std::string& kind = "") const { return "test.keyed." + kind + fresh_topic(); }
  std::string spool() const { return folder_.path() + "/spool"; }

  std::unique_ptr<GateProcess> gate(const std::string& more = "") const {
    return std::make_unique<GateProcess>(
        std::vector{kShippedConfig}, "topic_prefix: ''\nspool: {path: '" + spool() +
                                         "'}\nkafka:\n  conf: {metadata.broker.list: '" + broker_->address() + "'}\n" +
                                         more);
  }

  static HttpReply post(const GateProcess& gate, const std::string& body, const std::string& query = "") {
    return HttpClient(gate.port()).post("/v1/events" + query, body);
  }
  static std::string get(std::uint16_t port, const std::string& target) {
    HttpClient client(port);
    client.send(http_request("GET", target));
    return client.reply()->body;
  }

  /// Ids of the events of `topic` in Kafka, each the first time it is there.
  std::vector<std::string> produced(const std::string& topic) const {
    std::vector<std::string> ids;
    std::set<std::string> known;
    for (const std::string& value : broker_->values(topic)) {
      std::string id = json::parse(value)["meta"]["id"];
      if (known.insert(id).second) ids.push_back(std::move(id));
    }
    return ids;
  }

  /// Ids of the events in the spool.
  std::vector<std::string> stored() const {
    SpoolStore store(spool(), SpoolStore::Access::share);
    std::vector<std::string> ids;
    store
        .visit_records([&](SpooledRecord& record) {
          ids.push_back(json::parse(record.value)["meta"]["id"]);
          return true;
        })
        .value();
    return ids;
  }
  bool becomes_empty() const {
    return becomes([this] { return stored().empty(); }, std::chrono::seconds(60));
  }

  TemporaryFolder folder_;
  std::optional<KafkaBroker> broker_;
};

TEST_F(GateSpool, TakesEventsWhileKafkaIsDownAndProducesThemInOrderOnceItIsBack) {
  const auto gate = this->gate();
  const HttpReply before = post(*gate, event(topic(), 0));
  EXPECT_EQ(before.status, 201u) << before.body;
  EXPECT_TRUE(becomes([&] { return get(gate->port(), "/readyz") == R"({"status":"ready"})"; }));
  EXPECT_EQ(post(*gate, event(topic(), 1)).header("x-eventgate-durability"), "kafka");

  broker_->kill();
  std::vector<std::string> ids{id_of(0), id_of(1)};
  for (int i = 2; i < 60; ++i) {
    const HttpReply reply = post(*gate, event(topic(), i));
    EXPECT_EQ(reply.status, 201u) << reply.body;
    EXPECT_EQ(reply.header("x-eventgate-durability"), "disk");
    ids.push_back(id_of(i));
  }
  for (int i = 60; i < 70; ++i) EXPECT_EQ(post(*gate, event(topic("hasty."), i), "?hasty=true").status, 202u);
  EXPECT_TRUE(becomes([this] { return stored().size() == 68; }));
  EXPECT_TRUE(becomes([&] {
    const std::string ready = get(gate->port(), "/readyz");
    return ready.starts_with(R"({"status":"ready","stale":["Kafka (guaranteed): )") &&
           ready.find("68 records are in the spool") != std::string::npos;
  })) << get(gate->port(), "/readyz");

  broker_->restart();
  EXPECT_TRUE(becomes_empty());
  EXPECT_THAT(produced(topic()), ElementsAreArray(ids));
  EXPECT_EQ(produced(topic("hasty.")).size(), 10u);
  for (const ConsumedRecord& record : broker_->records(topic())) {
    EXPECT_EQ(record.timestamp, 1795313730000);  // meta.dt
    EXPECT_THAT(record.key.value_or(""), HasSubstr("{\"id\":\"00000000-"));
  }
  EXPECT_THAT(get(gate->metrics_port(), "/metrics"), HasSubstr("eventgate_spool_records{service=\"eventgate\"} 0"));
  // No spool is needed any more.
  EXPECT_TRUE(becomes([&] { return post(*gate, event(topic(), 80)).header("x-eventgate-durability") == "kafka"; }));
  gate->signal(SIGTERM);
  EXPECT_EQ(gate->wait(), 0) << gate->log();
}

TEST_F(GateSpool, WhatAKilledGateHadSpooledTheNextOneProduces) {
  std::vector<std::string> ids;
  {
    const auto gate = this->gate();
    EXPECT_EQ(post(*gate, event(topic(), 0)).status, 201u);
    broker_->kill();
    for (int i = 1; i < 40; ++i) {
      EXPECT_EQ(post(*gate, event(topic(), i)).status, 201u);
      ids.push_back(id_of(i));
    }
    gate->signal(SIGKILL);
    EXPECT_EQ(gate->wait(), -SIGKILL);
  }
  EXPECT_THAT(stored(), ElementsAreArray(ids));
  const auto gate = this->gate();
  EXPECT_EQ(post(*gate, event(topic(), 40)).header("x-eventgate-durability"), "disk");
  broker_->restart();
  EXPECT_TRUE(becomes_empty());
  ids.insert(ids.begin(), id_of(0));
  ids.push_back(id_of(40));
  EXPECT_THAT(produced(topic()), ElementsAreArray(ids));
}

TEST_F(GateSpool, SigtermWhileKafkaIsDownSpoolsWhatIsUnderWay) {
  constexpr int kEach = 50;
  {
    const auto gate = this->gate("  hasty: {conf: {linger.ms: 1000}}\n");
    EXPECT_EQ(post(*gate, event(topic(), 900)).status, 201u);
    broker_->kill();
    std::vector<HttpClient> clients;
    for (int i = 0; i < 2 * kEach; ++i) clients.emplace_back(gate->port());
    for (int i = 0; i < 2 * kEach; ++i)
      clients[static_cast<std::size_t>(i)].send(http_request("POST", i < kEach ? "/v1/events" : "/v1/events?hasty=true",
                                                             event(topic(i < kEach ? "" : "hasty."), i),
                                                             {"Content-Type: application/json"}));
    gate->signal(SIGTERM);
    int guaranteed = 0, hasty = 0;
    for (HttpClient& client : clients) {
      const auto reply = client.reply();
      if (!reply) continue;
      guaranteed += reply->status == 201;
      hasty += reply->status == 202;
    }
    EXPECT_EQ(guaranteed, kEach);
    EXPECT_EQ(hasty, kEach);
    EXPECT_EQ(gate->wait(), 0) << gate->log();
  }
  EXPECT_EQ(stored().size(), 2u * kEach);
  broker_->restart();
  const GateRun replay = run_gate(
      {"spool", "replay", "-c",
       folder_.write("replay.yaml", "spool: {path: '" + spool() + "'}\nkafka:\n  conf: {metadata.broker.list: '" +
                                        broker_->address() + "'}\n")});
  EXPECT_EQ(replay.status, 0) << replay.output;
  EXPECT_THAT(stored(), IsEmpty());
  EXPECT_EQ(produced(topic()).size(), kEach + 1u);
  EXPECT_EQ(produced(topic("hasty.")).size(), 1u * kEach);
}

TEST_F(GateSpool, AFrozenBrokersEventsLeaveTheSpoolWhenItThaws) {
  const auto gate = this->gate();
  EXPECT_EQ(post(*gate, event(topic(), 0)).status, 201u);
  broker_->freeze();
  std::vector<std::string> ids{id_of(0)};
  for (int i = 1; i < 20; ++i) {
    const HttpReply reply = post(*gate, event(topic(), i));
    EXPECT_EQ(reply.status, 201u) << reply.body;
    EXPECT_EQ(reply.header("x-eventgate-durability"), "disk");
    ids.push_back(id_of(i));
  }
  EXPECT_THAT(stored(), testing::SizeIs(19));
  broker_->thaw();
  EXPECT_TRUE(becomes_empty());
  EXPECT_TRUE(becomes([this] { return broker_->has_topic(topic()); }));  // it may have no leader for a moment
  EXPECT_THAT(produced(topic()), ElementsAreArray(ids));
}

// `spool replay` beside a running gate only makes what was set aside be tried again, whatever the gate is about.
TEST_F(GateSpool, ToolReplaysBesideTheGateWhileTheBrokerComesAndGoes_NothingIsLost) {
  const std::string small = topic("small.");
  broker_->create_topic(small, 1, {{"max.message.bytes", "1000"}});
  const auto gate = this->gate();
  const std::string config =
      folder_.write("replay.yaml", "spool: {path: '" + spool() + "'}\nkafka:\n  conf: {metadata.broker.list: '" +
                                       broker_->address() + "'}\n");
  std::string large = event(small, 0);
  large.replace(large.rfind("\"x\""), 3, '"' + std::string(5000, 'y') + '"');
  EXPECT_EQ(post(*gate, event(topic(), 0)).status, 201u);
  std::vector<std::string> ids{id_of(0)};
  std::set<std::string> smalls;
  constexpr int kRounds = 4, kEach = 8;
  for (int round = 0; round < kRounds; ++round) {
    broker_->freeze();
    for (int i = 0; i < kEach; ++i) {
      const int number = 1 + round * kEach + i;
      EXPECT_EQ(post(*gate, event(topic(), number)).status, 201u);
      EXPECT_EQ(post(*gate, event(small, number)).status, 201u);
      ids.push_back(id_of(number));
      smalls.insert(id_of(number));
    }
    EXPECT_EQ(post(*gate, large).status, 201u);
    for (int i = 0; i < 2; ++i) {
      const GateRun run = run_gate({"spool", "replay", "-c", config});
      EXPECT_EQ(run.status, 1) << run.output;
      EXPECT_THAT(run.output, HasSubstr("another gate uses it"));
      if (i == 0) broker_->thaw();
    }
  }
  for (int i = 0; i < 5; ++i) run_gate({"spool", "replay", "-c", config});
  // All but the large ones leave the spool.
  EXPECT_TRUE(
      becomes([&] { return stored() == std::vector<std::string>(kRounds, id_of(0)); }, std::chrono::seconds(60)));
  EXPECT_THAT(produced(topic()), ElementsAreArray(ids));
  const std::vector<std::string> found = produced(small);
  EXPECT_EQ(std::set<std::string>(found.begin(), found.end()), smalls);
  EXPECT_TRUE(becomes([&] {
    return get(gate->metrics_port(), "/metrics").find("eventgate_spool_records{service=\"eventgate\"} 0") !=
           std::string::npos;
  }));
  gate->signal(SIGTERM);
  EXPECT_EQ(gate->wait(), 0) << gate->log();
}

}  // namespace
}  // namespace eventgate
