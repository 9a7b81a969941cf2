// A start that waits for a host ends promptly when it is asked to stop.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "support/gate_process.hpp"
#include "support/http_test_server.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;

/// What becomes of a start with `config` that is asked to stop once `host` was asked for something. By itself it would
/// take half an hour or more.
GateRun stopped_start(const HttpTestServer& host, const std::string& config, int signal) {
  const TemporaryFolder folder;
  const std::string file = folder.write("config.yaml", "port: 0\ninterface: 127.0.0.1\noutput_path: " + folder.path() +
                                                           "/events/\nfetch_timeout: 1h\n" + config);
  const std::string log = folder.path() + "/log";
  const pid_t gate = start_gate({"serve", "-c", file}, log);
  int status = 0;
  pid_t ended = 0;
  while (host.requests().empty() && ended == 0) {
    ::usleep(1000);
    ended = waitpid(gate, &status, WNOHANG);
  }
  if (ended == 0) {
    ::kill(gate, signal);
    waitpid(gate, &status, 0);
  }
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/events"));
  std::ifstream in(log);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), {std::istreambuf_iterator<char>(in), {}}};
}

void expect_stopped(const GateRun& run, const std::string& signal) {
  EXPECT_EQ(run.status, 0) << run.output;
  EXPECT_THAT(run.output, HasSubstr("\"msg\":\"stopped before it served\""));
  EXPECT_THAT(run.output, HasSubstr("\"signal\":\"" + signal + "\""));
  EXPECT_THAT(run.output, testing::Not(HasSubstr("\"msg\":\"listening\"")));
}

TEST(StoppedStart, DoesNotWaitForStreamConfigs) {
  const HttpTestServer host([](const ServedRequest&) { return std::nullopt; });
  expect_stopped(stopped_start(host, "stream_config_uri: " + host.uri("/api.php") + "\n", SIGTERM), "SIGTERM");
}

TEST(StoppedStart, DoesNotTryAgain) {
  const HttpTestServer host([](const ServedRequest&) { return http_answer("{}", "500 Internal Server Error"); });
  expect_stopped(
      stopped_start(host, "stream_config_uri: " + host.uri("/api.php") + "\nstream_config_retries: 1000\n", SIGINT),
      "SIGINT");
}

TEST(StoppedStart, DoesNotWaitForSchemas) {
  for (const std::string required : {"true", "false"}) {
    const HttpTestServer host([](const ServedRequest&) { return std::nullopt; });
    expect_stopped(
        stopped_start(host,
                      "schema_base_uris: ['" + host.uri("/schemas") +
                          "']\nschema_precache_uris: [/test/1.0.0]\nschema_precache_required: " + required + "\n",
                      SIGTERM),
        "SIGTERM");
  }
}

}  // namespace
}  // namespace eventgate
