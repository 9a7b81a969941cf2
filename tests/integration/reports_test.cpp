// What browsers send of themselves: batches of the Reporting API (with Network Error Logging), and what they ask
// before.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/paths.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using nlohmann::json;

constexpr const char* kTarget =
    "/v1/events?hasty=false&schema_uri=/w3c/reportingapi/network_error/1.0.0&stream=w3c.reportingapi.network_error";

/// A batch as Chrome sends it: two network errors (the second without an address), and none of them an event as yet.
constexpr const char* kBatch = R"([
  {"age": 420, "type": "network-error", "url": "https://en.example.org/", "user_agent": "Mozilla/5.0 Chrome/84",
   "body": {"elapsed_time": 823, "method": "GET", "phase": "application", "protocol": "h2", "referrer": "",
            "sampling_fraction": 0.05, "server_ip": "192.0.2.1", "status_code": 502, "type": "http.error"}},
  {"age": 60017, "type": "network-error", "url": "https://upload.example.org/a.png", "user_agent": "Mozilla/5.0 Chrome/84",
   "body": {"elapsed_time": 143, "method": "GET", "phase": "dns", "protocol": "", "referrer": "https://en.example.org/",
            "sampling_fraction": 1.0, "server_ip": "", "status_code": 0, "type": "dns.name_not_resolved"}}])";

/// The shipped config and its streams, with the query parameters, in front of a file.
class Gate {
 public:
  Gate()
      : process_({source_dir() + "/config/config.yaml"},
                 "schema_uri_query_param: schema_uri\nstream_query_param: stream\ntopic_prefix: ''\n"
                 "output_path: " +
                     file() + "\n") {}

  HttpClient client() const { return HttpClient(process_.port()); }

  std::vector<json> events() const {
    std::vector<json> all;
    std::ifstream lines(file());
    for (std::string line; std::getline(lines, line);) all.push_back(json::parse(line));
    return all;
  }

 private:
  std::string file() const { return folder_.path() + "/events.ndjson"; }
  TemporaryFolder folder_;
  GateProcess process_;
};

TEST(Reports, OfABatchBecomeEventsOfTheQuerysSchemaAndStream) {
  const Gate gate;
  const HttpReply reply = gate.client().post(
      kTarget, kBatch,
      {"Content-Type: application/reports+json", "User-Agent: the browser", "X-Client-IP: 198.51.100.7"});
  EXPECT_EQ(reply.status, 201u) << reply.body;
  EXPECT_EQ(reply.reason, "All 2 out of 2 events were accepted.");
  const json reports = json::parse(kBatch);
  const std::vector<json> events = gate.events();
  ASSERT_EQ(events.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    json event = events[i];
    EXPECT_EQ(event["$schema"], "/w3c/reportingapi/network_error/1.0.0");
    EXPECT_EQ(event["meta"]["stream"], "w3c.reportingapi.network_error");
    EXPECT_EQ(event["meta"]["id"].get<std::string>().size(), 36u);
    EXPECT_EQ(event["http"],
              json::parse(R"({"client_ip":"198.51.100.7","request_headers":{"user-agent":"the browser"}})"));
    for (const char* added : {"$schema", "meta", "http"}) event.erase(added);
    EXPECT_EQ(event, reports[i]);
  }
}

TEST(Reports, OfAnotherShapeAreToldApart) {
  const Gate gate;
  const HttpReply reply = gate.client().post(
      kTarget, R"([{"age": 1, "type": "network-error", "url": "https://en.example.org/", "body": {"phase": "lunch"}},
                   {"age": 1, "type": "network-error", "url": "https://en.example.org/", "body": {"phase": "dns"}}])",
      {"Content-Type: application/reports+json"});
  EXPECT_EQ(reply.status, 207u);
  const json invalid = json::parse(reply.body)["invalid"];
  ASSERT_EQ(invalid.size(), 1u);
  EXPECT_EQ(invalid[0]["index"], 0);
  EXPECT_EQ(invalid[0]["context"]["errorsText"], "'.body.phase' should be equal to one of the allowed values");
}

TEST(Reports, OfAStreamThatAdmitsAnotherSchemaAreRefused) {
  const Gate gate;
  const HttpReply reply =
      gate.client().post("/v1/events?schema_uri=/w3c/reportingapi/network_error/1.0.0&stream=test.event", kBatch,
                         {"Content-Type: application/reports+json"});
  EXPECT_EQ(reply.status, 500u);
  EXPECT_THAT(reply.body, testing::HasSubstr("schema title must be test/event."));
}

// Chrome asks so before it delivers reports, or a beacon that is no form's, to another origin.
TEST(Reports, AreAskedForByAPreflight) {
  const Gate gate;
  const HttpReply reply = gate.client().exchange(http_request(
      "OPTIONS", kTarget, "",
      {"Connection: keep-alive", "Accept: */*", "Access-Control-Request-Method: POST",
       "Access-Control-Request-Headers: content-type", "Origin: https://en.example.org",
       "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0",
       "Sec-Fetch-Mode: cors", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Dest: report",
       "Accept-Encoding: gzip, deflate, br"}));
  EXPECT_EQ(reply.status, 200u);
  EXPECT_EQ(reply.header("access-control-allow-origin"), "*");
  EXPECT_THAT(reply.header("access-control-allow-headers").value_or(""), testing::HasSubstr("content-type"));
  EXPECT_THAT(reply.header("access-control-allow-methods").value_or(""), testing::HasSubstr("post"));
}

TEST(Reports, MayBeSentAsTextByABeacon) {
  const Gate gate;
  const HttpReply reply =
      gate.client().post(kTarget, kBatch, {"Content-Type: text/plain;charset=UTF-8", "Origin: https://en.example.org"});
  EXPECT_EQ(reply.status, 201u);
  EXPECT_EQ(reply.header("access-control-allow-origin"), "*");
}

}  // namespace
}  // namespace eventgate
