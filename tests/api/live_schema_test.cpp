#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "support/becomes.hpp"
#include "support/http_harness.hpp"

// `GET /v1/live/schema` on a connection.

namespace eventgate {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kDocument = "/v1/live/schema?uri=/test/1.0.0";

HttpHarness::Setup live_setup() {
  HttpHarness::Setup setup;
  setup.live = true;
  return setup;
}

/// A live page whose gate has judged an event by /test/1.0.0.
struct Harness : HttpHarness {
  explicit Harness(Setup setup = live_setup()) : HttpHarness(std::move(setup)) {
    EXPECT_EQ(client().post("/v1/events", kGoodEvent).status, 201u);
  }
  ~Harness() { reader->release(); }

  /// Asks for the document, which is not read before the reader is released.
  HttpClient waiting_client() {
    const std::vector<std::string> all = reader->reads();
    const auto reads = std::count(all.begin(), all.end(), "/schemas/test/1.0.0");
    reader->hold("/schemas");
    HttpClient waiting = client();
    waiting.send(http_request("GET", kDocument));
    reader->await_reads("/schemas/test/1.0.0", reads + 1);
    return waiting;
  }

  std::string refusals(const std::string& cause) const {
    return metric("eventgate_rejected_requests_total{service=\"test\",cause=\"" + cause + "\"");
  }
};

std::string detail(const HttpReply& reply) { return json::parse(reply.body).at("detail"); }

TEST(LiveSchema, IsTheDocumentWithItsReferencesReplaced) {
  HttpHarness harness(live_setup());
  harness.reader->put("/schemas/a/1.0.0", R"({"type":"object","properties":{"x":{"$ref":"/b/1.0.0#"}}})");
  harness.reader->put("/schemas/b/1.0.0", R"({"maximum":9007199254740993})");
  EXPECT_EQ(harness.client().post("/v1/events", R"({"$schema":"/a/1.0.0"})").status, 201u);
  const HttpReply reply = harness.client().get("/v1/live/schema?uri=%2Fa%2F1.0.0");
  EXPECT_EQ(reply.status, 200u);
  EXPECT_EQ(reply.header("content-type"), "application/json; charset=utf-8");
  EXPECT_EQ(reply.header("cache-control"), "no-store");
  EXPECT_EQ(reply.header("access-control-allow-origin"), std::nullopt);
  EXPECT_EQ(reply.body, R"({
  "type": "object",
  "properties": {
    "x": {
      "maximum": 9007199254740993
    }
  }
}
)");
}

TEST(LiveSchema, SaysWhetherTheFileChangedSinceItWasLoaded) {
  Harness harness;
  EXPECT_EQ(harness.client().get(kDocument).header("x-eventgate-schema-changed"), "false");
  harness.reader->put("/schemas/test/1.0.0", R"({"title":"test","type":"object"})");
  EXPECT_EQ(harness.client().get(kDocument).header("x-eventgate-schema-changed"), "true");
  harness.reader->put("/schemas/test/1.0.0", R"({"type":"none"})");
  const HttpReply broken = harness.client().get(kDocument);
  EXPECT_EQ(broken.status, 500u);
  EXPECT_EQ(broken.header("x-eventgate-schema-changed"), "true");
}

TEST(LiveSchema, WithoutALiveFeedThereIsNone) {
  HttpHarness harness;
  EXPECT_EQ(harness.client().post("/v1/events", kGoodEvent).status, 201u);
  EXPECT_EQ(harness.client().get(kDocument).status, 404u);
}

TEST(LiveSchema, OtherOriginsAndMethodsGetNothing) {
  Harness harness;
  const HttpReply other = harness.client().get(kDocument, {"Origin: http://evil.example"});
  EXPECT_EQ(other.status, 403u);
  EXPECT_EQ(other.header("access-control-allow-origin"), std::nullopt);
  EXPECT_EQ(harness.refusals("live_other_origin"), "1");
  for (const std::string method : {"POST", "PUT"}) {
    const HttpReply reply = harness.client().exchange(http_request(method, kDocument));
    EXPECT_EQ(reply.status, 405u) << method;
    EXPECT_EQ(reply.header("allow"), "GET,HEAD") << method;
    EXPECT_EQ(reply.header("access-control-allow-origin"), std::nullopt) << method;
  }
  const HttpReply options = harness.client().exchange(http_request("OPTIONS", kDocument));
  EXPECT_EQ(options.header("access-control-allow-methods"), std::nullopt);
}

TEST(LiveSchema, WithATokenItIsForWhoHasIt) {
  HttpHarness::Setup setup = live_setup();
  setup.api.live_token = "0123456789abcdef";
  Harness harness(std::move(setup));
  EXPECT_EQ(harness.client().get(kDocument).status, 401u);
  EXPECT_EQ(harness.client().get(kDocument, {"Authorization: Bearer 0123456789abcdef"}).status, 200u);
}

TEST(LiveSchema, BadParametersAreToldAndCounted) {
  Harness harness;
  HttpClient client = harness.client();
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "Expected `uri`"},
      {"?uri=", "Expected `uri`"},
      {"?uri=/test/1.0.0&uri=/test/1.0.0", "`uri` is there twice: expected it once."},
      {"?url=/test/1.0.0", "There is no parameter \"url\": expected `uri`."}};
  for (const auto& [query, expected] : cases) {
    const HttpReply reply = client.get("/v1/live/schema" + query);
    EXPECT_EQ(reply.status, 400u) << query;
    EXPECT_THAT(detail(reply), HasSubstr(expected));
  }
  EXPECT_EQ(harness.refusals("live_schema"), "4");
}

TEST(LiveSchema, ASchemaThatIsNotInUseIsNotReadForAViewer) {
  Harness harness;
  harness.reader->put("/schemas/other/1.0.0", kHarnessSchema);
  const std::size_t reads = harness.reader->reads().size();
  for (const std::string uri : {"/other/1.0.0", "/none/1.0.0", "/..%2F..%2Fetc/passwd", "http://host/test/1.0.0"}) {
    const HttpReply reply = harness.client().get("/v1/live/schema?uri=" + uri);
    EXPECT_EQ(reply.status, 404u) << uri;
    EXPECT_THAT(detail(reply), HasSubstr("No schema in use has the URI")) << uri;
  }
  EXPECT_EQ(harness.reader->reads().size(), reads);
}

TEST(LiveSchema, WhatCannotBeReadAnyMoreIsToldWithTheReason) {
  Harness harness;
  HttpClient client = harness.client();
  harness.reader->remove("/schemas/test/1.0.0");
  const HttpReply gone = client.get(kDocument);
  EXPECT_EQ(gone.status, 404u);
  EXPECT_EQ(detail(gone), "Failed loading schema at /test/1.0.0: it is in none of schema_base_uris any more.");
  harness.reader->fail("/schemas", ReadError::Kind::unavailable, "it is down");
  const HttpReply down = client.get(kDocument);
  EXPECT_EQ(down.status, 500u);
  EXPECT_THAT(detail(down), AllOf(HasSubstr("Failed loading schema at /test/1.0.0: "), HasSubstr("it is down")));
  EXPECT_EQ(down.header("access-control-allow-origin"), std::nullopt);
  // Events are judged as before.
  EXPECT_EQ(client.post("/v1/events", kGoodEvent).status, 201u);
}

TEST(LiveSchema, OthersAreServedWhileOneWaits) {
  Harness harness;
  HttpClient waiting = harness.waiting_client();
  EXPECT_EQ(harness.client().post("/v1/events", kGoodEvent).status, 201u);
  harness.reader->release();
  EXPECT_EQ(waiting.reply()->status, 200u);
  // The connection is kept, and was not disturbed.
  EXPECT_EQ(waiting.get("/healthz").status, 200u);
  EXPECT_EQ(waiting.get(kDocument).status, 200u);
}

TEST(LiveSchema, RequestsBehindItAreAnsweredAfterIt) {
  Harness harness;
  HttpClient waiting = harness.waiting_client();
  waiting.send(http_request("GET", "/healthz"));
  harness.reader->release();
  EXPECT_THAT(waiting.reply()->body, HasSubstr("\"title\": \"test\""));
  EXPECT_EQ(waiting.reply()->body, "{\"status\":\"up\"}");
}

TEST(LiveSchema, MoreThanTwoAtATimeAreToldToComeLater) {
  Harness harness;
  HttpClient first = harness.waiting_client(), second = harness.waiting_client();
  const HttpReply third = harness.client().get(kDocument);
  EXPECT_EQ(third.status, 503u);
  EXPECT_EQ(third.header("retry-after"), "1");
  EXPECT_EQ(harness.refusals("live_schema"), "1");
  harness.reader->release();
  EXPECT_EQ(first.reply()->status, 200u);
  EXPECT_EQ(second.reply()->status, 200u);
}

TEST(LiveSchema, WaitsNoLongerThanARequestMayTake) {
  HttpHarness::Setup setup = live_setup();
  setup.http.request_timeout = 200ms;
  Harness harness(std::move(setup));
  const HttpReply reply = *harness.waiting_client().reply();
  EXPECT_EQ(reply.status, 503u);
  EXPECT_THAT(detail(reply), HasSubstr("request_timeout"));
  EXPECT_EQ(reply.header("retry-after"), "10");
}

TEST(LiveSchema, AClientThatLeavesWhileItWaitsLeavesNothing) {
  Harness harness;
  { const HttpClient gone = harness.waiting_client(); }
  harness.reader->release();
  harness.wait_for_metric("eventgate_connections{", "0");
  EXPECT_TRUE(becomes([&] { return harness.client().get(kDocument).status == 200u; }));
}

TEST(LiveSchema, StoppingWaitsForNoDocument) {
  Harness harness;
  HttpClient waiting = harness.waiting_client();
  EXPECT_EQ(harness.stop_begun().wait_for(20s), std::future_status::ready);
  const HttpReply reply = *waiting.reply();
  EXPECT_EQ(reply.status, 503u);
  EXPECT_EQ(detail(reply), "The service is stopping.");
  EXPECT_EQ(reply.header("connection"), "close");
}

}  // namespace
}  // namespace eventgate
