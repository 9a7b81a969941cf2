// What is counted in `max_inflight_bytes`, and what stays within bounds because of it: requests, replies that clients
// do not read, error events that are not delivered.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/http_client.hpp"
#include "support/http_harness.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

/// Every item of an array has an error, and the array's key is in its path.
constexpr const char* kListsSchema = R"({
  "title": "lists", "type": "object",
  "properties": {"$schema": {"type": "string"},
                 "lists": {"additionalProperties": {"items": {"type": "string"}}}}})";

std::string list_event(std::size_t key, std::size_t items) {
  std::string text = R"({"$schema":"/lists/1.0.0","lists":{")" + std::string(key, 'k') + "\":[1";
  for (std::size_t i = 1; i < items; ++i) text += ",1";
  return text + "]}}";
}

HttpHarness::Setup setup_of(std::size_t max_body_size, std::size_t max_inflight_bytes) {
  HttpHarness::Setup setup;
  setup.http.max_body_size = max_body_size;
  setup.http.max_inflight_bytes = max_inflight_bytes;
  return setup;
}

std::size_t count_of(const HttpHarness& harness, const std::string& series) {
  const std::string value = harness.metric(series);
  return value.empty() ? 0 : std::stoul(value);
}

void wait_for_nothing_in_flight(HttpHarness& harness) {
  while (harness.server().inflight_bytes() != 0) std::this_thread::yield();
}

TEST(Inflight, ErrorTextsOfAReply_EndWithMaxErrorsAtAMegabyte) {
  HttpHarness harness;
  harness.reader->put("/schemas/lists/1.0.0", kListsSchema);
  std::string body = "[";
  std::size_t events = 0;
  for (; body.size() < 99 * 1024; ++events) body += (events > 0 ? "," : "") + list_event(500, 100);
  body += ']';
  HttpClient client = harness.client();
  const HttpReply reply = client.post("/v1/events", body);
  ASSERT_EQ(reply.status, 400u);
  EXPECT_LT(reply.body.size(), body.size() + kMegabyte + 300 * events);
  EXPECT_GT(reply.body.size(), body.size() + kMegabyte / 2);

  const json invalid = json::parse(reply.body)["invalid"];
  ASSERT_EQ(invalid.size(), events);
  EXPECT_EQ(invalid.front()["context"]["errors"].size(), 100u);
  EXPECT_EQ(invalid.front()["context"]["errors"].back()["keyword"], "type");
  EXPECT_EQ(invalid.back()["context"]["errors"], json::parse(R"([{"keyword":"maxErrors","dataPath":"","schemaPath":"#",
      "params":{"limit":0},"message":"has more errors"}])"));
  EXPECT_EQ(invalid.back()["context"]["errorsText"], "'' has more errors");
  for (const json& status : invalid) {
    const json& errors = status["context"]["errors"];
    if (errors.back()["keyword"] != "maxErrors") continue;
    EXPECT_EQ(errors.back()["params"]["limit"], errors.size() - 1);
    EXPECT_TRUE(status["event"].is_object());
  }
}

TEST(Inflight, EscapedErrorTexts_CountAsTheyStandInTheReply) {
  HttpHarness harness;
  harness.reader->put("/schemas/lists/1.0.0", kListsSchema);
  std::string key;
  for (int i = 0; i < 5000; ++i) key += "\\u0001";  // a byte that takes six in a reply
  std::string items = "1";
  for (int i = 1; i < 100; ++i) items += ",1";
  HttpClient client = harness.client();
  const HttpReply reply =
      client.post("/v1/events", R"({"$schema":"/lists/1.0.0","lists":{")" + key + "\":[" + items + "]}}");
  ASSERT_EQ(reply.status, 400u);
  EXPECT_LT(reply.body.size(), kMegabyte + 50000);
  EXPECT_EQ(json::parse(reply.body)["invalid"][0]["context"]["errors"].back()["keyword"], "maxErrors");
}

TEST(Inflight, ErrorTextsOfALargeBody_HaveFourTimesItsSize) {
  HttpHarness harness(setup_of(4 * kMegabyte, 256 * kMegabyte));
  harness.reader->put("/schemas/lists/1.0.0", kListsSchema);
  const std::string body = list_event(100000, 100) + std::string(kMegabyte, ' ');
  HttpClient client = harness.client();
  const HttpReply reply = client.post("/v1/events", body);
  ASSERT_EQ(reply.status, 400u);
  EXPECT_LT(reply.body.size(), 5 * body.size());
  EXPECT_GT(reply.body.size(), 3 * body.size());
}

TEST(Inflight, MessagesAndAddedTextsOfAReply_AreBoundedToo) {
  HttpHarness harness;
  std::string body = "[1";
  std::size_t events = 1;
  for (; events < 5000; ++events) body += R"(,{"$schema":"/)" + std::string(3, 'n') + "\"}";
  body += ']';
  HttpClient client = harness.client();
  const HttpReply reply = client.post("/v1/events", body);
  EXPECT_EQ(reply.status, 500u);
  EXPECT_LT(reply.body.size(), body.size() + kMegabyte + 400 * events);
}

TEST(Inflight, RepliesThatClientsDoNotRead_CountUntilTheyAreSent) {
  HttpHarness harness(setup_of(5 * kMegabyte, 36 * kMegabyte));
  harness.reader->put("/schemas/lists/1.0.0", kListsSchema);
  const std::string request =
      http_request("POST", "/v1/events", list_event(kMegabyte, 100) + std::string(4 * kMegabyte, ' ').substr(9000));
  std::vector<HttpClient> clients;
  // Each reply is some 20 MB, more than the sockets take.
  for (int i = 0; i < 2; ++i) {
    clients.push_back(harness.client());
    clients.back().send(request);
    // A body counts while it is read and worked on, too, but for less than its reply.
    while (harness.server().inflight_bytes() <= 18 * kMegabyte * clients.size()) std::this_thread::yield();
  }
  EXPECT_GT(harness.server().inflight_bytes(), 36 * kMegabyte);

  HttpClient other = harness.client();
  const HttpReply refused = other.post("/v1/events", kGoodEvent);
  EXPECT_EQ(refused.status, 503u);
  EXPECT_EQ(refused.header("retry-after"), "1");
  for (HttpClient& client : clients) {
    const auto reply = client.reply();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 400u);
    EXPECT_EQ(json::parse(reply->body)["invalid"].size(), 1u);
  }
  wait_for_nothing_in_flight(harness);
  EXPECT_EQ(harness.client().post("/v1/events", kGoodEvent).status, 201u);
}

TEST(Inflight, ReplyOfAClientThatLeaves_CountsNoMore) {
  HttpHarness harness(setup_of(5 * kMegabyte, 64 * kMegabyte));
  harness.reader->put("/schemas/lists/1.0.0", kListsSchema);
  {
    HttpClient client = harness.client();
    client.send(http_request("POST", "/v1/events", list_event(kMegabyte, 100) + std::string(3 * kMegabyte, ' ')));
    while (harness.server().inflight_bytes() <= 10 * kMegabyte) std::this_thread::yield();
  }
  wait_for_nothing_in_flight(harness);
}

TEST(Inflight, SmallEvents_CountWithAConstantEach) {
  HttpHarness harness(setup_of(100000, 100000));
  HttpClient client = harness.client();
  const auto array_of = [](std::size_t count) {
    std::string body = "[1";
    for (std::size_t i = 1; i < count; ++i) body += ",1";
    return body + ']';
  };
  EXPECT_EQ(client.post("/v1/events", array_of(300)).status, 500u);  // 2 * 601 + 300 * 300
  for (const std::string_view target : {"/v1/events", "/v1/events?hasty=true"})
    EXPECT_EQ(client.post(target, array_of(333)).status, 503u) << target;
  EXPECT_THAT(harness.metrics.text(),
              testing::ContainsRegex("eventgate_rejected_requests_total[{][^}]*cause=\"inflight_bytes\"[^}]*[}] 2"));
  EXPECT_EQ(harness.server().inflight_bytes(), 0u);
}

TEST(Inflight, LongParameters_CountForEachEventToWhichTheyMayBeAdded) {
  HttpHarness harness(setup_of(100000, 100000));
  HttpClient client = harness.client();
  EXPECT_EQ(client.post("/v1/events?stream=" + std::string(1000, 's'), "[1,1,1,1]").status, 500u);
  EXPECT_EQ(client.post("/v1/events?stream=" + std::string(10000, 's'), "[1,1,1,1,1]").status, 503u);
}

TEST(Inflight, ErrorEventsThatAreNotDelivered_HaveAShareAndAreDroppedWithoutOne) {
  HttpHarness::Setup setup = setup_of(100000, 200000);
  setup.error_stream = "errors";
  HttpHarness harness(std::move(setup));
  harness.reader->put("/schemas/error/2.1.0", R"({"title":"error","type":"object"})");
  harness.hold_records();
  HttpClient client = harness.client();
  const std::string event = R"({"$schema":"/test/1.0.0","test":1,"more":")" + std::string(3000, 'x') + "\"}";
  std::size_t posted = 0;
  const std::string dropped = "eventgate_error_events_failed_total{";
  for (; count_of(harness, dropped) == 0 && posted < 1000; ++posted)
    ASSERT_EQ(client.post("/v1/events", event).status, 400u);
  EXPECT_EQ(count_of(harness, dropped), 1u);
  EXPECT_GT(posted, 5u);
  EXPECT_LE(harness.server().inflight_bytes(), 100000u + 2 * event.size());
  EXPECT_GT(harness.server().inflight_bytes(), 80000u);
  EXPECT_EQ(harness.records(), posted - 1);
  // A body that is no JSON has an error event, too.
  EXPECT_EQ(client.post("/v1/events", "{" + std::string(6000, 'x')).status, 400u);
  EXPECT_EQ(count_of(harness, dropped), 2u);
  // The other half is left to requests.
  EXPECT_EQ(client.post("/v1/events?hasty=true", kGoodEvent).status, 202u);

  harness.settle();
  wait_for_nothing_in_flight(harness);
  EXPECT_EQ(client.post("/v1/events", event).status, 400u);
  harness.wait_for_records(posted + 1);
  EXPECT_EQ(count_of(harness, dropped), 2u);
}

}  // namespace
}  // namespace eventgate
