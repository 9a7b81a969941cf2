#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/becomes.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/paths.hpp"

// `live: true` and `live_token` of the program itself.

namespace eventgate {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kShippedConfig = source_dir() + "/config/config.yaml";
const std::string kHere = "output_path: /dev/null\nnum_workers: 2\n";
constexpr const char* kEvent = R"({"$schema":"/test/event/1.0.0","meta":{"stream":"test.event"},"test":"hello"})";

TEST(Live, IsOffUnlessAskedFor) {
  const GateProcess gate({kShippedConfig}, kHere);
  EXPECT_EQ(HttpClient(gate.port()).get("/live").status, 404u);
  EXPECT_EQ(HttpClient(gate.port()).get("/v1/live").status, 404u);
}

TEST(Live, StopsInOrderWhileSomebodyLooksOn) {
  GateProcess gate({kShippedConfig}, kHere + "live: true\n");
  std::vector<HttpClient> viewers;
  for (int i = 0; i < 4; ++i) {
    viewers.emplace_back(gate.port());
    viewers.back().send(http_request("GET", "/v1/live"));
    EXPECT_EQ(viewers.back().reply(true)->status, 200u);
  }
  EXPECT_EQ(HttpClient(gate.port()).post("/v1/events?hasty=true", kEvent).status, 202u);
  for (HttpClient& viewer : viewers) EXPECT_TRUE(viewer.receive_until("hello"));
  gate.signal(SIGTERM);
  for (HttpClient& viewer : viewers) EXPECT_TRUE(viewer.receive_until("\r\n0\r\n\r\n"));
  EXPECT_EQ(gate.wait(), 0);
  EXPECT_THAT(gate.log(), HasSubstr("\"drained\":true"));
}

TEST(Live, CountsAreThereBeforeTheReply) {
  const GateProcess gate({kShippedConfig}, kHere + "live: true\n");
  HttpClient client(gate.port());
  const auto count = [&](const std::string& query = "") {
    HttpReply reply = client.get("/v1/live/count" + query);
    EXPECT_EQ(reply.status, 200u);
    return reply.body;
  };
  for (int i = 1; i <= 50; ++i) {
    EXPECT_EQ(HttpClient(gate.port()).post("/v1/events", kEvent).status, 201u);
    EXPECT_THAT(count("?stream=test.event"), HasSubstr("{\"accepted\":" + std::to_string(i) + ","));
  }
  // A hasty event is in flight or has its outcome when its client has the reply.
  for (int i = 51; i <= 100; ++i) {
    EXPECT_EQ(HttpClient(gate.port()).post("/v1/events?hasty=true", kEvent).status, 202u);
    EXPECT_TRUE(becomes([&] { return count().ends_with("\"in_flight\":0}"); }));
    EXPECT_THAT(count(), HasSubstr("{\"accepted\":" + std::to_string(i) + ","));
  }
  EXPECT_EQ(client.post("/v1/events", "{").status, 400u);
  EXPECT_EQ(client.exchange(http_request("POST", "/v1/events", "x", {"Content-Type: a/b"})).status, 400u);
  EXPECT_EQ(client.exchange(http_request("POST", "/v1/events")).status, 400u);
  EXPECT_EQ(count(), R"({"accepted":100,"invalid":1,"error":0,"rejected":2,"in_flight":0})");
  EXPECT_EQ(count("?schema=/test/event/*&outcome=accepted"),
            R"({"accepted":100,"invalid":0,"error":0,"rejected":0,"in_flight":0})");
  const HttpReply reset = client.post("/v1/live/reset", "");
  EXPECT_EQ(reset.status, 204u);
  EXPECT_EQ(reset.header("content-length"), std::nullopt);
  EXPECT_EQ(count(), R"({"accepted":0,"invalid":0,"error":0,"rejected":0,"in_flight":0})");
}

TEST(Live, ATokenOpensItAndIsInNoLogAndNoMessage) {
  const std::string token = "0123456789abcdefSECRET";
  const GateProcess gate({kShippedConfig}, kHere + "live: true\nlive_token: " + token + "\nlogging: {level: trace}\n");
  HttpClient client(gate.port());
  EXPECT_EQ(client.get("/v1/live").status, 401u);
  EXPECT_EQ(client.get("/v1/live", {"Authorization: Bearer 0123456789abcdefSECREt"}).status, 401u);
  client.send(http_request("GET", "/v1/live", {}, {"Authorization: Bearer " + token}));
  EXPECT_EQ(client.reply(true)->status, 200u);
  EXPECT_THAT(gate.log(), Not(HasSubstr("SECRET")));
  EXPECT_THROW(
      {
        try {
          const GateProcess refused({kShippedConfig}, kHere + "live_token: SECRET\n");
        } catch (const std::runtime_error& failure) {
          EXPECT_THAT(failure.what(), HasSubstr("live_token is \"(not shown)\", expected a string of at least 16"));
          EXPECT_THAT(failure.what(), Not(HasSubstr("SECRET")));
          throw;
        }
      },
      std::runtime_error);
}

}  // namespace
}  // namespace eventgate
