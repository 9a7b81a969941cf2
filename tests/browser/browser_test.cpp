// Pages in headless Chromium, of another origin than the gate, that send it events.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "support/gate_process.hpp"
#include "support/http_test_server.hpp"
#include "support/kafka_broker.hpp"
#include "support/paths.hpp"
#include "support/process_group.hpp"
#include "support/temporary_folder.hpp"
#include "support/web_driver.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kNoBrowser =
    "NO BROWSER HERE: nothing that a page in Chromium sends is tested (Debian: chromium)";

/// The path of Chromium, or nothing.
std::string chromium() { return program_path("chromium"); }

/// A browser that shows `uri` until it is closed, with a profile of its own.
class Browser {
 public:
  explicit Browser(const std::string& uri)
      : processes_(
            {chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
             "--disable-breakpad", "--no-first-run", "--no-proxy-server", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--user-data-dir=" + folder_.path() + "/profile", uri},
            folder_.path()) {}

  std::string log() const { return processes_.log(); }

 private:
  const TemporaryFolder folder_;
  const ProcessGroup processes_;
};

/// A server of one page, which runs `script`. In it, `gate` is the gate's URI of events, and `event(how)` an event.
HttpTestServer::Handler page(std::uint16_t gate_port, const std::string& script) {
  const std::string text =
      "<!DOCTYPE html><title>a page</title><script>\n"
      "const gate = 'http://127.0.0.1:" +
      std::to_string(gate_port) +
      "/v1/events';\n"
      "const event = (how) => JSON.stringify({$schema: '/test/event/1.0.0', meta: {stream: 'test.event'}, test: "
      "how});\n" +
      script + "</script>";
  return [text](const ServedRequest& request) {
    return request.target() == "/" ? http_answer(text, "200 OK", "Content-Type: text/html; charset=utf-8\r\n")
                                   : http_answer("", "404 Not Found");
  };
}

/// Whether `condition` comes true within a minute.
bool becomes(const std::function<bool()>& condition) {
  for (int i = 0; i < 300; ++i) {
    if (condition()) return true;
    ::usleep(200000);
  }
  return false;
}

const std::string kShippedConfig = source_dir() + "/config/config.yaml";

TEST(Browser, ABeaconReachesKafka) {
  if (chromium().empty()) GTEST_SKIP() << kNoBrowser;
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaBroker& kafka = KafkaBroker::shared();
  const std::string prefix = fresh_topic() + ".";
  const GateProcess gate({kShippedConfig}, "topic_prefix: " + prefix + "\nkafka: {conf: {metadata.broker.list: '" +
                                               kafka.address() + "'}}\n");
  const HttpTestServer site(page(gate.port(),
                                 "navigator.sendBeacon(gate, event('beacon'));\n"
                                 "navigator.sendBeacon(gate + '?hasty=true', event('hasty beacon'));\n"));
  const Browser browser(site.uri("/"));
  std::vector<std::string> values;
  EXPECT_TRUE(becomes([&] {
    values = kafka.values(prefix + "test.event");
    return values.size() >= 2;
  })) << browser.log();
  std::vector<std::string> found;
  for (const std::string& value : values) found.push_back(json::parse(value).at("test"));
  EXPECT_THAT(found, testing::UnorderedElementsAre("beacon", "hasty beacon"));
}

TEST(Browser, APageOfAnotherOriginMayPostJsonAndReadTheReply) {
  if (chromium().empty()) GTEST_SKIP() << kNoBrowser;
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/events.ndjson";
  const GateProcess gate({kShippedConfig}, "output_path: " + file + "\n");
  // Of a type that no form has, so Chromium asks before it sends it.
  const HttpTestServer site(page(gate.port(), R"(
    const headers = {'content-type': 'application/json'};
    fetch(gate, {method: 'POST', headers, body: event('fetch')})
      .then(reply => fetch('/done?status=' + reply.status))
      .catch(error => fetch('/done?error=' + error.message));
  )"));
  const Browser browser(site.uri("/"));
  std::string done;
  EXPECT_TRUE(becomes([&] {
    for (const ServedRequest& request : site.requests())
      if (request.target().starts_with("/done")) done = request.target();
    return !done.empty();
  })) << browser.log();
  EXPECT_EQ(done, "/done?status=201");
  std::ifstream lines(file);
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(json::parse(line).at("test"), "fetch");
}

}  // namespace
}  // namespace eventgate
