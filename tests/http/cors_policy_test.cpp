#include "http/cors_policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/http_harness.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kPage = "https://en.example.org";

HttpOptions cors(const std::string& value, bool credentials = false) {
  HttpOptions options;
  options.cors = value;
  options.cors_credentials = credentials;
  return options;
}

HttpOptions origins(std::vector<std::string> listed, bool credentials = false) {
  HttpOptions options = cors("*", credentials);
  options.cors_origins = std::move(listed);
  return options;
}

/// A server whose HTTP options are these.
HttpHarness::Setup with(HttpOptions options) {
  HttpHarness::Setup setup;
  setup.http = std::move(options);
  return setup;
}

HttpReply post(HttpHarness& harness, const std::vector<std::string>& headers, const std::string& body = kGoodEvent) {
  std::vector<std::string> all{"Content-Type: text/plain"};
  all.insert(all.end(), headers.begin(), headers.end());
  return harness.client().exchange(http_request("POST", "/v1/events", body, all));
}

HttpReply preflight(HttpHarness& harness, const std::string& origin, const std::string& asked,
                    const std::string& target = "/v1/events") {
  return harness.client().exchange(http_request(
      "OPTIONS", target, "",
      {"Origin: " + origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: " + asked}));
}

/// The headers that say who may read the reply: origin, credentials, and Vary.
std::string readers(const HttpReply& reply) {
  return reply.header("access-control-allow-origin").value_or("-") + " " +
         reply.header("access-control-allow-credentials").value_or("-") + " " + reply.header("vary").value_or("-");
}

const std::vector<std::string> kWithCookie{std::string("Origin: ") + kPage, "Sec-Fetch-Mode: cors", "Cookie: a=b"};

TEST(CorsPolicy, StarIsTheSameToEveryOrigin) {
  HttpHarness harness;
  for (const std::string origin : {kPage, "null", "http://other", "\xff"})
    EXPECT_EQ(readers(post(harness, {"Origin: " + origin})), "* - -") << origin;
  EXPECT_EQ(readers(post(harness, {})), "* - -");
}

TEST(CorsPolicy, Star_AnswersAPageWhoseBrowserSentCredentials) {
  HttpHarness harness;
  EXPECT_EQ(readers(post(harness, kWithCookie)), std::string(kPage) + " true Origin");
  EXPECT_EQ(readers(post(harness, {std::string("Origin: ") + kPage, "Sec-Fetch-Mode: cors",
                                   "Sec-Fetch-Storage-Access: active"})),
            std::string(kPage) + " true Origin");
  // Errors are for the page to see, too.
  const HttpReply bad = post(harness, kWithCookie, "{");
  EXPECT_EQ(bad.status, 400u);
  EXPECT_EQ(readers(bad), std::string(kPage) + " true Origin");
}

TEST(CorsPolicy, Star_IsAsRecordedWithoutAllOfThem) {
  HttpHarness harness;
  const std::string origin = std::string("Origin: ") + kPage;
  EXPECT_EQ(readers(post(harness, {origin, "Sec-Fetch-Mode: no-cors", "Cookie: a=b"})), "* - -");
  EXPECT_EQ(readers(post(harness, {origin, "Sec-Fetch-Mode: cors"})), "* - -");
  EXPECT_EQ(readers(post(harness, {origin, "Cookie: a=b"})), "* - -");
  EXPECT_EQ(readers(post(harness, {"Origin: null", "Sec-Fetch-Mode: cors", "Cookie: a=b"})), "* - -");
  EXPECT_EQ(readers(post(harness, {"Origin: https://a.org\"x", "Sec-Fetch-Mode: cors", "Cookie: a=b"})), "* - -");
  EXPECT_EQ(readers(harness.client().exchange(http_request("GET", "/_info", "", kWithCookie))), "* - -");
  EXPECT_EQ(readers(harness.client().exchange(http_request("POST", "/_info", "", kWithCookie))), "* - -");
}

TEST(CorsPolicy, APreflightIsAllowedThreeMoreHeadersIfItAsks) {
  HttpHarness harness;
  const HttpReply plain = preflight(harness, kPage, "content-type");
  EXPECT_EQ(plain.header("access-control-allow-headers"), "accept, x-requested-with, content-type");
  EXPECT_EQ(plain.header("access-control-max-age"), "3600");
  EXPECT_EQ(plain.header("access-control-allow-methods"), "post");
  EXPECT_EQ(preflight(harness, kPage, "Traceparent, x-other,CONTENT-ENCODING").header("access-control-allow-headers"),
            "accept, x-requested-with, content-type, content-encoding, traceparent");
  EXPECT_EQ(preflight(harness, kPage, "x-request-id").header("access-control-allow-headers"),
            "accept, x-requested-with, content-type, x-request-id");
  const HttpReply no_preflight = harness.client().exchange(http_request("OPTIONS", "/v1/events"));
  EXPECT_EQ(no_preflight.header("access-control-max-age"), std::nullopt);
  EXPECT_EQ(no_preflight.header("access-control-allow-headers"), "accept, x-requested-with, content-type");
}

TEST(CorsPolicy, RetryAfterAndDurabilityAreExposedWhereTheyAre) {
  HttpHarness::Setup setup;
  setup.overload_reason = [] { return std::optional<std::string>("The spool is full"); };
  HttpHarness full(setup);
  const HttpReply later = post(full, {});
  EXPECT_EQ(later.status, 503u);
  EXPECT_EQ(later.header("access-control-expose-headers"), "etag, retry-after");
  HttpHarness::Setup durable;
  durable.api.tell_durability = true;
  HttpHarness harness(durable);
  EXPECT_EQ(post(harness, {}).header("access-control-expose-headers"), "etag, x-eventgate-durability");
  HttpHarness usual;
  EXPECT_EQ(post(usual, {std::string("Origin: ") + kPage}).header("access-control-expose-headers"), "etag");
}

TEST(CorsPolicy, ReflectAnswersEachPageWithItsOrigin) {
  HttpHarness harness(with(cors("reflect")));
  EXPECT_EQ(readers(post(harness, kWithCookie)), std::string(kPage) + " - Origin");
  EXPECT_EQ(readers(post(harness, {"Origin: null"})), "null - Origin");
  EXPECT_EQ(readers(post(harness, {})), "- - Origin");
  EXPECT_EQ(readers(post(harness, {"Origin: https://a.org, https://b.org"})), "- - Origin");
  EXPECT_EQ(readers(post(harness, {"Origin: https://" + std::string(400, 'a')})), "- - Origin");
}

TEST(CorsPolicy, CredentialsAreNeverAllowedToNull) {
  HttpHarness harness(with(cors("reflect", true)));
  EXPECT_EQ(readers(post(harness, {std::string("Origin: ") + kPage})), std::string(kPage) + " true Origin");
  EXPECT_EQ(readers(preflight(harness, kPage, "content-type")), std::string(kPage) + " true Origin");
  EXPECT_EQ(readers(post(harness, {"Origin: null"})), "null - Origin");
  EXPECT_EQ(readers(preflight(harness, "null", "content-type")), "null - Origin");
  HttpHarness listed(with(origins({"null", kPage}, true)));
  EXPECT_EQ(readers(post(listed, {"Origin: null"})), "null - Origin");
  EXPECT_EQ(readers(post(listed, {std::string("Origin: ") + kPage})), std::string(kPage) + " true Origin");
}

TEST(CorsPolicy, List_EventsOfOtherPagesAreRefusedBeforeTheyAreProduced) {
  HttpHarness harness(with(origins({kPage})));
  EXPECT_EQ(post(harness, {std::string("Origin: ") + kPage}).status, 201u);
  EXPECT_EQ(harness.records(), 1u);
  for (const std::string origin :
       {"https://en.example.org.evil.net", "http://en.example.org", "https://en.example.org:8443", "null"}) {
    const HttpReply reply = post(harness, {"Origin: " + origin});
    EXPECT_EQ(reply.status, 403u) << origin;
    EXPECT_EQ(readers(reply), "- - Origin") << origin;
    EXPECT_THAT(reply.body, HasSubstr("Pages of the origin " + origin + " may not send events (cors)."));
    const HttpReply asked = preflight(harness, origin, "content-type");
    EXPECT_EQ(asked.status, 200u);
    EXPECT_EQ(readers(asked), "- - Origin") << origin;
    EXPECT_EQ(asked.header("access-control-allow-headers"), std::nullopt) << origin;
  }
  EXPECT_EQ(harness.records(), 1u);
}

TEST(CorsPolicy, List_ProgramsAndTheGatesOwnPagesSend) {
  HttpHarness harness(with(origins({kPage})));
  EXPECT_EQ(post(harness, {}).status, 201u);
  // The harness's client sends `Host: localhost`.
  EXPECT_EQ(post(harness, {"Origin: http://localhost"}).status, 201u);
  EXPECT_EQ(post(harness, {"Origin: http://localhost.evil.net"}).status, 403u);
  EXPECT_EQ(harness.client().exchange(http_request("GET", "/_info", "", {"Origin: https://evil.net"})).status, 200u);
}

TEST(CorsPolicy, NamesOfHeadersReplaceTheDefaults) {
  HttpOptions options;
  options.cors_allow_headers = std::vector<std::string>{"x-own", "content-type"};
  options.cors_expose_headers = std::vector<std::string>{"x-eventgate-durability"};
  options.cors_max_age = std::chrono::minutes(5);
  HttpHarness harness(with(options));
  const HttpReply reply = preflight(harness, kPage, "x-request-id");
  EXPECT_EQ(reply.header("access-control-allow-headers"), "x-own, content-type");
  EXPECT_EQ(reply.header("access-control-expose-headers"), "x-eventgate-durability");
  EXPECT_EQ(reply.header("access-control-max-age"), "300");
}

TEST(CorsPolicy, FixedTextAndNone) {
  HttpHarness fixed(with(cors(kPage, true)));
  EXPECT_EQ(readers(post(fixed, {"Origin: https://other.org"})), std::string(kPage) + " true -");
  HttpOptions none;
  none.cors.reset();
  HttpHarness without(with(none));
  const HttpReply reply = post(without, kWithCookie);
  EXPECT_EQ(readers(reply), "- - -");
  EXPECT_EQ(reply.header("access-control-allow-methods"), std::nullopt);
}

}  // namespace
}  // namespace eventgate
