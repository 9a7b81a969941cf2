// A mixed run of good and bad clients, and what one who runs the gate learns of it from log, metrics and error stream:
// which stream, why, since when, and who. An error event holds what it takes to post its event again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/base64.hpp"
#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/ledger_samples.hpp"
#include "support/paths.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// The shipped config and its streams, with the query parameters, in front of a file.
class Gate {
 public:
  Gate()
      : process_({source_dir() + "/config/config.yaml"},
                 "schema_uri_query_param: schema_uri\nstream_query_param: stream\ntopic_prefix: ''\noutput_path: " +
                     file() + "\n") {}

  HttpReply post(const std::string& body, const std::string& query = "",
                 const std::vector<std::string>& headers = {"Content-Type: application/json"}) const {
    return HttpClient(process_.port()).post("/v1/events" + query, body, headers);
  }

  /// Returns the error events once there are `count`.
  std::vector<json> error_events(std::size_t count) const {
    std::vector<json> all;
    becomes([&] {
      all.clear();
      std::ifstream lines(file());
      for (std::string line; std::getline(lines, line);) {
        const json event = json::parse(line, nullptr, false);
        if (event.is_object() && event["meta"]["stream"] == "eventgate.error.validation") all.push_back(event);
      }
      return all.size() >= count;
    });
    return all;
  }

  std::string metrics() const { return HttpClient(process_.metrics_port()).get("/metrics").body; }

  /// Ends the gate, and returns its log's lines with `msg`.
  std::vector<json> end_and_read_log(std::string_view msg) {
    process_.signal(SIGTERM);
    EXPECT_EQ(process_.wait(), 0);
    std::vector<json> found;
    std::istringstream lines(process_.log());
    for (std::string line; std::getline(lines, line);)
      if (json parsed = json::parse(line, nullptr, false); parsed.is_object() && parsed["msg"] == msg)
        found.push_back(std::move(parsed));
    return found;
  }

 private:
  std::string file() const { return folder_.path() + "/events.ndjson"; }
  TemporaryFolder folder_;
  GateProcess process_;
};

std::string event(const std::string& more, const std::string& stream = "test.event",
                  const std::string& schema = "/test/event/1.0.0") {
  return R"({"$schema": ")" + schema + R"(", "meta": {"stream": ")" + stream + R"("})" + more + "}";
}

const std::vector<std::string> kApp{"Content-Type: application/json", "User-Agent: an app/1.0",
                                    "X-Client-IP: 198.51.100.7", "X-Request-Id: from-the-app"};

TEST(Refusals, OfAMixedRunAreAnsweredByLogMetricsAndErrorStream) {
  Gate gate;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(gate.post(event(R"(, "test": "x")")).status, 201u);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(gate.post(event(R"(, "test": 5)"), "", kApp).status, 400u);
  EXPECT_EQ(gate.post(event(R"(, "test": 5)"), "?hasty=true", kApp).status, 202u);
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(gate.post(event("", "test.event", "/tset/event/1.0.0"), "", kApp).status, 500u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(gate.post(event("", "tset.event"), "", kApp).status, 500u);
  const HttpReply malformed = gate.post(R"({"test": "x",})", "?stream=test.event", kApp);
  EXPECT_THAT(malformed.body, HasSubstr("found '}': this looks like a comma behind the last element."));
  EXPECT_EQ(gate.post("<html>", "", {"Content-Type: text/html"}).status, 400u);
  EXPECT_EQ(gate.post(" ").status, 400u);

  // Which stream and why, in the metrics. The hasty event counts where it is refused.
  const std::vector<json> error_events = gate.error_events(47);
  const std::string metrics = gate.metrics();
  const LedgerSamples ledger(metrics);
  EXPECT_EQ(ledger.value("produced_total", "test.event"), 20);
  EXPECT_EQ(ledger.refused("test.event"),
            (std::map<std::string, double>{{"invalid", 31}, {"schema", 10}, {"malformed_json", 1}}));
  EXPECT_EQ(ledger.refused("unknown"), (std::map<std::string, double>{{"stream", 5}}));
  for (const char* cause : {"content_type", "empty"})
    EXPECT_THAT(metrics, HasSubstr("eventgate_rejected_requests_total{service=\"eventgate\",cause=\"" +
                                   std::string(cause) + "\"} 1"));

  // Who, in the error stream.
  ASSERT_EQ(error_events.size(), 47u);
  std::map<std::string, int> types;
  for (const json& made : error_events) {
    ++types[made["error_type"]];
    EXPECT_EQ(made["$schema"], "/error/2.2.0");
    EXPECT_EQ(made["http"]["request_headers"]["user-agent"], "an app/1.0") << made;
    EXPECT_EQ(made["http"]["client_ip"], "198.51.100.7");
    EXPECT_EQ(made["meta"]["request_id"], "from-the-app");
  }
  EXPECT_EQ(types,
            (std::map<std::string, int>{{"validation", 31}, {"schema", 10}, {"stream", 5}, {"malformed_json", 1}}));

  // Which stream, why, how many and since when, in the log: a line at once, and one for the rest.
  std::map<std::string, int> counts;
  std::map<std::string, json> first;
  for (const json& line : gate.end_and_read_log("Events are refused")) {
    EXPECT_EQ(line["level"], 40);
    const std::string kind = line["stream"].get<std::string>() + " " + line["cause"].get<std::string>();
    counts[kind] += line["count"].get<int>();
    EXPECT_EQ(line["total"], counts[kind]);
    first.emplace(kind, line);
    EXPECT_EQ(line["since"], first[kind]["since"]);
  }
  EXPECT_EQ(counts, (std::map<std::string, int>{{"test.event invalid", 31},
                                                {"test.event schema", 10},
                                                {"test.event malformed_json", 1},
                                                {"unknown stream", 5}}));
  EXPECT_EQ(first["test.event invalid"]["message"], "'.test' should be string");
  EXPECT_EQ(first["test.event invalid"]["schema_uri"], "/test/event/1.0.0");
  EXPECT_EQ(first["test.event schema"]["example_schema_uri"], "/tset/event/1.0.0");
  EXPECT_EQ(first["unknown stream"]["example_stream"], "tset.event");
  EXPECT_EQ(first["unknown stream"]["schema_uri"], "unknown");
  EXPECT_EQ(first["test.event invalid"]["since"].get<std::string>().size(), 24u);
}

TEST(Refusals, OfWholeRequestsHaveALineForEachCause) {
  Gate gate;
  for (int i = 0; i < 3; ++i) gate.post("<html>", "", {"Content-Type: text/html"});
  gate.post("[]");
  std::map<std::string, int> counts;
  std::map<std::string, std::string> messages;
  for (const json& line : gate.end_and_read_log("Requests are rejected")) {
    counts[line["cause"]] += line["count"].get<int>();
    messages[line["cause"]] = line["message"];
  }
  EXPECT_EQ(counts, (std::map<std::string, int>{{"content_type", 3}, {"empty", 1}}));
  EXPECT_THAT(messages["content_type"], HasSubstr("Content-Type is \"text/html\": expected application/json"));
}

// --- what an error event holds is posted again

/// Posts the event of `made` again as it was meant: its bytes, the query, and the id and time that the gate gave it.
HttpReply post_again(const Gate& gate, const json& made) {
  std::string body = made.contains("raw_event_base64") ? base64_decoded(made["raw_event_base64"].get<std::string>())
                                                       : made["raw_event"].get<std::string>();
  if (made.contains("errored_event_id") || made.contains("errored_event_dt")) {
    json event = json::parse(body);
    if (made.contains("errored_event_id")) event["meta"]["id"] = made["errored_event_id"];
    if (made.contains("errored_event_dt") && !event["meta"].contains("dt"))
      event["meta"]["dt"] = made["errored_event_dt"];
    body = event.dump();
  }
  std::string query;
  if (made.contains("request"))
    for (const auto& [name, value] : made["request"]["query"].items())
      query += (query.empty() ? "?" : "&") + name + "=" + value.get<std::string>();
  return gate.post(body, query);
}

struct Sent {
  std::string body;
  std::string query;
};

TEST(Refusals, ErrorEventPostsItsEventAgainWithTheSameVerdictIdAndTime) {
  const std::vector<Sent> cases{
      {event(R"(, "test": 5)"), ""},
      {R"({"$schema": "/test/event/1.0.0", "meta": {"stream": "test.event", "id": "mine", "dt": "2020-01-01T00:00:00Z"},
           "test": 5})",
       ""},
      {R"([{"age": 1, "type": "network-error", "url": "https://en.example.org/", "body": {"phase": "lunch"}}])",
       "?schema_uri=/w3c/reportingapi/network_error/1.0.0&stream=w3c.reportingapi.network_error"},
      {event(", \"test\": \"\xff\xfe\""), ""},
  };
  const Gate gate;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const HttpReply first = gate.post(cases[i].body, cases[i].query);
    const json made = gate.error_events(2 * i + 1).back();
    const HttpReply second = post_again(gate, made);
    EXPECT_EQ(gate.error_events(2 * i + 2).size(), 2 * i + 2);
    EXPECT_EQ(first.status, 400u);
    EXPECT_EQ(second.status, first.status);
    const json before = json::parse(first.body)["invalid"][0];
    const json after = json::parse(second.body)["invalid"][0];
    EXPECT_EQ(after["context"], before["context"]);
    if (!before["event"].is_object()) {
      EXPECT_EQ(after["event"], before["event"]);  // bytes that are no UTF-8: the event is a string
      continue;
    }
    for (const char* name : {"id", "dt"}) {
      EXPECT_FALSE(before["event"]["meta"][name].get<std::string>().empty());
      EXPECT_EQ(after["event"]["meta"][name], before["event"]["meta"][name]) << name;
    }
  }
}

}  // namespace
}  // namespace eventgate
