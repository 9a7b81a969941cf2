#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/live_endpoints.hpp"
#include "support/becomes.hpp"
#include "support/http_harness.hpp"

// The stream of `/v1/live` on a connection.

namespace eventgate {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

HttpHarness::Setup live_setup(std::size_t threads = 1) {
  HttpHarness::Setup setup;
  setup.live = true;
  setup.threads = threads;
  return setup;
}

/// One who looks on: the head of the answer is read.
class Viewer {
 public:
  explicit Viewer(const HttpHarness& harness, const std::string& target = "/v1/live",
                  const std::vector<std::string>& headers = {})
      : client(harness.client()) {
    client.send(http_request("GET", target, {}, headers));
    head = *client.reply(true);
  }

  /// Waits until the text of an event came.
  bool sees(std::string_view text) { return client.receive_until(text); }

  HttpClient client;
  HttpReply head;
};

std::string event(const std::string& test) { return R"({"$schema":"/test/1.0.0","test":")" + test + "\"}"; }

TEST(LiveEvents, WithoutALiveFeedThereAreNoSuchRoutes) {
  HttpHarness harness;
  EXPECT_EQ(harness.client().get("/live").status, 404u);
  EXPECT_EQ(harness.client().get("/v1/live").status, 404u);
}

TEST(LiveEvents, EventsComeAsTheyArePosted) {
  HttpHarness harness(live_setup());
  harness.client().post("/v1/events", event("before"));
  Viewer viewer(harness);
  EXPECT_EQ(viewer.head.status, 200u);
  EXPECT_EQ(viewer.head.header("content-type"), "text/event-stream; charset=utf-8");
  EXPECT_EQ(viewer.head.header("transfer-encoding"), "chunked");
  EXPECT_EQ(viewer.head.header("cache-control"), "no-store");
  EXPECT_TRUE(viewer.sees("before"));
  harness.client().post("/v1/events", event("after"));
  EXPECT_TRUE(viewer.sees("after"));
  harness.client().post("/v1/events?hasty=true", event("hasty"));
  EXPECT_TRUE(viewer.sees(R"("hasty":true)"));
  harness.client().post("/v1/events", R"({"$schema":"/test/1.0.0","test":1})");
  EXPECT_TRUE(viewer.sees("should be string"));
  EXPECT_EQ(harness.server().inflight_bytes(), 0u);
}

TEST(LiveEvents, AnEventLargerThanTheRing_IsRefusedAsUsualAndShownCut) {
  HttpHarness::Setup setup = live_setup();
  setup.http.max_body_size = std::size_t{4} << 20;
  HttpHarness harness(std::move(setup));
  harness.reader->put("/schemas/names/1.0.0",
                      R"({"title":"names","type":"object","propertyNames":{"maxLength":9,"pattern":"^[$a-z]*$"}})");
  Viewer viewer(harness);
  const std::string key(std::size_t{1} << 21, 'K');
  HttpClient client = harness.client();
  EXPECT_EQ(client.post("/v1/events", R"({"$schema":"/names/1.0.0",")" + key + R"(":1})").status, 400u);
  EXPECT_TRUE(viewer.sees(R"("cut":true)"));
  EXPECT_EQ(client.post("/v1/events", event("after")).status, 201u);
  EXPECT_TRUE(viewer.sees("after"));
}

TEST(LiveEvents, OtherOriginsAreNotToldThatTheyMayRead) {
  HttpHarness harness(live_setup());
  for (const std::string target : {"/live", "/v1/live"}) {
    EXPECT_EQ(Viewer(harness, target).head.header("access-control-allow-origin"), std::nullopt);
    for (const std::string method : {"OPTIONS", "POST"}) {
      const HttpReply reply = harness.client().exchange(http_request(method, target));
      EXPECT_EQ(reply.header("access-control-allow-origin"), std::nullopt) << method;
      EXPECT_EQ(reply.header("access-control-allow-headers"), std::nullopt) << method;
    }
  }
  EXPECT_EQ(Viewer(harness, "/v1/live", {"Origin: http://evil.example"}).head.status, 403u);
  EXPECT_EQ(harness.client().get("/healthz").header("access-control-allow-origin"), "*");
}

TEST(LiveEvents, ThePageHasAPolicyOfItsOwnAndNoOther) {
  HttpHarness harness(live_setup());
  const HttpReply reply = harness.client().get("/live");
  EXPECT_EQ(reply.header("content-type"), "text/html; charset=utf-8");
  std::size_t policies = 0;
  for (const auto& [name, value] : reply.headers)
    if (name == "content-security-policy") {
      ++policies;
      EXPECT_THAT(value, AllOf(HasSubstr("default-src 'none'"), Not(HasSubstr("unsafe"))));
    }
  EXPECT_EQ(policies, 1u);
}

TEST(LiveEvents, ARefusalKeepsTheConnectionAndIsCounted) {
  HttpHarness harness(live_setup());
  HttpClient client = harness.client();
  EXPECT_EQ(client.get("/v1/live?outcome=bad").status, 400u);
  EXPECT_EQ(client.get("/v1/live", {"Sec-Fetch-Site: cross-site"}).status, 403u);
  EXPECT_EQ(client.get("/healthz").status, 200u);
  EXPECT_EQ(harness.metric("eventgate_rejected_requests_total{service=\"test\",cause=\"live_filter\""), "1");
  EXPECT_EQ(harness.metric("eventgate_rejected_requests_total{service=\"test\",cause=\"live_other_origin\""), "1");
}

TEST(LiveEvents, RequestsRefusedWholeAreShownWithTheReply) {
  HttpHarness::Setup setup = live_setup();
  setup.http.max_body_size = 100;
  HttpHarness harness(std::move(setup));
  Viewer viewer(harness);
  HttpClient client = harness.client();
  EXPECT_EQ(client.post("/v1/events", event(std::string(200, 'x'))).status, 413u);
  EXPECT_TRUE(viewer.sees("\"cause\":\"body_too_large\"") || viewer.sees("too large"));
  EXPECT_THAT(viewer.client.received(), HasSubstr("{\"outcome\":\"rejected\""));
  EXPECT_EQ(harness.client().exchange(http_request("POST", "/v1/events", "x", {"Content-Type: a/b"})).status, 400u);
  EXPECT_TRUE(
      viewer.sees("\"message\":\"400 Request body was empty. Must provide JSON encoded events.: Content-Type is"));
  // Those of the live routes are not.
  EXPECT_EQ(harness.client().get("/v1/live?outcome=bad").status, 400u);
  EXPECT_EQ(harness.live->count({}).outcomes[3], 2u);
}

TEST(LiveEvents, EventsInFlightAreCounted) {
  HttpHarness harness(live_setup());
  harness.hold_records();
  EXPECT_EQ(harness.client().post("/v1/events?hasty=true", event("held")).status, 202u);
  EXPECT_EQ(harness.live->count({}).in_flight, 1u);
  EXPECT_EQ(harness.live->count({}).outcomes[0], 0u);
  harness.wait_for_records(1);
  harness.settle();
  EXPECT_TRUE(becomes([&] { return harness.live->count({}).in_flight == 0; }));
  EXPECT_EQ(harness.live->count({}).outcomes[0], 1u);
}

TEST(LiveEvents, AViewerThatComesBackGoesOnWhereItWas) {
  HttpHarness harness(live_setup());
  for (const char* const text : {"one", "two", "three"}) harness.client().post("/v1/events", event(text));
  const std::string id = std::to_string(harness.live->epoch()) + "-2";
  Viewer viewer(harness, "/v1/live", {"Last-Event-ID: " + id});
  EXPECT_TRUE(viewer.sees("three"));
  EXPECT_THAT(viewer.client.received(), AllOf(Not(HasSubstr("two")), Not(HasSubstr("dropped"))));
}

TEST(LiveEvents, Http10GetsItAsItIs) {
  HttpHarness::Setup setup = live_setup();
  setup.api.live_token = "0123456789abcdef";
  HttpHarness harness(std::move(setup));
  harness.client().post("/v1/events", event("one"));
  HttpClient client = harness.client();
  client.send("GET /v1/live HTTP/1.0\r\nAuthorization: Bearer 0123456789abcdef\r\n\r\n");
  EXPECT_TRUE(client.receive_until("retry: 2000\n\nid: "));
  EXPECT_THAT(client.received(), AllOf(Not(HasSubstr("chunked")), HasSubstr("\r\n\r\nretry: 2000\n\nid: ")));
}

TEST(LiveEvents, AViewerIsNotIdleWhileItHearsHeartbeats) {
  HttpHarness::Setup setup = live_setup();
  setup.http.keepalive_timeout = 1ms;
  setup.http.header_timeout = 1000ms;
  setup.http.request_timeout = 1ms;
  setup.api.live_heartbeat = 1ms;
  HttpHarness harness(std::move(setup));
  Viewer viewer(harness);
  std::size_t at = 0;
  for (int heartbeats = 0; heartbeats < 20; ++heartbeats) {
    while (viewer.client.received().find(": heartbeat", at) == std::string::npos)
      ASSERT_TRUE(viewer.client.receive_more()) << heartbeats;
    at = viewer.client.received().find(": heartbeat", at) + 1;
  }
}

TEST(LiveEvents, AViewerThatLeftMakesRoomForAnother) {
  HttpHarness harness(live_setup());
  std::vector<Viewer> viewers;
  for (std::size_t i = 0; i < LiveEventsEndpoint::kMaxViewers; ++i) viewers.emplace_back(harness);
  EXPECT_EQ(Viewer(harness).head.status, 503u);
  viewers.pop_back();
  EXPECT_TRUE(becomes([&] { return Viewer(harness).head.status == 200u; }));
}

TEST(LiveEvents, StoppingEndsTheStreamAndWaitsForNoViewer) {
  HttpHarness harness(live_setup(2));
  Viewer first(harness), second(harness);
  EXPECT_TRUE(first.sees("retry"));
  EXPECT_TRUE(second.sees("retry"));
  EXPECT_EQ(harness.stop_begun().wait_for(20s), std::future_status::ready);
  EXPECT_TRUE(first.sees("\r\n0\r\n\r\n"));
  EXPECT_TRUE(second.sees("\r\n0\r\n\r\n"));
}

TEST(LiveEvents, AViewerThatReadsNothingHoldsNobodyUp) {
  HttpHarness harness(live_setup());
  Viewer viewer(harness);
  // More than the socket's buffers hold: what is not read is overwritten.
  HttpClient client = harness.client();
  const std::string large = event(std::string(60000, 'x'));
  for (int i = 0; i < 300; ++i) ASSERT_EQ(client.post("/v1/events", large).status, 201u);
  // It stops although the viewer is in the middle of a piece.
  EXPECT_EQ(harness.stop_begun().wait_for(20s), std::future_status::ready);
}

TEST(LiveEvents, AViewerThatTakesNothingForLongIsDroppedAndIsToldOnComingBack) {
  HttpHarness::Setup setup = live_setup();
  setup.http.request_timeout = 200ms;
  HttpHarness harness(std::move(setup));
  Viewer viewer(harness);
  HttpClient client = harness.client();
  const std::string large = event(std::string(60000, 'x'));
  const auto open = [&] { return harness.metric("eventgate_connections{"); };
  ASSERT_TRUE(becomes([&] {
    client.post("/v1/events", large);
    return open() == "1";
  })) << open();
  Viewer again(harness, "/v1/live", {"Last-Event-ID: " + std::to_string(harness.live->epoch()) + "-1"});
  EXPECT_TRUE(again.sees("event: dropped\ndata: {\"dropped\":"));
}

}  // namespace
}  // namespace eventgate
