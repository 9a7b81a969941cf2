// A stop waits 2 s for what a client does not send or does not read, and as long as it takes for events.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <optional>
#include <string>

#include "support/http_harness.hpp"

namespace eventgate {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

/// Far more than the grace, and far less than `request_timeout` is.
constexpr seconds kSoon{25};

std::string good_request(const std::string& target = "/v1/events") {
  return http_request("POST", target, kGoodEvent, {"Content-Type: application/json"});
}

bool ends_soon(const std::future<void>& done) { return done.wait_for(kSoon) == std::future_status::ready; }

void expect_stopping(HttpClient& client) {
  const std::optional<HttpReply> reply = client.reply();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 503u);
  EXPECT_EQ(reply->header("retry-after"), "1");
  EXPECT_EQ(reply->header("connection"), "close");
  EXPECT_THAT(reply->body, HasSubstr("The service is stopping"));
  EXPECT_TRUE(client.ended());
}

TEST(StopGrace, HalfABody_IsAnsweredAndEnds) {
  HttpHarness harness;
  HttpClient client = harness.client();
  const std::string request = good_request();
  client.send(request.substr(0, request.size() - 5));
  harness.wait_for_metric("eventgate_connections{", "1");
  EXPECT_TRUE(ends_soon(harness.stop_begun()));
  expect_stopping(client);
  EXPECT_THAT(harness.metrics.text(),
              testing::ContainsRegex("eventgate_rejected_requests_total[{][^}]*cause=\"stopping\"[^}]*[}] 1"));
  EXPECT_EQ(harness.records(), 0u);
}

TEST(StopGrace, HalfAHead_IsAnsweredAndEnds) {
  HttpHarness harness;
  HttpClient client = harness.client();
  client.send("POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-");
  harness.wait_for_metric("eventgate_connections{", "1");
  EXPECT_TRUE(ends_soon(harness.stop_begun()));
  expect_stopping(client);
}

TEST(StopGrace, HalfAChunkedBody_IsAnsweredAndEnds) {
  HttpHarness harness;
  HttpClient client = harness.client();
  client.send(
      "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n"
      "[");
  harness.wait_for_metric("eventgate_connections{", "1");
  EXPECT_TRUE(ends_soon(harness.stop_begun()));
  expect_stopping(client);
}

TEST(StopGrace, BodyByteByByte_Ends) {
  HttpHarness harness;
  HttpClient client = harness.client();
  client.send(
      "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n");
  harness.wait_for_metric("eventgate_connections{", "1");
  const std::future<void> done = harness.stop_begun();
  std::size_t sent = 0;
  while (done.wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout && ++sent < 1250) client.send(" ");
  EXPECT_LT(sent, 1250u);
}

TEST(StopGrace, RefusedBodyThatDoesNotCome_Ends) {
  HttpHarness harness;
  HttpClient client = harness.client();
  client.send("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_EQ(client.reply()->status, 404u);
  EXPECT_TRUE(ends_soon(harness.stop_begun()));
}

TEST(StopGrace, AnswersThatAreNotRead_End) {
  HttpHarness harness;
  HttpClient client = harness.client();
  const std::size_t size = harness.client().get("/?spec").body.size();
  const std::size_t count = (std::size_t{24} << 20) / size;  // more than the kernel keeps for a connection
  std::string requests;
  for (std::size_t i = 0; i < count; ++i) requests += http_request("GET", "/?spec");
  client.send(requests);
  while (harness.server().inflight_bytes() == 0) std::this_thread::yield();
  EXPECT_TRUE(ends_soon(harness.stop_begun()));
}

TEST(StopGrace, WholeBody_IsWorkedOffHoweverLongItTakes) {
  for (const bool hasty : {false, true}) {
    HttpHarness harness;
    harness.hold_records();
    HttpClient client = harness.client();
    client.send(good_request(hasty ? "/v1/events?hasty=true" : "/v1/events"));
    harness.wait_for_records(1);
    const std::future<void> done = harness.stop_begun();
    EXPECT_EQ(done.wait_for(std::chrono::milliseconds(2500)), std::future_status::timeout);
    EXPECT_EQ(harness.server().processing(), 1u);
    harness.settle();
    EXPECT_EQ(client.reply()->status, hasty ? 202u : 201u);
    EXPECT_TRUE(ends_soon(done));
    EXPECT_EQ(harness.server().processing(), 0u);
  }
}

}  // namespace
}  // namespace eventgate
