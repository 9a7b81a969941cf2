#include "api/events_endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/http_harness.hpp"

namespace eventgate {
namespace {

TEST(EventsEndpoint, HastyIsAnyValueButFalseZeroAndEmpty) {
  const auto hasty = [](std::vector<std::pair<std::string, std::string>> query) {
    RequestContext context;
    context.query = std::move(query);
    return is_hasty(context);
  };
  EXPECT_TRUE(hasty({{"hasty", "true"}}));
  EXPECT_TRUE(hasty({{"hasty", "1"}}));
  EXPECT_TRUE(hasty({{"hasty", "no"}}));
  EXPECT_FALSE(hasty({{"hasty", ""}}));
  EXPECT_FALSE(hasty({{"hasty", "false"}}));
  EXPECT_FALSE(hasty({{"hasty", "0"}}));
  EXPECT_FALSE(hasty({{"hasty[]", "1"}}));
  EXPECT_FALSE(hasty({{"HASTY", "true"}}));
  EXPECT_FALSE(hasty({}));
}

TEST(EventsEndpoint, OverloadReasonRejectsEventsWithRetryAfter) {
  HttpHarness::Setup setup;
  setup.overload_reason = []() -> std::optional<std::string> { return "The spool is full"; };
  HttpHarness harness(std::move(setup));
  const HttpReply reply = harness.client().post("/v1/events", kGoodEvent);
  EXPECT_EQ(reply.status, 503u);
  EXPECT_EQ(reply.header("retry-after"), "1");
  EXPECT_THAT(reply.body, testing::HasSubstr("The spool is full. Send it again later."));
  EXPECT_EQ(harness.records(), 0u);
  EXPECT_EQ(harness.metric("eventgate_rejected_requests_total{service=\"test\",cause=\"no_room\""), "1");
}

TEST(EventsEndpoint, RequestThatIsRejectedCountsUnderItsCause) {
  HttpHarness::Setup setup;
  setup.api.max_events = 1;
  HttpHarness harness(std::move(setup));
  HttpClient client = harness.client();
  for (const char* const body : {" ", "{}", "[]", ""}) EXPECT_EQ(client.post("/v1/events", body).status, 400u);
  EXPECT_EQ(client.post("/v1/events", "{}", {"Content-Type: text/html"}).status, 400u);
  EXPECT_EQ(client.post("/v1/events", "[{\"a\":1},{\"a\":2}]").status, 413u);
  for (const auto& [cause, count] :
       {std::pair("empty", "4"), std::pair("content_type", "1"), std::pair("too_many_events", "1")})
    EXPECT_EQ(harness.metric("eventgate_rejected_requests_total{service=\"test\",cause=\"" + std::string(cause) + "\""),
              count)
        << cause;
}

TEST(EventsEndpoint, DurabilityIsToldIfConfigured) {
  HttpHarness::Setup setup;
  setup.api.tell_durability = true;
  HttpHarness harness(std::move(setup));
  EXPECT_EQ(harness.client().post("/v1/events", kGoodEvent).header("x-eventgate-durability"), "kafka");
  EXPECT_EQ(HttpHarness().client().post("/v1/events", kGoodEvent).header("x-eventgate-durability"), std::nullopt);
}

}  // namespace
}  // namespace eventgate
