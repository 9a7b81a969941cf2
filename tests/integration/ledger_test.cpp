// The ledger of a gate that runs: in its metrics, in its stream, and held to what its output has.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/ledger_samples.hpp"

namespace eventgate {
namespace {

using nlohmann::json;

std::string test_event(const std::string& test, const std::string& stream = "test.event") {
  return R"({"$schema":"/test/event/1.0.0","meta":{"stream":")" + stream + R"("},"test":)" + test + "}";
}

/// The shipped config with a ledger stream, and one file for all that is produced.
class LedgerOfAGate : public testing::Test {
 protected:
  std::string metrics() { return HttpClient(gate_.metrics_port()).get("/metrics").body; }

  /// Posts events of several kinds, guaranteed and hasty.
  void post(int requests) {
    HttpClient client(gate_.port());
    for (int i = 0; i < requests; ++i) {
      const std::string body = "[" + test_event("\"x\"") + "," + test_event("5") + "," +
                               test_event("\"k\"", "test.keyed.a") + "," + test_event("\"n\"", "not.declared") + "," +
                               test_event("\"t\"", "eventlogging_Test") + "]";
      const unsigned status = client.post(i % 3 == 0 ? "/v1/events?hasty=true" : "/v1/events", body).status;
      if (status != (i % 3 == 0 ? 202u : 207u)) ADD_FAILURE() << status;
    }
  }

  /// What was produced, by stream.
  std::map<std::string, std::vector<json>> produced() {
    std::map<std::string, std::vector<json>> events;
    std::ifstream file(folder_.path() + "/events.ndjson");
    for (std::string line; std::getline(file, line);) {
      json event = json::parse(line);
      const std::string stream = event["meta"]["stream"];
      events[stream].push_back(std::move(event));
    }
    return events;
  }

  TemporaryFolder folder_;
  GateProcess gate_{{"config/config.yaml"},
                    "ledger_stream: eventgate.ledger\noutput_path: " + folder_.path() + "/events.ndjson\n"};
};

TEST_F(LedgerOfAGate, BalancesAtEveryScrapeWhileClientsPost) {
  constexpr int kClients = 3;
  constexpr int kRequests = 200;
  std::atomic<int> posting{kClients};
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i)
    clients.emplace_back([&] {
      post(kRequests);
      --posting;
    });
  std::map<std::string, double> last;
  const auto scrape = [&] {
    LedgerSamples ledger(metrics());
    EXPECT_EQ(ledger.imbalance(), "");
    for (const auto& [series, value] : ledger.counters()) {
      EXPECT_GE(value, last[series]) << series;
      last[series] = value;
    }
    return ledger;
  };
  while (posting > 0) scrape();
  for (std::thread& client : clients) client.join();
  // Hasty events and error events come after their replies.
  constexpr double kEach = kClients * kRequests;
  for (;;) {
    const LedgerSamples ledger = scrape();
    if (ledger.value("produced_total", "test.event") == kEach &&
        ledger.value("produced_total", "eventgate.error.validation") == 3 * kEach &&
        ledger.value("refused_total", "eventlogging_Test") == kEach)
      break;
  }
  const LedgerSamples end = scrape();
  EXPECT_EQ(end.value("received_total", "test.event"), 2 * kEach);
  EXPECT_EQ(end.refused("test.event"), (std::map<std::string, double>{{"invalid", kEach}}));
  EXPECT_EQ(end.value("produced_total", "test.keyed.a"), kEach);
  EXPECT_EQ(end.refused("unknown"), (std::map<std::string, double>{{"stream", kEach}}));
  EXPECT_EQ(end.refused("eventlogging_Test"), (std::map<std::string, double>{{"title", kEach}}));
  for (const std::string& stream : end.streams()) EXPECT_EQ(end.value("in_flight", stream), 0) << stream;
  EXPECT_EQ(end.unjudged(), 0);
  for (const auto& [stream, events] : produced()) {
    if (stream == "eventgate.ledger") continue;
    EXPECT_EQ(end.value("produced_total", stream), static_cast<double>(events.size())) << stream;
  }
}

TEST_F(LedgerOfAGate, ShowsTheAgeOfADeclaredStreamThatNeverHadAnEvent) {
  EXPECT_THAT(metrics(),
              testing::ContainsRegex(
                  "eventgate_stream_event_age_seconds[{][^}]*stream=\"w3c.reportingapi.network_error\"[}] "));
}

TEST_F(LedgerOfAGate, TellsAllThatHappenedInItsStreamByTheEndOfTheGate) {
  constexpr int kRequests = 30;
  post(kRequests);
  gate_.signal(SIGTERM);
  EXPECT_EQ(gate_.wait(), 0) << gate_.log();

  // A minute may have ended meanwhile: the sums of a stream's ledger events count.
  std::map<std::string, std::map<std::string, std::uint64_t>> sums;
  std::map<std::string, std::uint64_t> in_flight;
  const auto events = produced();
  ASSERT_TRUE(events.contains("eventgate.ledger")) << gate_.log();
  for (const json& event : events.at("eventgate.ledger")) {
    const std::string stream = event["stream_name"];
    std::uint64_t outcomes = 0;
    for (const char* count : {"received", "produced", "spooled", "delivery_unknown", "lost"}) {
      sums[stream][count] += event[count].get<std::uint64_t>();
      if (std::string(count) != "received") outcomes += event[count].get<std::uint64_t>();
    }
    for (const auto& [cause, count] : event["refused"].items()) {
      sums[stream][cause] += count.get<std::uint64_t>();
      outcomes += count.get<std::uint64_t>();
    }
    EXPECT_EQ(event["in_flight_before"], in_flight[stream]) << event;
    EXPECT_EQ(event["in_flight_before"].get<std::uint64_t>() + event["received"].get<std::uint64_t>(),
              outcomes + event["in_flight_after"].get<std::uint64_t>())
        << event;
    in_flight[stream] = event["in_flight_after"];
  }
  for (const auto& [stream, count] : in_flight) EXPECT_EQ(count, 0u) << stream;
  EXPECT_EQ(sums["test.event"]["received"], 2u * kRequests);
  EXPECT_EQ(sums["test.event"]["invalid"], 1u * kRequests);
  EXPECT_EQ(sums["eventlogging_Test"]["title"], 1u * kRequests);
  EXPECT_EQ(sums["unknown"]["stream"], 1u * kRequests);
  EXPECT_FALSE(sums.contains("eventgate.ledger"));
  for (const auto& [stream, of_stream] : events) {
    if (stream == "eventgate.ledger") continue;
    EXPECT_EQ(sums[stream]["produced"], of_stream.size()) << stream;
  }
}

}  // namespace
}  // namespace eventgate
