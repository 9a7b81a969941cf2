#include "http/info_handler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>

#include "http_harness.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(InfoHandler, SaysWhatTheServiceIs) {
  HttpHarness harness;
  HttpClient client = harness.client();
  const HttpReply reply = client.get("/_info");
  EXPECT_EQ(reply.header("content-type"), "application/json; charset=utf-8");
  const json info = json::parse(reply.body);
  EXPECT_EQ(info["name"], "eventgate");
  EXPECT_THAT(info["version"].get<std::string>(), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_EQ(info.size(), 4u);
  EXPECT_EQ(client.get("/_info/").body, reply.body);
  EXPECT_EQ(json::parse(client.get("/_info/name").body), json({{"name", "eventgate"}}));
  EXPECT_EQ(json::parse(client.get("/_info/version").body), json({{"version", info["version"]}}));
  const HttpReply home = client.get("/_info/home");
  EXPECT_EQ(home.status, 301u);
  EXPECT_EQ(home.header("location"), info["home"].get<std::string>());
}

TEST(InfoHandler, HeadIsGetWithoutTheBody) {
  HttpHarness harness;
  HttpClient client = harness.client();
  const HttpReply get = client.get("/_info");
  const HttpReply head = client.exchange(http_request("HEAD", "/_info"), true);
  EXPECT_EQ(head.status, 200u);
  EXPECT_EQ(head.header("content-length"), get.header("content-length"));
  EXPECT_EQ(client.get("/robots.txt").body, "User-agent: *\nDisallow: /\n");
}

TEST(InfoHandler, DocumentDescribesEveryRouteWithItsMethod) {
  HttpHarness harness;
  const HttpReply reply = harness.client().get("/?spec");
  EXPECT_EQ(reply.header("content-type"), "application/json; charset=utf-8");
  const json spec = json::parse(reply.body);
  EXPECT_THAT(spec["openapi"].get<std::string>(), testing::StartsWith("3."));
  EXPECT_THAT(spec["info"]["version"].get<std::string>(), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  std::vector<std::string> paths;
  for (const auto& [path, operations] : spec["paths"].items()) {
    paths.push_back(path);
    const Route route =
        Router(true, true, true).find(path == "/v1/stream-configs/{streams}" ? "/v1/stream-configs/a" : path).route;
    EXPECT_TRUE(operations.contains(route == Route::events ? "post" : "get")) << path;
  }
  EXPECT_THAT(paths, testing::UnorderedElementsAre("/", "/_info", "/_info/home", "/_info/name", "/_info/version",
                                                   "/healthz", "/live", "/readyz", "/robots.txt", "/v1/_test/events",
                                                   "/v1/live", "/v1/live/schema", "/v1/events", "/v1/stream-configs",
                                                   "/v1/stream-configs/{streams}"));
}

TEST(InfoHandler, DocumentSaysWhatIsRefusedOfARequest) {
  HttpHarness harness;
  const json paths = json::parse(harness.client().get("/?spec").body)["paths"];
  const json& responses = paths["/v1/events"]["post"]["responses"];
  EXPECT_THAT(responses["400"]["description"].get<std::string>(), testing::HasSubstr("without a body"));
  EXPECT_THAT(responses["413"]["description"].get<std::string>(), testing::HasSubstr("trailer fields"));
  EXPECT_THAT(responses["501"]["description"].get<std::string>(), testing::HasSubstr("method that is not known"));
  EXPECT_EQ(paths["/v1/live/schema"]["get"]["parameters"][0]["schema"]["minLength"], 1);
}

TEST(InfoHandler, ReferencesInTheDocumentLeadSomewhere) {
  HttpHarness harness;
  const json spec = json::parse(harness.client().get("/?spec").body);
  const json flat = spec.flatten();
  std::size_t references = 0;
  for (const auto& [pointer, value] : flat.items()) {
    if (!pointer.ends_with("/$ref")) continue;
    ++references;
    EXPECT_TRUE(spec.contains(json::json_pointer(value.get<std::string>().substr(1)))) << value;
  }
  EXPECT_GT(references, 20u);
}

TEST(InfoHandler, PageIsOneAndMayRunItsScript) {
  HttpHarness harness;
  HttpClient client = harness.client();
  const HttpReply reply = client.get("/?doc");
  EXPECT_EQ(reply.header("content-type"), "text/html; charset=utf-8");
  EXPECT_THAT(*reply.header("content-security-policy"), HasSubstr("script-src 'self' 'unsafe-inline'"));
  EXPECT_THAT(reply.body, testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_EQ(client.get("/?doc&path=../package.json").status, 404u);
  EXPECT_EQ(client.get("/").status, 404u);
}

TEST(InfoHandler, ReadinessIsWhatItIsTold) {
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

TEST(InfoHandler, ReadinessSaysWhatIsStale) {
  HttpHarness::Setup setup;
  setup.stale = [] { return std::vector<std::string>{"stream configs: \"old\"", "schemas: 2"}; };
  HttpHarness harness(std::move(setup));
  const HttpReply ready = harness.client().get("/readyz");
  EXPECT_EQ(ready.status, 200u);
  EXPECT_EQ(ready.body, R"({"status":"ready","stale":["stream configs: \"old\"","schemas: 2"]})");
}

TEST(InfoHandler, StreamConfigsAreThoseInUse) {
  HttpHarness::Setup setup;
  setup.stream_configs = R"({"b.event": {"schema_title": "test"}, "/^a/": {"schema_title": "a"}, "empty": {}})";
  HttpHarness harness(std::move(setup));
  HttpClient client = harness.client();
  EXPECT_EQ(json::parse(client.get("/v1/stream-configs").body),
            json::parse(R"({"b.event": {"schema_title": "test"}, "/^a/": {"schema_title": "a"}, "empty": {}})"));
  EXPECT_EQ(json::parse(client.get("/v1/stream-configs/b.event|nope,empty").body),
            json::parse(R"({"b.event": {"schema_title": "test"}, "empty": {}})"));
  EXPECT_EQ(json::parse(client.get("/v1/stream-configs/%2F%5Ea%2F").body),
            json::parse(R"({"/^a/": {"schema_title": "a"}})"));
  EXPECT_EQ(client.get("/v1/stream-configs/abc").body, "{}");
  EXPECT_EQ(HttpHarness().client().get("/v1/stream-configs").status, 404u);
}

}  // namespace
}  // namespace eventgate
