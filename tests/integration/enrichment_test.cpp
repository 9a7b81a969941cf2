// What headers, sockets and stream configs add to an event, and to which topic it goes, over real connections.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kSchema = R"(
title: TITLE
$id: /TITLE/1.0.0
$schema: https://json-schema.org/draft-07/schema#
type: object
properties:
  $schema: {type: string}
  meta:
    type: object
    properties:
      stream: {type: string}
      id: {type: string}
      dt: {type: string, format: date-time, maxLength: 128}
      request_id: {type: string}
  dt: {type: string, format: date-time, maxLength: 128}
  http:
    type: object
    properties:
      client_ip: {type: string}
      request_headers: {type: object, additionalProperties: {type: string}}
)";

constexpr const char* kStreams = R"(
plain: {schema_title: hover}
enriched:
  schema_title: hover
  producers:
    eventgate:
      enrich_fields_from_http_headers:
        http.request_headers.x-special: X-Special
        http.request_headers.user-agent: false
bare: {schema_title: hover, topic_prefixes: null}
prefixed: {schema_title: hover, topic_prefixes: [eqiad., codfw.]}
eventlogging_Search: {schema_title: analytics/legacy/search}
)";

std::string schema_of(const std::string& title) {
  std::string text = kSchema;
  for (std::size_t at; (at = text.find("TITLE")) != std::string::npos;) text.replace(at, 5, title);
  return text;
}

/// A gate whose events are lines of one file a topic.
class Gate {
 public:
  explicit Gate(const std::string& config = "")
      : process_({}, "stream_config_uri: " + folder_.write("streams.yaml", kStreams) + "\nschema_base_uris: [" +
                         folder_.path() + "/schemas]\noutput_path: " + folder_.path() +
                         "/events/\ntopic_prefix: eqiad.\n" + config) {
    folder_.write("schemas/hover/1.0.0", schema_of("hover"));
    folder_.write("schemas/analytics/legacy/search/1.0.0", schema_of("analytics/legacy/search"));
  }

  /// The event as produced, of one that has a schema and a stream only.
  json produced(const std::string& stream, std::vector<std::string> headers = {},
                const std::string& schema = "/hover") {
    headers.push_back("Content-Type: application/json");
    const HttpReply reply =
        HttpClient(process_.port())
            .post("/v1/events", json{{"$schema", schema + "/1.0.0"}, {"meta", {{"stream", stream}}}}.dump(), headers);
    EXPECT_EQ(reply.status, 201u) << reply.body;
    json event;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path() + "/events")) {
      if (!entry.is_regular_file() || !entry.path().filename().string().ends_with(".ndjson")) continue;
      std::ifstream lines(entry.path());
      for (std::string line; std::getline(lines, line);)
        if (json::parse(line).at("meta").at("stream") == stream) event = json::parse(line);
    }
    return event;
  }

  /// Those that something was produced to.
  std::vector<std::string> topics() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path() + "/events"))
      names.push_back(entry.path().filename());
    return names;
  }

 private:
  TemporaryFolder folder_;
  GateProcess process_;
};

TEST(Enrichment, FillsInIdTimeAddressAndHeaders) {
  Gate gate;
  const json event = gate.produced("plain", {"User-Agent: curl/7.88.1", "X-Request-Id: the-request"});
  EXPECT_THAT(event["meta"]["id"].get<std::string>(), testing::SizeIs(36));
  EXPECT_THAT(event["meta"]["dt"].get<std::string>(), testing::SizeIs(24));
  EXPECT_EQ(event["meta"]["request_id"], "the-request");
  EXPECT_EQ(event["http"], json::parse(R"({"request_headers":{"user-agent":"curl/7.88.1"},"client_ip":"127.0.0.1"})"));
  EXPECT_FALSE(event.contains("dt"));
}

TEST(Enrichment, IsThatOfTheStreamConfigWhereItHasOne) {
  Gate gate;
  const json event = gate.produced("enriched", {"x-SPECIAL: s", "User-Agent: curl", "X-Request-Id: r"});
  EXPECT_EQ(event["http"]["request_headers"], json::parse(R"({"x-special":"s"})"));
  EXPECT_FALSE(event["meta"].contains("request_id"));
}

TEST(Enrichment, IsThatOfTheConfigForOtherStreams) {
  Gate gate("http_request_headers_to_fields: {X-Old: http.request_headers.x-old}\n");
  EXPECT_EQ(gate.produced("plain", {"x-old: o", "User-Agent: curl"})["http"]["request_headers"],
            json::parse(R"({"x-old":"o"})"));
  EXPECT_EQ(gate.produced("enriched", {"x-old: o", "x-special: s"})["http"]["request_headers"],
            json::parse(R"({"x-special":"s"})"));
}

TEST(Enrichment, TakesTheAddressThatIsNearestToTheClient) {
  Gate gate;
  const auto address = [&](std::vector<std::string> headers) {
    return gate.produced("plain", std::move(headers))["http"]["client_ip"];
  };
  EXPECT_EQ(address({"X-Client-IP: 192.0.2.1", "X-Forwarded-For: 198.51.100.7, 10.0.0.1"}), "192.0.2.1");
  EXPECT_EQ(address({"X-Forwarded-For: 198.51.100.7, 10.0.0.1"}), "198.51.100.7");
  EXPECT_EQ(address({}), "127.0.0.1");
}

TEST(Enrichment, GivesLegacyEventsATimeAndNoPrefix) {
  Gate gate;
  const json event = gate.produced("eventlogging_Search", {}, "/analytics/legacy/search");
  EXPECT_EQ(event["dt"], event["meta"]["dt"]);
  EXPECT_THAT(gate.topics(), testing::ElementsAre("eventlogging_Search"));
}

TEST(Enrichment, PrefixesTopicsUnlessTheStreamConfigSaysNull) {
  Gate gate;
  gate.produced("bare");
  gate.produced("prefixed");
  gate.produced("plain");
  EXPECT_THAT(gate.topics(), testing::UnorderedElementsAre("bare", "eqiad.prefixed", "eqiad.plain"));
}

TEST(Enrichment, CutsHeadersBetweenCharacters) {
  Gate gate;
  std::string cranes;
  for (int i = 0; i < 401; ++i) cranes += "\xe9\xb6\xb4";
  EXPECT_EQ(gate.produced("plain", {"User-Agent: " + cranes})["http"]["request_headers"]["user-agent"],
            cranes.substr(0, 1200));
}

TEST(Enrichment, MendsHeadersThatAreNoUtf8) {
  Gate gate;
  EXPECT_EQ(gate.produced("plain", {"User-Agent: caf\xe9 \xe9\xb6 x"})["http"]["request_headers"]["user-agent"],
            "caf\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd x");
}

}  // namespace
}  // namespace eventgate
