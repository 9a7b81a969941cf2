// The gate itself, as a process, in front of a real Kafka.

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "kafka_gate.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/kafka_broker.hpp"

namespace eventgate {
namespace {

using nlohmann::json;

TEST(Gate, ProducesTheLinkHoverEventToTheOperatorsKafka) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaBroker& broker = KafkaBroker::shared();
  GateProcess gate({kShippedConfig}, config_of(broker, "topic_prefix: eqiad.\n"));
  const std::string title = "Kranich " + std::to_string(::getpid());
  HttpClient client(gate.port());
  const HttpReply reply = client.post(
      "/v1/events", R"({"$schema":"/analytics/link_hover/1.1.0","meta":{"stream":"mediawiki.interwiki_link_hover"},
        "link_href":"https://de.wikipedia.org/wiki/Kranich","link_title":")" +
                        title + R"(","link_is_interwiki":true})");
  EXPECT_EQ(reply.status, 201u) << reply.body;
  std::vector<json> events;
  for (const std::string& value : broker.values("eqiad.mediawiki.interwiki_link_hover")) {
    json event = json::parse(value);
    if (event["link_title"] == title) events.push_back(std::move(event));
  }
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["meta"]["stream"], "mediawiki.interwiki_link_hover");
  EXPECT_EQ(events[0]["meta"]["id"].get<std::string>().size(), 36u);
  gate.signal(SIGTERM);
  EXPECT_EQ(gate.wait(), 0) << gate.log();
}

TEST(Gate, LosesNothingOnSigterm) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  constexpr int kGuaranteed = 50, kHasty = 200;
  KafkaBroker& broker = KafkaBroker::shared();
  const std::string name = fresh_topic();
  GateProcess gate({kShippedConfig}, config_of(broker, "  hasty: {conf: {linger.ms: 1000}}\ntopic_prefix: ''\n"));
  std::vector<HttpClient> clients;
  for (int i = 0; i < kGuaranteed + kHasty; ++i) clients.emplace_back(gate.port());
  for (int i = 0; i < kGuaranteed + kHasty; ++i)
    clients[static_cast<std::size_t>(i)].send(http_request("POST",
                                                           i < kGuaranteed ? "/v1/events" : "/v1/events?hasty=true",
                                                           keyed_event(name, i), {"Content-Type: application/json"}));
  gate.signal(SIGTERM);

  int guaranteed = 0, hasty = 0;
  for (HttpClient& client : clients) {
    const auto reply = client.reply();
    if (!reply) continue;
    guaranteed += reply->status == 201;
    hasty += reply->status == 202;
  }
  EXPECT_EQ(guaranteed, kGuaranteed);
  EXPECT_EQ(hasty, kHasty);
  EXPECT_EQ(gate.wait(), 0) << gate.log();

  const std::vector<ConsumedRecord> records = broker.records("test.keyed." + name);
  EXPECT_EQ(records.size(), static_cast<std::size_t>(kGuaranteed + kHasty));
  std::set<std::string> keys;
  for (const ConsumedRecord& record : records) keys.insert(record.key.value_or(""));
  std::set<std::string> expected;
  for (int i = 0; i < kGuaranteed + kHasty; ++i)
    expected.insert(json{{"id", json::parse(keyed_event(name, i))["meta"]["id"]}}.dump());
  EXPECT_EQ(keys, expected);
}

TEST(Gate, EndsAtOnceOnASecondSignal) {
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaBroker broker;
  GateProcess gate({kShippedConfig}, config_of(broker, "shutdown_timeout: 10m\n"));
  EXPECT_EQ(HttpClient(gate.port()).post("/v1/events", keyed_event("warm", 0)).status, 201u);
  broker.freeze();
  HttpClient client(gate.port());
  EXPECT_EQ(client.post("/v1/events?hasty=true", keyed_event("warm", 1)).status, 202u);
  gate.signal(SIGTERM);
  while (gate.log().find("\"stopping\"") == std::string::npos) ::usleep(10000);
  gate.signal(SIGINT);
  EXPECT_EQ(gate.wait(), 1) << gate.log();
}

}  // namespace
}  // namespace eventgate
