#include "api/health_endpoints.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/fake_exchange.hpp"
#include "support/http_harness.hpp"

namespace eventgate {
namespace {

using nlohmann::json;

TEST(HealthEndpoints, ReadinessFollowsTheReason) {
  std::atomic<bool> ready{false};
  HttpHarness::Setup setup;
  setup.not_ready_reason = [&]() -> std::optional<std::string> {
    if (ready) return std::nullopt;
    return "No broker answers.";
  };
  HttpHarness harness(std::move(setup));
  HttpClient client = harness.client();
  const HttpReply not_ready_reason = client.get("/readyz");
  EXPECT_EQ(not_ready_reason.status, 503u);
  EXPECT_EQ(json::parse(not_ready_reason.body)["detail"], "No broker answers.");
  EXPECT_EQ(client.get("/healthz").status, 200u);
  ready = true;
  EXPECT_EQ(client.get("/readyz").status, 200u);
}

TEST(HealthEndpoints, ReadinessListsWhatIsStale) {
  HttpHarness::Setup setup;
  setup.stale = [] { return std::vector<std::string>{"stream configs: \"old\"", "schemas: 2"}; };
  HttpHarness harness(std::move(setup));
  const HttpReply ready = harness.client().get("/readyz");
  EXPECT_EQ(ready.status, 200u);
  EXPECT_EQ(ready.body, R"({"status":"ready","stale":["stream configs: \"old\"","schemas: 2"]})");
}

TEST(HealthEndpoints, StoppingServerIsNotReady) {
  ReadinessEndpoint endpoint({}, {});
  EXPECT_EQ(FakeExchange({.target = "/readyz"}).run(endpoint).response.status, 200u);
  const Response response = FakeExchange({.target = "/readyz", .stopping = true}).run(endpoint).response;
  EXPECT_EQ(response.status, 503u);
  EXPECT_EQ(response.extra_headers, "cache-control: no-store\r\n");
}

}  // namespace
}  // namespace eventgate
