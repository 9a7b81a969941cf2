// SIGHUP: what is read again, and that a file that is no good changes nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <string>

#include "support/becomes.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/http_test_server.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_certificate.hpp"

namespace eventgate {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kSchema = R"({"title": "test", "type": "object", "properties": {
  "$schema": {"type": "string"}, "meta": {"type": "object", "properties": {"stream": {"type": "string"}}}}})";

std::string event(const std::string& stream, const std::string& schema = "/test/1.0.0") {
  return R"({"$schema":")" + schema + R"(","meta":{"stream":")" + stream + "\"}}";
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++found;
  return found;
}

/// A gate with the stream test.a, and files to change.
class Reload : public testing::Test {
 protected:
  void SetUp() override {
    folder.write("schemas/test/1.0.0", kSchema);
    folder.write("streams.yaml", "test.a: {schema_title: test}\n");
    folder.write("config.yaml", config());
  }

  std::string config(const std::string& more = "") const {
    return "schema_base_uris: [" + folder.path() +
           "/schemas]\nschema_negative_ttl: 1h\nstream_config_uri: " + folder.path() +
           "/streams.yaml\noutput_path: " + folder.path() + "/events/\n" + more;
  }

  void start() { gate.emplace(std::vector<std::string>{folder.path() + "/config.yaml"}, ""); }

  /// Sends SIGHUP and waits for what comes of it: the log lines since.
  std::string reload() {
    const auto outcomes = [this] {
      return count(gate->log(), "\"msg\":\"reloaded\"") + count(gate->log(), "\"msg\":\"The reload is refused");
    };
    const std::size_t before = outcomes(), size = gate->log().size();
    gate->signal(SIGHUP);
    EXPECT_TRUE(becomes([&] { return outcomes() > before; }));
    // What comes after it is in the log when the next metrics are read.
    HttpClient(gate->metrics_port()).get("/metrics");
    return gate->log().substr(size);
  }

  unsigned post(const std::string& body) { return HttpClient(gate->port()).post("/v1/events", body).status; }

  TemporaryFolder folder;
  std::optional<GateProcess> gate;
};

TEST_F(Reload, TakesTheLogsLevelAndFile) {
  start();
  EXPECT_THAT(gate->log(), Not(HasSubstr("\"level\":20")));
  folder.write("config.yaml",
               config("logging: {level: debug, streams: [{type: file, path: " + folder.path() + "/other.log}]}\n"));
  gate->signal(SIGHUP);
  const auto other = [this] {
    std::ifstream in(folder.path() + "/other.log");
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  EXPECT_TRUE(becomes([&] { return other().find("\"msg\":\"reloaded\"") != std::string::npos; }));
  EXPECT_EQ(post(R"({"$schema":"/test/1.0.0","meta":{"stream":"test.a"},"$schema":"/test/1.0.0"})"), 400u);
  gate->signal(SIGHUP);  // The file is opened anew: what was buffered is written.
  EXPECT_TRUE(becomes([&] { return other().find("\"level\":20") != std::string::npos; }));
}

TEST_F(Reload, TakesStreamConfigs) {
  start();
  EXPECT_EQ(post(event("test.b")), 500u);
  folder.write("streams.yaml", "test.a: {schema_title: test}\ntest.b: {schema_title: test}\n");
  EXPECT_THAT(reload(), Not(HasSubstr("need a restart")));
  EXPECT_EQ(post(event("test.b")), 201u);
}

TEST_F(Reload, TriesSchemasAgainThatFailed) {
  start();
  EXPECT_EQ(post(event("test.a", "/test/2.0.0")), 500u);
  folder.write("schemas/test/2.0.0", kSchema);
  EXPECT_EQ(post(event("test.a", "/test/2.0.0")), 500u);
  reload();
  EXPECT_EQ(post(event("test.a", "/test/2.0.0")), 201u);
}

TEST_F(Reload, LoadsPrecachedSchemasThatFailed) {
  folder.write("config.yaml", config("schema_precache_uris: [/test/2.0.0]\n"));
  start();
  folder.write("schemas/test/2.0.0", kSchema);
  reload();
  EXPECT_TRUE(becomes([&] {
    return HttpClient(gate->metrics_port())
               .get("/metrics")
               .body.find("eventgate_cached_schemas{service=\"eventgate\"} 1") != std::string::npos;
  }));
}

TEST_F(Reload, TakesCertificates) {
  const TestCertificate certificate("DNS:localhost"), other("DNS:localhost");
  const HttpTestServer host([](const ServedRequest&) { return http_answer(kSchema); }, &certificate);
  const std::string ca_file = folder.write("ca.pem", other.pem());
  std::string text = config("ca_file: " + ca_file + "\n");
  text.replace(text.find(folder.path() + "/schemas"), folder.path().size() + 8,
               "'" + host.uri("/schemas", "localhost") + "'");
  folder.write("config.yaml", text);
  start();
  EXPECT_THAT(HttpClient(gate->port()).post("/v1/events", event("test.a")).body, HasSubstr("expected a certificate"));
  folder.write("ca.pem", "no certificate");
  EXPECT_THAT(reload(), HasSubstr("ca_file: expected a file of PEM certificates"));
  folder.write("ca.pem", certificate.pem());
  reload();
  EXPECT_EQ(post(event("test.a")), 201u);
}

TEST_F(Reload, NamesOptionsThatNeedARestart) {
  start();
  folder.write("config.yaml", config("max_body_size: 1mb\nsome_key: 1\n"));
  const std::string log = reload();
  EXPECT_THAT(log, HasSubstr("\"msg\":\"Options that differ from those in use need a restart\""));
  EXPECT_THAT(log, HasSubstr("\"options\":\"max_body_size\""));
  EXPECT_THAT(log, HasSubstr("some_key"));
  EXPECT_EQ(post(event("test.a", "/" + std::string(200 * 1024, 'a'))), 413u);
}

TEST_F(Reload, IsRefusedWholeForABadConfig) {
  start();
  folder.write("streams.yaml", "test.a: {schema_title: test}\ntest.b: {schema_title: test}\n");
  folder.write("config.yaml", config("max_body_size: many\nlogging: {level: debug}\n"));
  EXPECT_THAT(reload(), HasSubstr("config.yaml: max_body_size is \\\"many\\\", expected"));
  EXPECT_EQ(post(event("test.b")), 500u);
  EXPECT_EQ(post(event("test.a")), 201u);
  EXPECT_THAT(gate->log(), Not(HasSubstr("\"level\":20")));
  EXPECT_THAT(HttpClient(gate->metrics_port()).get("/metrics").body,
              HasSubstr("eventgate_reloads_total{service=\"eventgate\",outcome=\"refused\"} 1"));
}

TEST_F(Reload, IsRefusedWholeForBadStreamConfigs) {
  start();
  folder.write("config.yaml", config("logging: {level: debug}\n"));
  for (const char* const bad : {"test.b: [\n", "- a\n"}) {
    folder.write("streams.yaml", bad);
    EXPECT_THAT(reload(), HasSubstr("\"msg\":\"The reload is refused: everything stays as it was\""));
  }
  EXPECT_EQ(post(event("test.a")), 201u);
  EXPECT_THAT(gate->log(), Not(HasSubstr("\"level\":20")));
}

TEST_F(Reload, RefusesAStreamConfigEntryThatCannotBeUsedAlone) {
  start();
  folder.write("streams.yaml",
               "\"/(/\": {schema_title: test}\ntest.a: {schema_title: 5}\n"
               "test.null: {schema_title: null}\n"
               "test.b: {schema_title: test}\n");
  EXPECT_THAT(reload(), AllOf(HasSubstr("Entries of the stream configs cannot be used"), HasSubstr("'/(/'"),
                              HasSubstr("\"msg\":\"reloaded\"")));
  EXPECT_EQ(post(event("test.a")), 500u);
  EXPECT_EQ(post(event("test.b")), 201u);
  EXPECT_THAT(HttpClient(gate->port()).get("/readyz").body,
              AllOf(HasSubstr("\"stale\":[\"stream configs: entries that cannot be used"), HasSubstr("'test.a'")));
}

TEST_F(Reload, IsRefusedWholeForALogThatCannotBeWritten) {
  start();
  folder.write("streams.yaml", "test.a: {schema_title: test}\ntest.b: {schema_title: test}\n");
  folder.write("config.yaml",
               config("logging: {streams: [{type: file, path: " + folder.path() + "/streams.yaml/log}]}\n"));
  EXPECT_THAT(reload(), HasSubstr("Cannot write the log to"));
  EXPECT_EQ(post(event("test.b")), 500u);
}

TEST_F(Reload, IsGivenUpWhenAskedToStop) {
  std::atomic<bool> answers{true};
  const HttpTestServer host([&](const ServedRequest&) -> std::optional<std::string> {
    if (answers) return http_answer(R"({"test.a": {"schema_title": "test"}})");
    return std::nullopt;
  });
  std::string text = config("fetch_timeout: 1h\n");
  text.replace(text.find(folder.path() + "/streams.yaml"), folder.path().size() + 13, "'" + host.uri("/streams") + "'");
  folder.write("config.yaml", text);
  start();
  answers = false;
  const std::size_t asked = host.requests().size();
  gate->signal(SIGHUP);
  EXPECT_TRUE(becomes([&] { return host.requests().size() > asked; }));
  EXPECT_EQ(post(event("test.a")), 201u);
  gate->signal(SIGTERM);
  EXPECT_EQ(gate->wait(), 0);
  EXPECT_THAT(gate->log(), HasSubstr("The reload is refused"));
}

}  // namespace
}  // namespace eventgate
