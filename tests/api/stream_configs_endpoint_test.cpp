#include "api/stream_configs_endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "support/http_harness.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(StreamConfigsEndpoint, NamesAreSeparatedByCommasOrBars) {
  EXPECT_THAT(split_stream_names("a,b|c,"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(split_stream_names(",|"), IsEmpty());
}

TEST(StreamConfigsEndpoint, ConfigsAreThoseInUse) {
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
  EXPECT_EQ(client.get("/v1/stream-configs/,").body, "{}");
  EXPECT_EQ(HttpHarness().client().get("/v1/stream-configs").status, 404u);
}

/// A gate with the service at /w/api.php.
HttpHarness::Setup service_setup() {
  HttpHarness::Setup setup;
  setup.stream_configs = R"({"default": {"a": {"schema_title": "a"}, "/^r/": {"schema_title": "r"}},
                             "+enwiki": {"a": {"sample": {"rate": 0.1}}}, "+large": {"a": {"large": true}}})";
  setup.stream_config_groups = {{"dewiki", {"large"}}};
  setup.api.stream_service.path = "/w/api.php";
  setup.api.stream_service.wikis = {{"en.wiki.example", "enwiki"}};
  return setup;
}

constexpr const char* kAction = "/w/api.php?action=streamconfigs&format=json&formatversion=2&origin=*&all_settings=1";

TEST(StreamConfigService, RepliesAsTheActionApiWithHeadersForCaches) {
  HttpHarness harness(service_setup());
  HttpClient client = harness.client();
  const HttpReply reply = client.get(kAction + std::string("&streams=a%7Cr1"));
  EXPECT_EQ(reply.status, 200u);
  EXPECT_EQ(json::parse(reply.body),
            json::parse(R"({"streams": {"a": {"schema_title": "a", "stream": "a", "topics": ["a"]},
                                        "r1": {"schema_title": "r", "stream": "/^r/", "topics": ["r1"]}}})"));
  EXPECT_EQ(reply.header("cache-control"), "public, max-age=600");
  EXPECT_EQ(reply.header("access-control-allow-origin"), "*");
  const std::string tag = reply.header("etag").value_or("");
  const HttpReply again = client.get(kAction + std::string("&streams=a%7Cr1"), {"If-None-Match: " + tag});
  EXPECT_EQ(again.status, 304u);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(client.get(kAction + std::string("&streams=a")).status, 200u);  // the connection goes on
}

TEST(StreamConfigService, WikiIsThatOfTheQueryOrOfTheHost) {
  HttpHarness harness(service_setup());
  HttpClient client = harness.client();
  const auto a_of = [&](const std::string& target) { return json::parse(client.get(target).body)["streams"]["a"]; };
  EXPECT_EQ(a_of(kAction + std::string("&wiki=enwiki"))["sample"]["rate"], 0.1);
  EXPECT_EQ(a_of("/v1/stream-configs?wiki=dewiki")["large"], true);
  EXPECT_FALSE(a_of(kAction).contains("sample"));
  EXPECT_FALSE(a_of("/v1/stream-configs?wiki=none")["large"].is_boolean());
  const HttpReply of_host =
      client.exchange("GET " + std::string(kAction) + " HTTP/1.1\r\nHost: EN.wiki.example:80\r\n\r\n");
  EXPECT_EQ(json::parse(of_host.body)["streams"]["a"]["sample"]["rate"], 0.1);
}

TEST(StreamConfigService, QueryOfTheOtherRoute_AnswersTheSame) {
  HttpHarness harness(service_setup());
  HttpClient client = harness.client();
  EXPECT_EQ(client.get("/v1/stream-configs?constraints=schema_title%3Da").body,
            client.get(kAction + std::string("&constraints=schema_title=a")).body);
  EXPECT_FALSE(client.get("/v1/stream-configs").header("etag").has_value());
  EXPECT_EQ(client.get("/v1/stream-configs?other=1").body, client.get("/v1/stream-configs").body);
}

TEST(StreamConfigService, UnknownStreamsAreNamedInAWarningOfBoundedSize) {
  HttpHarness harness(service_setup());
  std::string query = "/v1/stream-configs?streams=a";
  for (int i = 0; i < 100; ++i) query += "%7Cx" + std::string(50, 'n') + std::to_string(i);
  const json body = json::parse(harness.client().get(query).body);
  const std::string warning = body["warnings"]["streamconfigs"]["warnings"];
  EXPECT_THAT(warning, testing::StartsWith("Unknown streams: xn"));
  EXPECT_THAT(warning, testing::EndsWith(" and 90 more"));
  EXPECT_LT(warning.size(), 1000u);
}

TEST(StreamConfigService, BadQueries_AreErrorsInMediaWikisForm) {
  HttpHarness::Setup setup = service_setup();
  setup.http.max_header_size = 64 * 1024;
  HttpHarness harness(std::move(setup));
  HttpClient client = harness.client();
  std::string many = "a", constraints = "n=1";
  for (int i = 0; i < 250; ++i) {
    many += "|a";
    constraints += "|n=1";
  }
  const std::vector<std::pair<std::string, std::string>> cases{
      {"/v1/stream-configs?streams=" + many, "toomanyvalues"},
      {"/v1/stream-configs?constraints=" + constraints, "toomanyvalues"},
      {"/v1/stream-configs?wiki=En", "badvalue"},
      {"/v1/stream-configs?wiki=", "badvalue"},
      {"/w/api.php?action=query", "badvalue"},
      {"/w/api.php", "missingparam"},
      {"/w/api.php?action=streamconfigs&format=xml", "badvalue"},
      {"/w/api.php?action=streamconfigs&formatversion=1", "badvalue"}};
  for (const auto& [target, code] : cases) {
    const HttpReply reply = client.get(target);
    EXPECT_EQ(reply.status, 200u) << target;
    EXPECT_EQ(json::parse(reply.body)["error"]["code"], code) << target;
    EXPECT_EQ(reply.header("mediawiki-api-error"), code) << target;
    EXPECT_EQ(reply.header("etag"), std::nullopt) << target;
  }
}

TEST(StreamConfigService, TwoHundredAndFiftyStreamsAreAnswered) {
  HttpHarness::Setup setup = service_setup();
  setup.http.max_header_size = 64 * 1024;
  HttpHarness harness(std::move(setup));
  std::string names = "r0";
  for (int i = 1; i < 250; ++i) names += "|r" + std::to_string(i);
  EXPECT_EQ(json::parse(harness.client().get("/v1/stream-configs?streams=" + names).body)["streams"].size(), 250u);
}

}  // namespace
}  // namespace eventgate
