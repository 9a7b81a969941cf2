// eventgate health

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/gate_process.hpp"
#include "support/http_test_server.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;

GateRun health(const std::string& config) {
  const TemporaryFolder folder;
  return run_gate({"health", "-c", folder.write("config.yaml", config)});
}

TEST(Health, IsThatTheGateOfTheConfigAnswers) {
  const TemporaryFolder folder;
  GateProcess gate({}, "output_path: " + folder.path() + "/events/\n");
  const std::string config = "port: " + std::to_string(gate.port()) + "\n";
  const GateRun run = health(config);
  EXPECT_EQ(run.status, 0) << run.output;
  EXPECT_EQ(run.output, "");
  EXPECT_EQ(health(config + "interface: localhost\n").status, 0);
  gate.signal(SIGTERM);
  gate.wait();
  const GateRun gone = health(config);
  EXPECT_EQ(gone.status, 1);
  EXPECT_THAT(gone.output, HasSubstr("eventgate: not healthy: http://127.0.0.1:" + std::to_string(gate.port()) +
                                     "/healthz: no connection"));
}

TEST(Health, OfWhatAnswersOtherwiseOrNotAtAllIsNone) {
  const HttpTestServer broken([](const ServedRequest&) { return http_answer("{}", "503 Service Unavailable"); });
  EXPECT_THAT(health("port: " + std::to_string(broken.port())).output, HasSubstr("got 503"));
  const HttpTestServer silent([](const ServedRequest&) { return std::nullopt; });
  const GateRun run = health("port: " + std::to_string(silent.port()));
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.output, HasSubstr("within fetch_timeout"));
}

TEST(Health, NeedsAPortAndAConfig) {
  EXPECT_THAT(health("port: 0").output, HasSubstr("expected a `port` other than 0"));
  EXPECT_THAT(health("port: many").output, HasSubstr("port is \"many\""));
  EXPECT_EQ(run_gate({"health"}).status, 2);
}

}  // namespace
}  // namespace eventgate
