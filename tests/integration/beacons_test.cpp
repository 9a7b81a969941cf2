// Legacy beacons, through the whole service and through the commands.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "eventgate/base/percent.hpp"
#include "support/becomes.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kCapsule =
    R"({"event":{"OtherMessage":"hello"},"schema":"Test","revision":15047841,"webHost":"en.wikipedia.org"})";

/// A config that takes beacons of the schema Test, which is shipped.
struct Beacons : testing::Test {
  Beacons() {
    std::ofstream(folder.path() + "/streams.yaml")
        << "eventlogging_Test: {schema_title: analytics/legacy/test}\neventgate.error.validation: {schema_title: "
           "error}\n";
    std::ofstream(folder.path() + "/rules.yaml") << rules;
    std::ofstream(config) << yaml();
  }
  std::string yaml() const {
    return "stream_config_uri: " + folder.path() + "/streams.yaml\noutput_path: " + folder.path() +
           "/out.ndjson\nlegacy: {schemas: {Test: 1.0.0}, user_agent_regexes: " + folder.path() + "/rules.yaml}\n";
  }
  static constexpr const char* rules =
      "user_agent_parsers: [{regex: '(Firefox)'}]\nos_parsers: [{regex: 'x'}]\ndevice_parsers: [{regex: 'x'}]\n";
  const TemporaryFolder folder;
  const std::string config = folder.path() + "/config.yaml";
};

TEST_F(Beacons, ReachTheFileAsEvents) {
  GateProcess gate({"config/config.yaml", config}, "");
  EXPECT_EQ(HttpClient(gate.port()).get("/beacon/event?" + percent_encode(kCapsule) + ";").status, 204u);
  json event;
  EXPECT_TRUE(becomes([&] {
    std::ifstream out(folder.path() + "/out.ndjson");
    std::string line;
    if (!std::getline(out, line)) return false;
    event = json::parse(line, nullptr, false);
    return event.is_object();
  }));
  EXPECT_EQ(event["$schema"], "/analytics/legacy/test/1.0.0");
  EXPECT_EQ(event["meta"]["stream"], "eventlogging_Test");
}

TEST_F(Beacons, ValidateSaysWhatOneBecomes) {
  const auto validate = [&](const std::string& url, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"validate", "-c", "config/config.yaml", "-c", config, "--beacon", url};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_gate(arguments);
  };
  const std::string url = "https://host/beacon/event?" + percent_encode(kCapsule) + ";";
  const GateRun good = validate(url);
  EXPECT_EQ(good.status, 0) << good.output;
  EXPECT_THAT(good.output, HasSubstr("line 1: success\n{\"event\":{\"$schema\":\"/analytics/legacy/test/1.0.0\""));
  EXPECT_THAT(good.output, Not(HasSubstr("warning: the URL")));
  const GateRun cut = validate(url.substr(0, url.size() - 10), {"--json"});
  EXPECT_EQ(cut.status, 1);
  EXPECT_THAT(cut.output, HasSubstr("legacy_truncated: The beacon is cut"));
  const GateRun invalid = validate("/beacon/event?{\"schema\":\"Test\",\"event\":[]};");
  EXPECT_EQ(invalid.status, 1);
  EXPECT_THAT(invalid.output, HasSubstr("PHP writes an empty object so"));
  const GateRun longer = validate("/beacon/event?" + std::string(9000, 'x'));
  EXPECT_THAT(longer.output, HasSubstr("at most 8192 bytes (legacy.max_query), found 9000"));
  EXPECT_THAT(longer.output, HasSubstr("warning: the URL has 9014 characters"));
}

TEST_F(Beacons, ValidateWithoutTheSection_SaysWhatIsMissing) {
  const GateRun run = run_gate({"validate", "-c", "config/config.yaml", "--beacon", "/beacon/event?x"});
  EXPECT_NE(run.status, 0);
  EXPECT_THAT(run.output, HasSubstr("expected a config with the section `legacy`"));
}

TEST_F(Beacons, CheckNamesWhatIsMissing) {
  const auto check = [&](const std::string& more) {
    const std::string file = folder.path() + "/more.yaml";
    std::ofstream(file) << more;
    return run_gate({"check", "-c", "config/config.yaml", "-c", config, "-c", file}).output;
  };
  EXPECT_THAT(check(""), Not(HasSubstr("legacy")));
  EXPECT_THAT(check("legacy: {user_agent_regexes: /nowhere.yaml}"),
              HasSubstr("'/nowhere.yaml': expected ua-parser's rules (legacy.user_agent_regexes)"));
  EXPECT_THAT(check("legacy: {user_agent_regexes: /nowhere.yaml}"), HasSubstr("package uap-core"));
  const std::string gone = check("legacy: {schemas: {Gone: 1.0.0}}");
  EXPECT_THAT(gone, HasSubstr("legacy.schemas.Gone: /analytics/legacy/gone/1.0.0: expected that a base has it"));
  EXPECT_THAT(gone, HasSubstr("legacy.schemas.Gone: expected that the stream configs declare eventlogging_Gone"));
}

TEST_F(Beacons, RulesThatCannotBeRead_EndTheStart) {
  std::ofstream(folder.path() + "/rules.yaml") << "user_agent_parsers: 5\n";
  const GateRun run = run_gate({"serve", "-c", "config/config.yaml", "-c", config});
  EXPECT_NE(run.status, 0);
  EXPECT_THAT(run.output, HasSubstr("user_agent_parsers: expected a list of rules"));
}

TEST_F(Beacons, ReloadWithBadRules_KeepsTheOldOnes) {
  GateProcess gate({"config/config.yaml", config}, "");
  std::ofstream(folder.path() + "/rules.yaml") << "user_agent_parsers: 5\n";
  gate.signal(SIGHUP);
  const auto metrics = [&] { return HttpClient(gate.metrics_port()).get("/metrics").body; };
  EXPECT_TRUE(becomes([&] {
    return metrics().find("eventgate_reloads_total{service=\"eventgate\",outcome=\"refused\"} 1") != std::string::npos;
  }));
  EXPECT_EQ(HttpClient(gate.port()).get("/beacon/event?" + percent_encode(kCapsule) + ";").status, 204u);
  EXPECT_TRUE(becomes([&] { return metrics().find("outcome=\"success\"} 1") != std::string::npos; }));
}

}  // namespace
}  // namespace eventgate
