#include "api/beacon_endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "beacon_harness.hpp"
#include "support/http_harness.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;
using testing::Not;

HttpHarness::Setup setup(LegacyOptions::Answer answer = LegacyOptions::Answer::received) {
  HttpHarness::Setup setup;
  setup.stream_configs = R"({"eventlogging_Test": {"schema_title": "analytics/legacy/test"}})";
  setup.legacy = test_legacy_options();
  setup.legacy->answer = answer;
  return setup;
}

/// A server that takes beacons of the schema Test.
struct Server : HttpHarness {
  explicit Server(Setup with = setup()) : HttpHarness(std::move(with)) {
    reader->put("/schemas/analytics/legacy/test/1.0.0", kTestCapsuleSchema);
  }
  std::string count(const std::string& outcome, const std::string& cause) const {
    return "eventgate_legacy_beacons_total{service=\"test\",cause=\"" + cause + "\",outcome=\"" + outcome + "\"}";
  }
};

std::string target(const std::string& capsule = kValidCapsule) {
  return "/beacon/event?" + percent_encode(capsule) + ";";
}

TEST(BeaconQuery, IsWhatFollowsTheFirstQuestionMark) {
  EXPECT_EQ(beacon_query("/a?b?c#d?e"), "b?c");
  EXPECT_EQ(beacon_query("http://host/a?b"), "b");
  EXPECT_EQ(beacon_query("/a"), "");
}

TEST(BeaconEndpoint, Get_Is204WithoutACacheAndProducesTheEvent) {
  Server server;
  const HttpReply reply = server.client().get(target());
  EXPECT_EQ(reply.status, 204u);
  EXPECT_EQ(reply.body, "");
  EXPECT_EQ(reply.header("cache-control"), "no-store");
  EXPECT_EQ(reply.header("access-control-allow-origin"), "*");
  EXPECT_FALSE(reply.header("requested-event-valid"));
  server.wait_for_records(1);
  server.wait_for_metric(server.count("success", "none"), "1");
}

TEST(BeaconEndpoint, EachRoute_TakesBeacons) {
  Server server;
  HttpClient client = server.client();
  std::size_t taken = 0;
  for (const char* const path : {"/beacon/event", "/beacon/event.gif", "/event", "/event.gif", "/Beacon/Event/"}) {
    EXPECT_EQ(client.get(path + target().substr(target().find('?'))).status, 204u) << path;
    server.wait_for_records(++taken);
  }
}

TEST(BeaconEndpoint, Post_TakesTheUrlAndSkipsTheBody) {
  Server server;
  HttpClient client = server.client();
  EXPECT_EQ(client.post(target(), "").status, 204u);
  EXPECT_EQ(client.post(target(), "not looked at").status, 204u);
  EXPECT_EQ(client.post(target(), std::string(60'000, 'x'), {}).status, 204u);
  server.wait_for_records(3);
  EXPECT_EQ(client.get("/healthz").status, 200u) << "the connection goes on";
}

TEST(BeaconEndpoint, BodyBeyondTheLimit_ClosesTheConnection) {
  Server server;
  HttpClient client = server.client();
  const HttpReply reply =
      client.exchange("POST " + target() + " HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n");
  EXPECT_EQ(reply.status, 204u);
  EXPECT_EQ(reply.header("connection"), "close");
}

TEST(BeaconEndpoint, Head_TakesNothing) {
  Server server;
  EXPECT_EQ(server.client().exchange(http_request("HEAD", target()), true).status, 204u);
  EXPECT_EQ(server.client().exchange(http_request("PUT", target())).status, 405u);
  EXPECT_EQ(server.client().exchange(http_request("OPTIONS", target())).header("allow"), "GET,HEAD,POST");
  EXPECT_EQ(server.metric(server.count("success", "none")), "");
  EXPECT_EQ(server.records(), 0u);
}

TEST(BeaconEndpoint, WhateverTheEvent_Is204) {
  Server server;
  HttpClient client = server.client();
  for (const char* const query :
       {"", "?", "?;", "?5;", "?%7B", "?%C0;", "?{\"schema\":\"Nope\"};", "?{\"schema\":\"Test\"};"})
    EXPECT_EQ(client.get(std::string("/beacon/event") + query).status, 204u) << query;
  server.wait_for_metric(server.count("invalid", "validation"), "1");
  server.wait_for_metric(server.count("refused", "empty"), "3");
}

TEST(BeaconEndpoint, LongQuery_Is414AndCounted) {
  HttpHarness::Setup with = setup();
  with.legacy->max_query = 300;
  with.live = true;
  Server server(std::move(with));
  HttpClient client = server.client();
  const std::string query = target().substr(target().find('?') + 1);
  EXPECT_EQ(client.get("/beacon/event?" + std::string(300 - query.size(), ';') + query).status, 204u);
  const HttpReply reply = client.get("/beacon/event?" + std::string(301 - query.size(), ';') + query);
  EXPECT_EQ(reply.status, 414u);
  EXPECT_EQ(reply.reason, "URI Too Long");
  EXPECT_THAT(reply.body, HasSubstr("at most 300 bytes (legacy.max_query), found 301"));
  EXPECT_EQ(server.metric(server.count("refused", "too_long")), "1");
}

TEST(BeaconEndpoint, WithoutRoomInFlight_Is503AndCounted) {
  HttpHarness::Setup with = setup();
  with.http.max_inflight_bytes = 400;
  with.http.max_body_size = 100;
  Server server(std::move(with));
  const HttpReply reply = server.client().get(target());
  EXPECT_EQ(reply.status, 503u);
  EXPECT_EQ(reply.header("retry-after"), "1");
  EXPECT_EQ(server.metric(server.count("error", "inflight_bytes")), "1");
}

TEST(BeaconEndpoint, AnsweredBeacons_CountInFlightUntilTheyAreDelivered) {
  Server server;
  server.hold_records();
  EXPECT_EQ(server.client().get(target()).status, 204u);
  server.wait_for_records(1);
  EXPECT_GE(server.server().inflight_bytes(), 300u);
  EXPECT_EQ(server.server().processing(), 1u);
  EXPECT_EQ(server.metric(server.count("success", "none")), "");
  server.settle();
  server.wait_for_metric(server.count("success", "none"), "1");
}

TEST(BeaconEndpoint, FullSpool_Is503AndCounted) {
  HttpHarness::Setup with = setup();
  with.overload_reason = [] { return std::optional<std::string>("The spool is full"); };
  Server server(std::move(with));
  EXPECT_EQ(server.client().get(target()).status, 503u);
  EXPECT_EQ(server.metric(server.count("error", "no_room")), "1");
}

TEST(BeaconOutcomeAnswer, SaysWhetherTheEventIsValid) {
  Server server(setup(LegacyOptions::Answer::outcome));
  HttpClient client = server.client();
  const HttpReply good = client.get(target());
  EXPECT_EQ(good.status, 204u);
  EXPECT_EQ(good.header("requested-event-valid"), "1");
  EXPECT_FALSE(good.header("validation-error-1"));
  EXPECT_EQ(server.records(), 1u) << "delivered before the reply";

  const HttpReply bad = client.get(target(R"({"event":{"text":5},"schema":"Test","revision":"x"})"));
  EXPECT_EQ(bad.status, 204u);
  EXPECT_EQ(bad.header("requested-event-valid"), "0");
  EXPECT_EQ(bad.header("validation-error-1"), "'.revision' should be integer");
  EXPECT_EQ(bad.header("validation-error-2"), "'.event.text' should be string");

  const HttpReply refused = client.get("/beacon/event?%7B;");
  EXPECT_EQ(refused.header("requested-event-valid"), "0");
  EXPECT_THAT(*refused.header("validation-error-1"), HasSubstr("The beacon is no JSON"));
}

TEST(BeaconOutcomeAnswer, DeliveryThatFails_IsNotValid) {
  Server server(setup(LegacyOptions::Answer::outcome));
  server.sink->judge = [](const KeptRecord&) {
    return std::optional(DeliveryFailure{Delivery::not_produced, "Broker: no\r\nroom \xC3\xA9"});
  };
  const HttpReply reply = server.client().get(target());
  EXPECT_EQ(reply.header("requested-event-valid"), "0");
  EXPECT_EQ(reply.header("validation-error-1"), "Broker: no??room ??");
}

TEST(BeaconOutcomeAnswer, HeadersAreBounded) {
  BeaconOutcome outcome;
  EventStatus& status = outcome.result.invalid.emplace_back();
  for (int i = 0; i < 20; ++i) {
    ValidationError& error = status.errors.emplace_back();
    error.message = std::string(1000, 'x');
  }
  std::string headers;
  append_outcome_headers(headers, outcome);
  EXPECT_THAT(headers, HasSubstr("validation-error-10: "));
  EXPECT_THAT(headers, Not(HasSubstr("validation-error-11: ")));
  EXPECT_LE(headers.size(), 10 * 230u + 30);
}

TEST(BeaconOutcomeAnswer, EmptyListOfPhp_IsNamed) {
  Server server(setup(LegacyOptions::Answer::outcome));
  const HttpReply reply = server.client().get(target(R"({"event":[],"schema":"Test"})"));
  EXPECT_THAT(*reply.header("validation-error-1"), HasSubstr("should be object (is an empty list"));
}

}  // namespace
}  // namespace eventgate
