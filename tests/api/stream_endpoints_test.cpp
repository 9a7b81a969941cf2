#include "api/stream_endpoints.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "support/becomes.hpp"
#include "support/stream_harness.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kTime = 1'795'910'400'000;  // ms, in 2026

std::vector<std::int64_t> range(std::int64_t from, std::int64_t count) {
  std::vector<std::int64_t> found(static_cast<std::size_t>(count));
  std::iota(found.begin(), found.end(), from);
  return found;
}

TEST(StreamEndpoint, WhatComesAfterThePreambleIsSent_WithItsPositions) {
  StreamHarness harness;
  harness.source.append("a", numbered_event(0), kTime);
  StreamClient client = harness.read("a");
  EXPECT_EQ(client.status(), 200u);
  EXPECT_THAT(client.head(), HasSubstr("content-type: text/event-stream; charset=utf-8"));
  EXPECT_THAT(client.head(), HasSubstr("x-accel-buffering: no"));
  client.wait_for_id();
  EXPECT_THAT(client.body(), testing::StartsWith(":ok\n\n"));
  harness.source.append("a", numbered_event(1), kTime + 5);
  const std::vector<StreamEvent> events = client.events(1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(json::parse(events[0].data), json::parse(R"({"n":1,"meta":{"topic":"a","partition":0,"offset":1}})"));
  EXPECT_EQ(json::parse(events[0].id),
            json::parse(R"([{"topic":"a","partition":0,"offset":2,"timestamp":1795910400006}])"));
}

TEST(StreamEndpoint, LiveReadersOfASubscription_AllGetEachEventOnce) {
  StreamHarness harness;
  harness.source.make_topic("a");
  std::vector<StreamClient> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(harness.read("a"));
  for (StreamClient& client : clients) client.wait_for_id();
  for (std::int64_t n = 0; n < 300; ++n) harness.source.append("a", numbered_event(n), kTime + n / 7);
  for (StreamClient& client : clients) EXPECT_EQ(numbers_of(client.events(300)), range(0, 300));
  // One look at the end for each of two threads' rings, but no record is fetched for a reader.
  EXPECT_EQ(harness.source.fetches(), 0u);
}

TEST(StreamEndpoint, Since_ReplaysByTimeOverTopicsAndGoesOnLive) {
  StreamHarness harness;
  for (std::int64_t n = 0; n < 40; ++n) harness.source.append(n % 2 ? "a" : "b", numbered_event(n), kTime + n);
  StreamClient client = harness.read("ab?since=0");
  EXPECT_EQ(numbers_of(client.events(40)), range(0, 40));
  harness.source.append("b", numbered_event(40), kTime + 40);
  EXPECT_EQ(numbers_of(client.events(1)), range(40, 1));
}

TEST(StreamEndpoint, ReadersComeBackAfterARestart_RecordsAreFetchedOnceForAll) {
  StreamHarness harness;
  for (std::int64_t n = 0; n < 3000; ++n) harness.source.append(n % 2 == 0 ? "a" : "b", numbered_event(n), kTime + n);
  // The first one wants the end alone.
  StreamClient first = harness.read("ab");
  first.wait_for_id();
  std::vector<StreamClient> clients;
  for (int i = 0; i < 30; ++i) {
    const std::string at = std::to_string(1000 + i);
    const std::string time = std::to_string(kTime + 2 * (1000 + i) - 1);
    clients.push_back(
        harness.read("ab", {R"(Last-Event-ID: [{"topic":"a","partition":0,"offset":)" + at + R"(,"timestamp":)" + time +
                            R"(},{"topic":"b","partition":0,"offset":1500}])"}));
  }
  for (std::size_t i = 0; i < clients.size(); ++i)
    EXPECT_EQ(numbers_of(clients[i].events(1)), range(2000 + 2 * static_cast<std::int64_t>(i), 1));
  const std::size_t fetches = harness.source.fetches();
  EXPECT_LE(fetches, 4u);
  EXPECT_EQ(harness.source.looked_up(), 0u);
  harness.source.append("a", numbered_event(3000), kTime + 3000);
  EXPECT_EQ(numbers_of(first.events(1)), range(3000, 1));
}

TEST(StreamEndpoint, LookBackOfARing_TakesWhatFits) {
  ReaderOptions options = StreamHarness::default_options();
  options.stream_buffer = 100'000;
  StreamHarness harness(options);
  const std::string padding(2000, 'x');
  for (std::int64_t n = 0; n < 1000; ++n)
    harness.source.append("a", "{\"n\":" + std::to_string(n) + ",\"x\":\"" + padding + "\"}", kTime + n);
  StreamClient client = harness.read("a?last=20");
  EXPECT_EQ(numbers_of(client.events(20)), range(980, 20));
  const std::size_t fetches = harness.source.fetches();
  StreamClient other = harness.read("a", {R"(Last-Event-ID: [{"topic":"a","partition":0,"offset":980}])"});
  EXPECT_EQ(numbers_of(other.events(20)), range(980, 20));
  EXPECT_EQ(harness.source.fetches(), fetches);
  EXPECT_EQ(numbers_of(harness.read("a?since=0").events(1000)), range(0, 1000));
}

TEST(StreamEndpoint, LongReplay_IsFetchedInPartsAndHandsOverExactly) {
  ReaderOptions options = StreamHarness::default_options();
  options.stream_buffer = 100'000;
  StreamHarness harness(options);
  const std::string padding(500, 'x');
  const auto event = [&](std::int64_t n) { return "{\"n\":" + std::to_string(n) + ",\"x\":\"" + padding + "\"}"; };
  for (std::int64_t n = 0; n < 20'000; ++n) harness.source.append("a", event(n), kTime + n / 3);
  StreamClient client = harness.read("a?since=0");
  for (std::int64_t n = 20'000; n < 20'500; ++n) harness.source.append("a", event(n), kTime + n / 3);
  EXPECT_EQ(numbers_of(client.events(20'500)), range(0, 20'500));
  EXPECT_GT(harness.source.fetches(), 10u);
}

TEST(StreamEndpoint, ResumesByItsIds_LoseNothingAndRepeatNothing) {
  StreamHarness harness;
  harness.source.make_topic("a", 2);
  std::mt19937 random(7);
  std::vector<std::int64_t> seen;
  std::string id;
  std::int64_t made = 0;
  for (int round = 0; round < 40; ++round) {
    // Ties and times out of order, in two partitions.
    const auto append = [&] {
      harness.source.append("a", numbered_event(made), kTime + made / 5 - static_cast<std::int64_t>(random() % 3),
                            static_cast<std::int32_t>(random() % 2));
      ++made;
    };
    std::vector<std::string> headers;
    if (!id.empty()) headers.push_back("Last-Event-ID: " + id);
    for (int i = 0; i < 5; ++i) append();
    StreamClient client = harness.read(id.empty() ? "a?since=0" : "a", headers);
    for (int i = 0; i < 5; ++i) append();
    const std::size_t left = static_cast<std::size_t>(made) - seen.size();
    const std::size_t wanted = 1 + random() % left;
    for (const StreamEvent& event : client.events(wanted)) {
      seen.push_back(json::parse(event.data)["n"]);
      id = event.id;
    }
  }
  StreamClient rest = harness.read("a", {"Last-Event-ID: " + id});
  for (const std::int64_t n : numbers_of(rest.events(static_cast<std::size_t>(made) - seen.size()))) seen.push_back(n);
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, range(0, made));
}

TEST(StreamEndpoint, DeletedRecords_AreAGap) {
  StreamHarness harness;
  for (std::int64_t n = 0; n < 10; ++n) harness.source.append("a", numbered_event(n), kTime + n);
  harness.source.drop_before("a", 6);
  StreamClient client =
      harness.read("a", {R"(Last-Event-ID: [{"topic":"a","partition":0,"offset":3,"timestamp":1795910400003}])"});
  const std::optional<StreamEvent> gap = client.next();
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->type, "gap");
  EXPECT_EQ(json::parse(gap->data), json::parse(R"({"topic":"a","partition":0,"from":3,"to":6})"));
  EXPECT_EQ(numbers_of(client.events(4)), range(6, 4));
}

TEST(StreamEndpoint, TopicMadeAnew_GoesOnFromItsBeginningWithAGap) {
  StreamHarness harness;
  for (std::int64_t n = 0; n < 5; ++n) harness.source.append("a", numbered_event(n), kTime + n);
  StreamClient client = harness.read("a");
  client.wait_for_id();
  harness.source.append("a", numbered_event(5), kTime + 5);
  EXPECT_EQ(numbers_of(client.events(1)), range(5, 1));
  harness.source.make_anew("a");
  std::optional<StreamEvent> gap = client.next();
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->type, "gap");
  harness.source.append("a", numbered_event(6), kTime + 6);
  EXPECT_EQ(numbers_of(client.events(1)), range(6, 1));
}

TEST(StreamEndpoint, TopicAndPartitionsThatComeLater_AreReadFromTheirBeginning) {
  StreamHarness harness;
  StreamClient client = harness.read("a");
  ASSERT_TRUE(client.read_chunk());
  harness.source.append("a", numbered_event(0), kTime);
  EXPECT_EQ(numbers_of(client.events(1)), range(0, 1));
  harness.source.append("a", numbered_event(1), kTime + 1, 1);
  const std::vector<StreamEvent> events = client.events(1);
  EXPECT_EQ(numbers_of(events), range(1, 1));
  EXPECT_EQ(json::parse(events[0].id).size(), 2u);
}

TEST(StreamEndpoint, Filter_HoldsEventsBackAndMovesIdsOn) {
  StreamHarness harness;
  harness.source.make_topic("a");
  StreamClient client = harness.read("a?match.type=edit&not.bot=true");
  client.wait_for_id();
  harness.source.append("a", R"({"n":0,"type":"edit","bot":true})", kTime);
  harness.source.append("a", R"({"n":1,"type":"new"})", kTime);
  harness.source.append("a", R"({"n":2,"type":"edit"})", kTime);
  const std::vector<StreamEvent> events = client.events(1);
  EXPECT_EQ(numbers_of(events), range(2, 1));
  EXPECT_EQ(json::parse(events[0].id)[0]["offset"], 3);
}

TEST(StreamEndpoint, CanaryEvents_AreSentOnDemandOnly) {
  StreamHarness harness;
  harness.source.append("a", R"({"n":0,"meta":{"domain":"canary"}})", kTime);
  harness.source.append("a", numbered_event(1), kTime);
  EXPECT_EQ(numbers_of(harness.read("a?since=0").events(1)), range(1, 1));
  EXPECT_EQ(numbers_of(harness.read("a?since=0&canary=true").events(2)), range(0, 2));
}

TEST(StreamEndpoint, RecordsThatAreNoEvents_AreSkippedAndCounted) {
  StreamHarness harness;
  harness.source.append("a", "[1]", kTime);
  harness.source.append("a", "no json", kTime);
  harness.source.append("a", numbered_event(2), kTime);
  EXPECT_EQ(numbers_of(harness.read("a?since=0").events(1)), range(2, 1));
  const std::string text = harness.metrics_text();
  EXPECT_THAT(text,
              HasSubstr(R"(eventgate_stream_records_skipped_total{service="test",cause="not_json",topic="a"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(cause="not_object")"));
}

TEST(StreamEndpoint, LastUntilNow_IsATailOfLines) {
  StreamHarness harness;
  for (std::int64_t n = 0; n < 100; ++n) harness.source.append(n % 3 ? "a" : "b", numbered_event(n), kTime + n);
  const HttpReply reply = harness.http->client().get("/v2/stream/ab?last=5&until=now", {"Accept: application/json"});
  EXPECT_EQ(reply.header("content-type"), "application/json; charset=utf-8");
  std::vector<std::int64_t> seen;
  std::string_view lines = reply.body;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    seen.push_back(json::parse(lines.substr(0, end))["n"]);
    lines.remove_prefix(end + 1);
  }
  EXPECT_EQ(seen, range(95, 5));
}

TEST(StreamEndpoint, Until_EndsWithAnIdThatStopsTheClient) {
  StreamHarness harness;
  for (std::int64_t n = 0; n < 10; ++n) harness.source.append("a", numbered_event(n), kTime + n);
  StreamClient client = harness.read("a?since=0&until=" + std::to_string(kTime + 4));
  EXPECT_EQ(numbers_of(client.events(4)), range(0, 4));
  const std::optional<StreamEvent> end = client.next();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->type, "end");
  EXPECT_TRUE(client.wait_for_end());
  const HttpReply again = harness.http->client().get("/v2/stream/a", {"Last-Event-ID: " + end->id});
  EXPECT_EQ(again.status, 204u);
}

TEST(StreamEndpoint, Limit_EndsAfterSoManyEvents) {
  StreamHarness harness;
  for (std::int64_t n = 0; n < 10; ++n) harness.source.append("a", numbered_event(n), kTime + n);
  StreamClient client = harness.read("a?since=0&limit=3");
  EXPECT_EQ(numbers_of(client.events(10)), range(0, 3));
  EXPECT_TRUE(client.wait_for_end());
}

TEST(StreamEndpoint, Heartbeat_HasThePositions) {
  ReaderOptions options = StreamHarness::default_options();
  options.stream_heartbeat = std::chrono::milliseconds(1);
  StreamHarness harness(options);
  harness.source.append("a", numbered_event(0), kTime);
  StreamClient client = harness.read("a");
  while (client.body().find(": heartbeat\nid: [{\"topic\":\"a\"") == std::string::npos)
    ASSERT_TRUE(client.read_chunk());
}

TEST(StreamEndpoint, SourceAwayAtTheConnect_StreamBeginsAndLosesNothing) {
  ReaderOptions options = StreamHarness::default_options();
  options.stream_open_timeout = std::chrono::milliseconds(1);
  options.stream_heartbeat = std::chrono::milliseconds(1);
  StreamHarness harness(options);
  harness.source.make_topic("a");
  harness.source.set_away(true);
  EXPECT_EQ(harness.http->client().get("/v2/stream/a").status, 503u);
  harness.source.set_away(false);
  ASSERT_TRUE(becomes([&] {
    StreamClient known = harness.read("a");
    return known.status() == 200;
  }));
  harness.source.set_away(true);
  StreamClient client = harness.read("a");
  EXPECT_EQ(client.status(), 200u);
  while (client.body().find("does not answer") == std::string::npos) ASSERT_TRUE(client.read_chunk());
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  harness.source.append("a", numbered_event(7), now + 1000);
  harness.source.set_away(false);
  EXPECT_EQ(numbers_of(client.events(1)), range(7, 1));
}

TEST(StreamEndpoint, ReaderThatDoesNotRead_IsDisconnectedAndCostsOthersNothing) {
  ReaderOptions options = StreamHarness::default_options();
  options.request_timeout = std::chrono::milliseconds(300);
  options.stream_buffer = 200'000;
  StreamHarness harness(options);
  harness.source.make_topic("a");
  StreamClient slow = harness.read("a");
  StreamClient quick = harness.read("a");
  slow.wait_for_id();
  quick.wait_for_id();
  const std::string padding(20'000, 'x');
  for (std::int64_t n = 0; n < 1500; ++n) {
    harness.source.append("a", "{\"n\":" + std::to_string(n) + ",\"x\":\"" + padding + "\"}", kTime + n);
    ASSERT_EQ(numbers_of(quick.events(1)), range(n, 1));
  }
  EXPECT_TRUE(becomes([&] { return harness.readers->clients() == 1; }));
  EXPECT_THAT(harness.metrics_text(),
              HasSubstr(R"(eventgate_stream_disconnects_total{service="test",cause="too_slow"} 1)"));
  const std::vector<std::int64_t> got = numbers_of(slow.events(1500));
  EXPECT_LT(got.size(), 1500u);
  EXPECT_EQ(got, range(0, static_cast<std::int64_t>(got.size())));
  // It comes back with its last id, more than once if this machine is too slow for request_timeout.
  std::vector<std::int64_t> all = got;
  std::string id = slow.id();
  for (bool gets_more = true; gets_more && all.size() < 1500;) {
    StreamClient again = harness.read("a", {"Last-Event-ID: " + id});
    const std::vector<std::int64_t> more = numbers_of(again.events(1500 - all.size()));
    all.insert(all.end(), more.begin(), more.end());
    id = again.id();
    gets_more = !more.empty();
  }
  EXPECT_EQ(all, range(0, 1500));
}

TEST(StreamEndpoint, SlowReader_FallsBackToAReplayAndGetsAll) {
  ReaderOptions options = StreamHarness::default_options();
  options.stream_buffer = 200'000;
  StreamHarness harness(options);
  harness.source.make_topic("a");
  StreamClient slow = harness.read("a");
  slow.wait_for_id();
  const std::string padding(20'000, 'x');
  for (std::int64_t n = 0; n < 1500; ++n)
    harness.source.append("a", "{\"n\":" + std::to_string(n) + ",\"x\":\"" + padding + "\"}", kTime + n);
  EXPECT_EQ(numbers_of(slow.events(1500)), range(0, 1500));
}

TEST(StreamEndpoint, Limits_AreAnsweredAndFreedWithTheClient) {
  ReaderOptions options = StreamHarness::default_options();
  options.client_ip_connection_limit = 1;
  options.max_stream_clients = 2;
  StreamHarness harness(options);
  harness.source.make_topic("a");
  std::optional<StreamClient> first(harness.read("a", {"X-Client-IP: 1.1.1.1"}));
  const HttpReply second = harness.http->client().get("/v2/stream/a", {"X-Client-IP: 1.1.1.1"});
  EXPECT_EQ(second.status, 429u);
  EXPECT_TRUE(second.header("retry-after"));
  StreamClient other = harness.read("a", {"X-Client-IP: 1.1.1.2"});
  EXPECT_EQ(harness.http->client().get("/v2/stream/a", {"X-Client-IP: 1.1.1.3"}).status, 503u);
  first.reset();
  EXPECT_TRUE(becomes([&] { return harness.read("a", {"X-Client-IP: 1.1.1.1"}).status() == 200; }));
}

TEST(StreamEndpoint, Stream_LeavesMaxConnectionsToOthers) {
  HttpHarness::Setup setup;
  setup.http.max_connections = 1;
  StreamHarness harness(StreamHarness::default_options(), setup);
  harness.source.make_topic("a");
  StreamClient first = harness.read("a");
  StreamClient second = harness.read("a");
  EXPECT_EQ(second.status(), 200u);
  EXPECT_EQ(harness.readers->clients(), 2u);
}

TEST(StreamEndpoint, Stop_EndsStreamsProperlyWithRetry) {
  StreamHarness harness;
  harness.source.make_topic("a");
  StreamClient client = harness.read("a");
  client.wait_for_id();
  std::thread stopping([&] { harness.readers->stop(std::chrono::steady_clock::now() + std::chrono::seconds(20)); });
  EXPECT_TRUE(client.wait_for_end());
  EXPECT_THAT(client.body(), HasSubstr("retry: "));
  stopping.join();
}

TEST(StreamEndpoint, MaxConnectionTime_EndsTheStreamProperly) {
  ReaderOptions options = StreamHarness::default_options();
  options.max_connection_time = std::chrono::milliseconds(1);
  StreamHarness harness(options);
  harness.source.make_topic("a");
  StreamClient client = harness.read("a");
  EXPECT_TRUE(client.wait_for_end());
  EXPECT_THAT(client.body(), HasSubstr("retry: "));
}

TEST(StreamEndpoint, StreamNotExposedAnyMore_Ends) {
  StreamHarness harness;
  harness.source.make_topic("a");
  StreamClient client = harness.read("a");
  client.wait_for_id();
  harness.readers->change_streams(std::make_shared<const ExposedStreams>());
  const std::optional<StreamEvent> end = client.next();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->type, "end");
  EXPECT_EQ(harness.http->client().get("/v2/stream/a").status, 400u);
}

TEST(StreamEndpoint, HeadOptionsAndHttp10_AreAnswered) {
  StreamHarness harness;
  harness.source.append("a", numbered_event(0), kTime);
  HttpClient client = harness.http->client();
  const HttpReply head = client.exchange(http_request("HEAD", "/v2/stream/a"), true);
  EXPECT_EQ(head.status, 200u);
  EXPECT_EQ(head.header("content-type"), "text/event-stream; charset=utf-8");
  const HttpReply options = client.exchange(http_request("OPTIONS", "/v2/stream/a"));
  EXPECT_EQ(options.header("allow"), "GET,HEAD");
  HttpClient old = harness.http->client();
  const HttpReply reply =
      old.exchange("GET /v2/stream/a?since=0&until=now HTTP/1.0\r\nAccept: application/json\r\n\r\n");
  EXPECT_FALSE(reply.header("transfer-encoding"));
  EXPECT_EQ(json::parse(reply.body)["n"], 0);
}

TEST(StreamEndpoint, GaugesCountClientsAndAreNeverNegative) {
  StreamHarness harness;
  harness.source.make_topic("a");
  {
    StreamClient client = harness.read("a");
    client.wait_for_id();
    EXPECT_THAT(harness.metrics_text(), HasSubstr(R"(eventstreams_connected_clients{service="test",stream="a"} 1)"));
  }
  EXPECT_TRUE(becomes([&] {
    return harness.metrics_text().find(R"(eventstreams_connected_clients{service="test",stream="a"} 0)") !=
           std::string::npos;
  }));
  EXPECT_EQ(harness.http->client().get("/v2/stream/none").status, 400u);
  const std::string text = harness.metrics_text();
  EXPECT_THAT(text, HasSubstr(R"(eventstreams_client_connections_total{service="test",streams="a"} 1)"));
  EXPECT_THAT(text, HasSubstr(R"(eventgate_stream_refused_total{service="test",cause="not_found"} 1)"));
}

TEST(StreamListEndpoint, ListsStreamsWithTheirTopics) {
  StreamHarness harness;
  const json list = json::parse(harness.http->client().get("/v2/stream").body);
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[2]["name"], "ab");
  EXPECT_EQ(list[2]["topics"], json::parse(R"(["a","b"])"));
}

/// The hashes of a policy.
std::size_t hashes_in(const std::string& policy) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = policy.find("'sha256-", at)) != std::string::npos; ++at) ++count;
  return count;
}

TEST(StreamPageEndpoint, PageIsThereUnlessItIsOff_WithAPolicyOfTwoHashes) {
  ReaderOptions options = StreamHarness::default_options();
  options.stream_heartbeat = std::chrono::seconds(7);
  StreamHarness harness(options);
  HttpClient client = harness.http->client();
  for (const char* const target : {"/v2/ui", "/v2/ui/", "/v2/ui/?streams=a,b&match.x=%3Cb%3E"}) {
    const HttpReply reply = client.get(target);
    EXPECT_EQ(reply.status, 200u) << target;
    EXPECT_EQ(reply.header("content-type"), "text/html; charset=UTF-8");
    EXPECT_EQ(reply.header("cache-control"), "public, max-age=0");
    const std::string policy = reply.header("content-security-policy").value_or("");
    EXPECT_THAT(policy, testing::AllOf(testing::StartsWith("default-src 'none'; "), Not(HasSubstr("unsafe")),
                                       HasSubstr("; connect-src 'self'; "), HasSubstr("trusted-types 'none'")));
    EXPECT_EQ(hashes_in(policy), 2u);
    EXPECT_THAT(reply.body, HasSubstr("<body data-heartbeat=\"7000\" "));
    EXPECT_THAT(reply.body, Not(HasSubstr("/* part: ")));
  }
  EXPECT_EQ(client.get("/v2/ui/nope.js").status, 404u);
  options.stream_ui_enabled = false;
  const StreamHarness without(options);
  EXPECT_EQ(without.http->client().get("/v2/ui").status, 404u);
  EXPECT_EQ(without.http->client().get("/v2/stream").status, 200u);
}

}  // namespace
}  // namespace eventgate
