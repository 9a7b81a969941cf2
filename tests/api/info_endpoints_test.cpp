#include "api/info_endpoints.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

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
  EXPECT_THAT(info["version"].get<std::string>(), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
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

}  // namespace
}  // namespace eventgate
