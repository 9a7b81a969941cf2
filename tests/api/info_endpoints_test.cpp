#include "api/info_endpoints.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/fake_exchange.hpp"
#include "support/http_harness.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(InfoEndpoints, InfoHasNameVersionDescriptionAndHome) {
  HttpHarness harness;
  HttpClient client = harness.client();
  const HttpReply reply = client.get("/_info");
  EXPECT_EQ(reply.header("content-type"), "application/json; charset=utf-8");
  const json info = json::parse(reply.body);
  EXPECT_EQ(info["name"], "eventgate");
  EXPECT_THAT(info["version"].get<std::string>(), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+(-rc[0-9]+)?"));
  EXPECT_EQ(info.size(), 4u);
  EXPECT_EQ(client.get("/_info/").body, reply.body);
  EXPECT_EQ(json::parse(client.get("/_info/name").body), json({{"name", "eventgate"}}));
  EXPECT_EQ(json::parse(client.get("/_info/version").body), json({{"version", info["version"]}}));
  const HttpReply home = client.get("/_info/home");
  EXPECT_EQ(home.status, 301u);
  EXPECT_EQ(home.header("location"), info["home"].get<std::string>());
}

TEST(InfoEndpoints, HeadIsGetWithoutTheBody) {
  HttpHarness harness;
  HttpClient client = harness.client();
  const HttpReply get = client.get("/_info");
  const HttpReply head = client.exchange(http_request("HEAD", "/_info"), true);
  EXPECT_EQ(head.status, 200u);
  EXPECT_EQ(head.header("content-length"), get.header("content-length"));
  EXPECT_EQ(client.get("/robots.txt").body, "User-agent: *\nDisallow: /\n");
}

TEST(InfoEndpoints, DocumentationPageMayRunItsScript) {
  HttpHarness harness;
  HttpClient client = harness.client();
  const HttpReply reply = client.get("/?doc");
  EXPECT_EQ(reply.header("content-type"), "text/html; charset=utf-8");
  EXPECT_THAT(*reply.header("content-security-policy"), HasSubstr("script-src 'self' 'unsafe-inline'"));
  EXPECT_THAT(reply.body, testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_EQ(client.get("/?doc&path=../package.json").status, 404u);
  EXPECT_EQ(client.get("/").status, 404u);
}

/// The response of `/` to a request with this field.
Response root(bool has_live_page, std::optional<std::uint16_t> metrics_port, const std::string& accept,
              const std::string& target = "/") {
  DocumentationEndpoint endpoint(
      std::make_unique<OpenApiDocument>(std::vector<OpenApiDocument::Operation>(), nullptr, nullptr),
      {has_live_page, has_live_page, metrics_port});
  FakeExchange exchange({.target = target, .headers = {"Host: localhost", "Accept: " + accept}});
  Response response = exchange.run(endpoint).response;
  EXPECT_THAT(std::string(response.policy), testing::Not(HasSubstr("unsafe")));
  return response;
}

TEST(InfoEndpoints, RootIsAPageOfLinksForBrowsersAlone) {
  const Response page = root(true, 9102, "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
  EXPECT_EQ(page.status, 200u);
  EXPECT_EQ(page.content_type, kHtmlType);
  EXPECT_EQ(page.extra_headers, "vary: Accept\r\n");
  EXPECT_THAT(page.body,
              testing::AllOf(HasSubstr("<body data-version=\""), HasSubstr(" data-live=\"yes\" data-streams=\"yes\""),
                             HasSubstr(" data-metrics-port=\"9102\">")));
  for (const std::string accept : {"*/*", "application/json", "text/html;q=0", "text/htmlx"})
    EXPECT_EQ(root(true, 9102, accept).status, 404u) << accept;
  EXPECT_EQ(root(true, 9102, "text/html", "/?x").status, 404u);
  for (const std::optional<std::uint16_t> none : {std::optional<std::uint16_t>(), std::optional<std::uint16_t>(0)})
    EXPECT_THAT(
        root(false, none, "TEXT/HTML").body,
        testing::AllOf(HasSubstr("<body data-version=\""), testing::Not(HasSubstr("data-live=")),
                       testing::Not(HasSubstr("data-streams=")), testing::Not(HasSubstr("data-metrics-port="))));
}

}  // namespace
}  // namespace eventgate
