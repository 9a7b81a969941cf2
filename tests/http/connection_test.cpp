#include "http/connection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "support/deflated.hpp"
#include "support/http_harness.hpp"

namespace eventgate {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kAccepted = "All 1 out of 1 events were accepted.";
constexpr const char* kEmpty = "Request body was empty. Must provide JSON encoded events.";
const std::string kLengthOfEvent = "Content-Length: " + std::to_string(std::string(kGoodEvent).size()) + "\r\n";
const std::vector<std::string> kJson = {"Content-Type: application/json"};

HttpHarness::Setup setup_with(const std::function<void(HttpOptions&)>& change) {
  HttpHarness::Setup setup;
  change(setup.http);
  return setup;
}

std::string head(std::string_view more) {
  return "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + std::string(more) + "\r\n";
}

std::string good_request() { return http_request("POST", "/v1/events", kGoodEvent, kJson); }

std::string chunk(std::string_view data) {
  char size[16];
  std::snprintf(size, sizeof(size), "%zx\r\n", data.size());
  return size + std::string(data) + "\r\n";
}

/// What a new connection gets for `bytes`: the status, and whether the connection then ends.
std::string answer_to(const HttpHarness& harness, std::string_view bytes) {
  HttpClient client = harness.client();
  client.send(bytes);
  const std::optional<HttpReply> reply = client.reply();
  if (!reply) return "none";
  std::string answer = std::to_string(reply->status);
  if (reply->header("connection") == "close") answer += client.ended() ? " closed" : " more";
  return answer;
}

/// The same of a request whose connection is kept: it must serve another request.
std::string kept_answer_to(const HttpHarness& harness, std::string_view bytes) {
  HttpClient client = harness.client();
  const HttpReply reply = client.exchange(bytes);
  EXPECT_EQ(client.get("/robots.txt").status, 200u);
  return std::to_string(reply.status) + " " + reply.reason;
}

// Good requests.

TEST(HttpConnection, EventIsAcceptedAndProduced) {
  HttpHarness harness;
  const HttpReply reply = harness.client().post("/v1/events", kGoodEvent);
  EXPECT_EQ(reply.status, 201u);
  EXPECT_EQ(reply.reason, kAccepted);
  EXPECT_EQ(reply.body, "");
  ASSERT_EQ(harness.records(), 1u);
  EXPECT_EQ(harness.sink->records[0].value, kGoodEvent);
}

TEST(HttpConnection, ConnectionIsKeptForMore) {
  HttpHarness harness;
  HttpClient client = harness.client();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.exchange(good_request()).status, 201u);
  EXPECT_EQ(harness.metric("eventgate_connections_total{"), "1");
}

TEST(HttpConnection, PipelinedRequestsAreAnsweredInOrder) {
  HttpHarness harness;
  HttpClient client = harness.client();
  std::string bytes;
  for (int i = 0; i < 200; ++i) bytes += good_request() + http_request("GET", "/robots.txt");
  client.send(bytes);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(client.reply()->reason, kAccepted);
    EXPECT_EQ(client.reply()->body, "User-agent: *\nDisallow: /\n");
  }
  EXPECT_EQ(harness.records(), 200u);
}

TEST(HttpConnection, RequestMayComeByteByByte) {
  HttpHarness harness;
  HttpClient client = harness.client();
  for (const char byte : good_request()) client.send({&byte, 1});
  EXPECT_EQ(client.reply()->status, 201u);
}

TEST(HttpConnection, EmptyLineBeforeARequestIsSkipped) {
  HttpHarness harness;
  EXPECT_EQ(kept_answer_to(harness, "\r\n" + good_request()), std::string("201 ") + kAccepted);
}

TEST(HttpConnection, AnswerComesThoughTheClientSaidItWillSendNoMore) {
  HttpHarness harness;
  HttpClient client = harness.client();
  client.send(good_request());
  client.shutdown_send();
  EXPECT_EQ(client.reply()->status, 201u);
  EXPECT_TRUE(client.ended());
}

TEST(HttpConnection, ConnectionEndsIfTheClientAsksForIt) {
  HttpHarness harness;
  EXPECT_EQ(answer_to(harness, http_request("GET", "/_info", {}, {"Connection: close"})), "200 closed");
}

TEST(HttpConnection, Http10IsKeptOnlyIfAskedAndTheAnswerHasABody) {
  HttpHarness harness;
  EXPECT_EQ(answer_to(harness, "GET /_info HTTP/1.0\r\n\r\n"), "200 closed");
  EXPECT_EQ(kept_answer_to(harness, "GET /_info HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), "200 OK");
  EXPECT_EQ(
      answer_to(harness, "POST /v1/events HTTP/1.0\r\nContent-Type: application/json\r\nConnection: keep-alive\r\n" +
                             kLengthOfEvent + "\r\n" + kGoodEvent),
      "201 closed");
}

TEST(HttpConnection, AbsoluteTargetsAndUpgradesAreTaken) {
  HttpHarness harness;
  EXPECT_EQ(kept_answer_to(harness, "GET http://x/_info HTTP/1.1\r\nHost: x\r\n\r\n"), "200 OK");
  EXPECT_EQ(kept_answer_to(harness, "GET /_info HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"),
            "200 OK");
}

TEST(HttpConnection, LongAnswerReachesASlowReader) {
  HttpHarness harness(setup_with([](HttpOptions& options) { options.max_body_size = 16 << 20; }));
  HttpClient client = harness.client();
  std::string body = "[";
  for (int i = 0; i < 400; ++i)
    body += (i > 0 ? "," : "") + std::string(R"({"$schema":"/no/1.0.0","test":")") + std::string(20000, 'x') + "\"}";
  client.send(http_request("POST", "/v1/events", body + "]", kJson));
  client.send(http_request("GET", "/robots.txt"));
  const HttpReply reply = *client.reply();
  EXPECT_EQ(reply.status, 500u);
  EXPECT_EQ(json::parse(reply.body)["error"].size(), 400u);
  EXPECT_EQ(client.reply()->status, 200u);
}

TEST(HttpConnection, ErrorsAreCompressedIfAccepted) {
  HttpHarness harness;
  const std::string body = R"({"$schema":"/no/1.0.0","test":")" + std::string(2000, 'x') + "\"}";
  const HttpReply reply =
      harness.client().post("/v1/events", body, {"Content-Type: application/json", "Accept-Encoding: gzip"});
  EXPECT_EQ(reply.status, 500u);
  EXPECT_EQ(reply.header("content-encoding"), "gzip");
  EXPECT_EQ(reply.header("vary"), "Accept-Encoding");
  EXPECT_LT(reply.body.size(), 1000u);
}

// Bodies.

TEST(HttpConnection, EmptyBodiesSayThatTheyAre) {
  HttpHarness harness;
  HttpClient client = harness.client();
  for (const std::string_view body : {"", "{}", "[]", " \n\t ", "\xef\xbb\xbf", "\xef\xbb\xbf []"}) {
    const HttpReply reply = client.post("/v1/events", body);
    EXPECT_EQ(reply.status, 400u) << body;
    EXPECT_EQ(reply.reason, kEmpty) << body;
    EXPECT_EQ(reply.body, "") << body;
  }
  EXPECT_EQ(client.post("/v1/events", kGoodEvent, {"Content-Type: application/xml"}).reason, kEmpty);
  EXPECT_EQ(client.exchange(head("")).reason, kEmpty);
  EXPECT_EQ(client.exchange(head("Transfer-Encoding: chunked\r\n") + "0\r\n\r\n").reason, kEmpty);
  EXPECT_EQ(client.post("/v1/events?hasty=true", "").reason, kEmpty);
  EXPECT_EQ(client.post("/v1/events", "[{}]").status, 500u);
}

TEST(HttpConnection, BodyThatIsNoJsonSaysWhere) {
  HttpHarness harness;
  HttpClient client = harness.client();
  const HttpReply reply = client.post("/v1/events?hasty=true", R"({"a":)");
  EXPECT_EQ(reply.status, 400u);
  EXPECT_EQ(reply.reason, "Bad Request");
  EXPECT_EQ(reply.header("content-type"), "application/json; charset=utf-8");
  EXPECT_EQ(json::parse(reply.body), json::parse(R"({"status": 400, "type": "bad_request", "title": "Bad Request",
    "detail": "The body is not JSON that we take: expected a value at byte 5, found the end: the text looks cut off.",
    "method": "POST", "uri": "/v1/events?hasty=true"})"));
  for (const std::string_view body : {"12", "null", "\"abc\"", "{\"a\":NaN}", "{} {}", "\xff"})
    EXPECT_EQ(client.post("/v1/events", body).status, 400u) << body;
}

TEST(HttpConnection, HostileJsonIsAnswered) {
  HttpHarness harness(setup_with([](HttpOptions& options) { options.max_body_size = 16 << 20; }));
  HttpClient client = harness.client();
  EXPECT_EQ(client.post("/v1/events", std::string(1000000, '[')).status, 400u);
  std::string zeros = "[0";
  for (int i = 0; i < 2000000; ++i) zeros += ",0";
  EXPECT_EQ(client.post("/v1/events", zeros + "]").status, 413u);
  std::string keys = R"({"$schema":"/test/1.0.0")";
  for (int i = 0; i < 40000; ++i) keys += ",\"k" + std::to_string(i) + "\":1e400";
  EXPECT_EQ(client.post("/v1/events", keys + "}").status, 400u);
  EXPECT_EQ(client.exchange(good_request()).status, 201u);
}

TEST(HttpConnection, BodyIsTakenUpToTheLimitAndRefusedBeyondIt) {
  HttpHarness harness(setup_with([](HttpOptions& options) { options.max_body_size = 1000; }));
  const std::string exact = kGoodEvent + std::string(1000 - std::string(kGoodEvent).size(), ' ');
  HttpClient client = harness.client();
  EXPECT_EQ(client.post("/v1/events", exact).status, 201u);
  const HttpReply refused = client.post("/v1/events", exact + " ");
  EXPECT_EQ(refused.status, 413u);
  EXPECT_EQ(refused.reason, "Payload Too Large");
  EXPECT_THAT(json::parse(refused.body)["detail"].get<std::string>(), HasSubstr("max_body_size"));
  EXPECT_EQ(client.post("/v1/events", exact).status, 201u);  // what is left was read
  EXPECT_EQ(harness.metric("eventgate_rejected_requests_total{service=\"test\",cause=\"body_too_large\"}"), "1");
}

TEST(HttpConnection, BodyNotWorthReadingEndsTheConnectionAfterTheAnswerIsRead) {
  HttpHarness harness;
  HttpClient client = harness.client();
  client.send(http_request("POST", "/v1/events", std::string(5 << 20, 'x'), kJson));
  const std::optional<HttpReply> reply = client.reply();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 413u);
  EXPECT_EQ(reply->header("connection"), "close");
  EXPECT_TRUE(client.ended());
}

TEST(HttpConnection, ChunkedBodyIsJoined) {
  HttpHarness harness;
  const std::string event = kGoodEvent;
  std::string chunks;
  for (const char byte : event) chunks += chunk({&byte, 1});
  EXPECT_EQ(kept_answer_to(harness, head("Transfer-Encoding: chunked\r\n") + chunks + "0\r\nX-Late: 1\r\n\r\n"),
            std::string("201 ") + kAccepted);
  HttpClient client = harness.client();
  for (const char byte : head("Transfer-Encoding: Chunked\r\n") + chunk(event) + "0\r\nX-Late: 1\r\n\r\n")
    client.send({&byte, 1});
  EXPECT_EQ(client.reply()->status, 201u);
}

TEST(HttpConnection, ChunkedBodyIsTakenUpToTheLimitAndRefusedBeyondIt) {
  HttpHarness harness(setup_with([](HttpOptions& options) { options.max_body_size = 100000; }));
  const std::string exact = kGoodEvent + std::string(100000 - std::string(kGoodEvent).size(), ' ');
  const std::string begin = head("Transfer-Encoding: chunked\r\n");
  EXPECT_EQ(answer_to(harness, begin + chunk(exact) + "0\r\n\r\n"), "201");
  EXPECT_EQ(answer_to(harness, begin + chunk(exact) + chunk(" ") + "0\r\n\r\n"), "413 closed");
  EXPECT_EQ(answer_to(harness, begin + "fffffffffffffff0\r\n" + std::string(200000, 'x')), "413 closed");
}

TEST(HttpConnection, BadChunksAreRefused) {
  HttpHarness harness;
  const std::string begin = head("Transfer-Encoding: chunked\r\n");
  EXPECT_EQ(answer_to(harness, begin + "xyz\r\n"), "400 closed");
  EXPECT_EQ(answer_to(harness, begin + "2\r\n{}xx\r\n"), "400 closed");
  EXPECT_EQ(answer_to(harness, begin + "fffffffffffffffff\r\n"), "400 closed");
}

TEST(HttpConnection, CompressedBodiesAreDecoded) {
  HttpHarness harness;
  HttpClient client = harness.client();
  const auto post = [&](const std::string& coding, const std::string& body) {
    return client.post("/v1/events", body, {"Content-Type: application/json", "Content-Encoding: " + coding}).status;
  };
  std::string zstd(1000, '\0');
  zstd.resize(ZSTD_compress(zstd.data(), zstd.size(), kGoodEvent, std::string(kGoodEvent).size(), 3));
  EXPECT_EQ(post("identity", kGoodEvent), 201u);
  EXPECT_EQ(post("gzip", deflated(kGoodEvent, 31)), 201u);
  EXPECT_EQ(post("deflate", deflated(kGoodEvent, 15)), 201u);
  EXPECT_EQ(post("zstd", zstd), 201u);
  EXPECT_EQ(post("gzip", deflated("", 31)), 400u);
  EXPECT_EQ(harness.records(), 4u);
}

TEST(HttpConnection, CompressedBodiesThatAreNoneAreRefused) {
  HttpHarness harness;
  HttpClient client = harness.client();
  const auto post = [&](const std::vector<std::string>& headers, const std::string& body) {
    std::vector<std::string> all = kJson;
    all.insert(all.end(), headers.begin(), headers.end());
    return client.post("/v1/events", body, all).status;
  };
  EXPECT_EQ(post({"Content-Encoding: gzip"}, "not gzip data"), 400u);
  EXPECT_EQ(post({"Content-Encoding: br"}, kGoodEvent), 415u);
  EXPECT_EQ(post({"Content-Encoding: gzip", "Content-Encoding: gzip"}, deflated(kGoodEvent, 31)), 415u);
  EXPECT_EQ(post({"Content-Encoding: gzip"}, deflated(std::string(50 << 20, ' '), 31)), 413u);
  EXPECT_EQ(client.exchange(good_request()).status, 201u);
}

TEST(HttpConnection, OtherCharsetIsRefused) {
  HttpHarness harness;
  const HttpReply reply =
      harness.client().post("/v1/events", kGoodEvent, {"Content-Type: application/json; charset=iso-8859-1"});
  EXPECT_EQ(reply.status, 415u);
  EXPECT_EQ(reply.reason, "Unsupported Media Type");
}

TEST(HttpConnection, UsAsciiIsRead) {
  HttpHarness harness;
  EXPECT_EQ(
      harness.client().post("/v1/events", kGoodEvent, {"Content-Type: application/json; charset=us-ascii"}).status,
      201u);
}

TEST(HttpConnection, AByteThatIsNoUtf8IsOfItsEventOrOfTheBody) {
  HttpHarness harness;
  HttpClient client = harness.client();
  const std::string good = kGoodEvent;
  std::string bad = good;
  bad.insert(bad.rfind('"'), "\xFF");
  const HttpReply mixed = client.post("/v1/events", "[" + good + "," + bad + "]");
  EXPECT_EQ(mixed.status, 207u);
  EXPECT_EQ(nlohmann::json::parse(mixed.body)["invalid"][0]["index"], 1);
  EXPECT_EQ(client.post("/v1/events", "[" + good + ",\xFF" + good + "]").status, 400u);
  EXPECT_EQ(client.post("/v1/events", good + "\xC3").status, 400u);
}

TEST(HttpConnection, MoreEventsThanTheLimitAreRefused) {
  HttpHarness::Setup setup;
  setup.api.max_events = 2;
  HttpHarness harness(std::move(setup));
  HttpClient client = harness.client();
  const std::string event = kGoodEvent;
  EXPECT_EQ(client.post("/v1/events", "[" + event + "," + event + "]").status, 201u);
  const HttpReply refused = client.post("/v1/events", "[" + event + "," + event + "," + event + "]");
  EXPECT_EQ(refused.status, 413u);
  EXPECT_THAT(json::parse(refused.body)["detail"].get<std::string>(), HasSubstr("max_events"));
  EXPECT_EQ(harness.records(), 2u);
}

TEST(HttpConnection, BodyNobodyWantsIsSkipped) {
  HttpHarness harness;
  EXPECT_EQ(kept_answer_to(harness, http_request("GET", "/_info", "{")), "200 OK");
  EXPECT_EQ(kept_answer_to(harness, http_request("POST", "/v2/events", std::string(60000, 'x'))), "404 Not Found");
  EXPECT_EQ(kept_answer_to(harness, "GET /_info HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
                                        chunk("GET / HTTP/1.1") + "0\r\n\r\n"),
            "200 OK");
  EXPECT_EQ(answer_to(harness, http_request("GET", "/_info", std::string(70000, 'x'))), "200 closed");
}

TEST(HttpConnection, CutOffBodyIsAnswered) {
  HttpHarness harness;
  HttpClient client = harness.client();
  client.send(head("Content-Length: 100\r\n") + "{\"a\"");
  client.shutdown_send();
  EXPECT_EQ(client.reply()->status, 400u);
  EXPECT_TRUE(client.ended());
}

TEST(HttpConnection, ClientThatLeavesHarmsNobody) {
  HttpHarness harness;
  {
    HttpClient client = harness.client();
    client.send(head("Content-Length: 100\r\n") + "{\"a\"");
  }
  { HttpClient client = harness.client(); }
  harness.hold_records();
  {
    HttpClient client = harness.client();
    client.send(good_request());
    harness.wait_for_records(1);
  }
  harness.settle();
  EXPECT_EQ(harness.client().exchange(good_request()).status, 201u);
  harness.wait_for_metric("eventgate_connections{", "0");
}

// Expect.

TEST(HttpConnection, ContinueIsAnsweredAtOnce) {
  HttpHarness harness;
  HttpClient client = harness.client();
  client.send(head("Expect: 100-Continue\r\n" + kLengthOfEvent));
  EXPECT_EQ(client.reply()->status, 100u);
  client.send(kGoodEvent);
  EXPECT_EQ(client.reply()->status, 201u);
  EXPECT_EQ(client.get("/robots.txt").status, 200u);
}

TEST(HttpConnection, ClientThatExpectsIsNotAskedForABodyThatIsNotRead) {
  HttpHarness harness;
  EXPECT_EQ(answer_to(harness, head("Expect: 100-continue\r\nContent-Length: 99999999\r\n")), "413 closed");
  EXPECT_EQ(answer_to(harness, "POST /nope HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
            "404 closed");
}

TEST(HttpConnection, OtherExpectationFails) {
  HttpHarness harness;
  EXPECT_EQ(kept_answer_to(harness, head("Expect: foo\r\n" + kLengthOfEvent) + kGoodEvent), "417 Expectation Failed");
  EXPECT_EQ(harness.records(), 0u);
}

// What is no HTTP, or two things at once.

TEST(HttpConnection, WhatIsNoHttpIsRefused) {
  HttpHarness harness;
  for (const std::string& bytes : std::vector<std::string>{
           "HELLO\r\n\r\n", "GET /_info\r\n\r\n", "GET /_info HTTP/0.9\r\n\r\n", "GET /_info HTTP/2.0\r\n\r\n",
           "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /_info HTTP/1.1\nHost: x\n\n",
           "GET / HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n", "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
           std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(100, 'x'),
           std::string("GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n", 34), "\r\n\r\n\r\n\r\n"})
    EXPECT_EQ(answer_to(harness, bytes), "400 closed") << bytes;
}

TEST(HttpConnection, RefusalOfWhatIsNoHttpIsBare) {
  HttpHarness harness;
  const HttpReply reply = harness.client().exchange("HELLO\r\n\r\n");
  EXPECT_EQ(reply.reason, "Bad Request");
  EXPECT_EQ(reply.body, "");
  EXPECT_EQ(reply.header("content-type"), std::nullopt);
  EXPECT_EQ(reply.header("access-control-allow-origin"), std::nullopt);
  EXPECT_EQ(harness.metric("eventgate_rejected_requests_total{service=\"test\",cause=\"malformed_http\"}"), "1");
}

TEST(HttpConnection, HostIsThereOnce) {
  HttpHarness harness;
  EXPECT_EQ(answer_to(harness, "GET /_info HTTP/1.1\r\n\r\n"), "400 closed");
  EXPECT_EQ(answer_to(harness, "GET /_info HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), "400 closed");
}

TEST(HttpConnection, LengthThatIsSaidTwiceIsRefused) {
  HttpHarness harness;
  for (const std::string_view fields :
       {"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
        "Content-Length: 2\r\nContent-Length: 2\r\n", "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Content-Length: 2, 2\r\n", "Content-Length: -2\r\n", "Content-Length: +2\r\n", "Content-Length: abc\r\n",
        "Content-Length: 18446744073709551616\r\n", "Content-Length:\r\n"})
    EXPECT_EQ(answer_to(harness, head(fields) + "{}"), "400 closed") << fields;
}

TEST(HttpConnection, OtherTransferEncodingsAreRefused) {
  HttpHarness harness;
  for (const std::string_view fields :
       {"Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked;q=1\r\n"})
    EXPECT_EQ(answer_to(harness, head(fields) + "2\r\n{}\r\n0\r\n\r\n"), "501 closed") << fields;
  EXPECT_EQ(answer_to(harness, head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n"),
            "400 closed");
  EXPECT_EQ(answer_to(harness, "POST /v1/events HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "400 closed");
}

// Limits.

TEST(HttpConnection, HeadersBeyondTheLimitAreRefused) {
  HttpHarness harness;
  const auto request = [](std::size_t size) {
    const std::string begin = "GET /_info HTTP/1.1\r\nHost: x\r\nX-A: ";
    return begin + std::string(size - begin.size() - 4, 'a') + "\r\n\r\n";
  };
  EXPECT_EQ(answer_to(harness, request(16384)), "200");
  EXPECT_EQ(answer_to(harness, request(16385)), "431 closed");
  EXPECT_EQ(answer_to(harness, request(1000000)), "431 closed");
  EXPECT_EQ(answer_to(harness, "GET /" + std::string(20000, 'a')), "431 closed");
}

TEST(HttpConnection, MoreHeadersThanTheLimitAreRefused) {
  HttpHarness harness;
  const auto request = [](int count) {
    std::string bytes = "GET /_info HTTP/1.1\r\nHost: x\r\n";
    for (int i = 1; i < count; ++i) bytes += "A: b\r\n";
    return bytes + "\r\n";
  };
  EXPECT_EQ(answer_to(harness, request(100)), "200");
  EXPECT_EQ(answer_to(harness, request(101)), "431 closed");
}

TEST(HttpConnection, SlowHeadersTimeOut) {
  HttpHarness harness(setup_with([](HttpOptions& options) { options.header_timeout = 150ms; }));
  HttpClient client = harness.client();
  client.send("GET /_info HTTP/1.1\r\nHost: ");
  const std::optional<HttpReply> reply = client.reply();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 408u);
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(harness.metric("eventgate_rejected_requests_total{service=\"test\",cause=\"timeout\"}"), "1");
}

TEST(HttpConnection, ConnectionWithoutARequestEnds) {
  HttpHarness harness(setup_with([](HttpOptions& options) { options.header_timeout = 150ms; }));
  EXPECT_TRUE(harness.client().ended());
}

TEST(HttpConnection, SlowBodyTimesOut) {
  HttpHarness harness(setup_with([](HttpOptions& options) { options.request_timeout = 150ms; }));
  for (const std::string_view fields : {"Content-Length: 100\r\n", "Transfer-Encoding: chunked\r\n"}) {
    HttpClient client = harness.client();
    client.send(head(fields) + "2\r\n{");
    const std::optional<HttpReply> reply = client.reply();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 408u);
    EXPECT_THAT(json::parse(reply->body)["detail"].get<std::string>(), HasSubstr("150 ms"));
    EXPECT_TRUE(client.ended());
  }
}

TEST(HttpConnection, IdleConnectionEnds) {
  HttpHarness harness(setup_with([](HttpOptions& options) { options.keepalive_timeout = 150ms; }));
  HttpClient client = harness.client();
  EXPECT_EQ(client.exchange(good_request()).status, 201u);
  EXPECT_TRUE(client.ended());
}

TEST(HttpConnection, RequestsBeyondTheBytesInFlightAreRefused) {
  HttpHarness harness(setup_with([](HttpOptions& options) { options.max_inflight_bytes = 700; }));
  harness.hold_records();
  HttpClient first = harness.client();
  HttpClient second = harness.client();
  first.send(good_request());
  harness.wait_for_records(1);
  EXPECT_EQ(harness.server().inflight_bytes(), 2 * std::string(kGoodEvent).size() + 300);
  for (const std::string_view target : {"/v1/events", "/v1/events?hasty=true"}) {
    const HttpReply refused = second.post(target, kGoodEvent);
    EXPECT_EQ(refused.status, 503u);
    EXPECT_EQ(refused.header("retry-after"), "1");
    EXPECT_THAT(json::parse(refused.body)["detail"].get<std::string>(), HasSubstr("max_inflight_bytes"));
  }
  harness.settle();
  EXPECT_EQ(first.reply()->status, 201u);
  EXPECT_EQ(second.exchange(good_request()).status, 201u);
  EXPECT_EQ(harness.server().inflight_bytes(), 0u);
}

TEST(HttpConnection, BodiesOnTheirWayCountAsInFlight) {
  HttpHarness harness(setup_with([](HttpOptions& options) { options.max_inflight_bytes = 100000; }));
  EXPECT_EQ(answer_to(harness, head("Content-Length: 90000\r\n") + std::string(60000, ' ')), "503");
  EXPECT_EQ(answer_to(harness, head("Transfer-Encoding: chunked\r\n") + chunk(std::string(60000, ' '))), "503 closed");
  harness.wait_for_metric("eventgate_connections{", "0");
  EXPECT_EQ(harness.server().inflight_bytes(), 0u);
}

// Hasty.

TEST(HttpConnection, HastyIsAnsweredBeforeItIsProduced) {
  HttpHarness harness;
  harness.hold_records();
  HttpClient client = harness.client();
  const std::string event = kGoodEvent;
  const HttpReply reply = client.post("/v1/events?hasty=true", "[" + event + "," + event + "]");
  EXPECT_EQ(reply.status, 202u);
  EXPECT_EQ(reply.reason, "2 events hastily received.");
  harness.wait_for_records(2);
  EXPECT_EQ(harness.sink->records[0].assurance, Assurance::hasty);
  EXPECT_EQ(harness.server().inflight_bytes(), 2 * (2 * event.size() + 3) + 2 * 300);
  EXPECT_EQ(client.exchange(http_request("GET", "/robots.txt")).status, 200u);
}

// Routes.

TEST(HttpConnection, WrongMethodsSayWhatIsAllowed) {
  HttpHarness harness;
  HttpClient client = harness.client();
  for (const std::string method : {"GET", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"}) {
    const HttpReply reply = client.exchange(http_request(method, "/v1/events"));
    EXPECT_EQ(reply.status, 405u) << method;
    EXPECT_EQ(reply.header("allow"), "POST") << method;
    EXPECT_EQ(json::parse(reply.body)["method"], method);
  }
  EXPECT_EQ(client.exchange(http_request("HEAD", "/v1/events"), true).status, 405u);
  const HttpReply posted = client.post("/_info", "");
  EXPECT_EQ(posted.status, 405u);
  EXPECT_EQ(posted.header("allow"), "GET,HEAD");
  EXPECT_EQ(client.exchange("CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n").status, 405u);
}

TEST(HttpConnection, OptionsSayWhatIsAllowed) {
  HttpHarness harness;
  HttpClient client = harness.client();
  const HttpReply reply = client.exchange(http_request("OPTIONS", "/v1/events"));
  EXPECT_EQ(reply.status, 200u);
  EXPECT_EQ(reply.header("allow"), "POST");
  EXPECT_EQ(reply.header("access-control-allow-methods"), "post");
  EXPECT_EQ(reply.body, "POST");
  EXPECT_EQ(client.exchange(http_request("OPTIONS", "/_info")).header("allow"), "GET,HEAD");
  EXPECT_EQ(client.exchange(http_request("OPTIONS", "/nope")).status, 404u);
}

TEST(HttpConnection, UnknownPathsAreProblems) {
  HttpHarness harness;
  HttpClient client = harness.client();
  const HttpReply reply = client.get("/<b>x\"?y");
  EXPECT_EQ(reply.status, 404u);
  EXPECT_EQ(reply.header("x-frame-options"), "SAMEORIGIN");
  EXPECT_EQ(json::parse(reply.body)["uri"], "/<b>x\"?y");
  EXPECT_EQ(client.post("/v2/events", "{").status, 404u);
}

TEST(HttpConnection, BadEscapesAreMalformedInThePathAndTakenInTheQuery) {
  HttpHarness harness;
  EXPECT_EQ(kept_answer_to(harness, http_request("GET", "/%zz")), "400 Bad Request");
  EXPECT_EQ(kept_answer_to(harness, http_request("POST", "/v1/%zevents", kGoodEvent, kJson)), "400 Bad Request");
  EXPECT_EQ(harness.records(), 0u);
  EXPECT_EQ(kept_answer_to(harness, http_request("POST", "/v1/events?a=%2", kGoodEvent, kJson)),
            std::string("201 ") + kAccepted);
}

TEST(HttpConnection, TestEventsAreProcessedIfConfigured) {
  HttpHarness::Setup setup;
  setup.api.test_events = std::string("[") + kGoodEvent + "]";
  HttpHarness harness(std::move(setup));
  HttpClient client = harness.client();
  EXPECT_EQ(client.get("/v1/_test/events").reason, kAccepted);
  EXPECT_EQ(client.get("/v1/_test/events?hasty=1").status, 202u);
  harness.wait_for_records(2);
  EXPECT_EQ(client.post("/v1/_test/events", "").status, 405u);
  const HttpReply head = client.exchange(http_request("HEAD", "/v1/_test/events"), true);
  EXPECT_EQ(head.status, client.get("/v1/_test/events").status);
  EXPECT_EQ(HttpHarness().client().get("/v1/_test/events").status, 404u);
}

// What RFC 9112 forbids and the original takes.

/// The status of the answer to `bytes`, which come on a connection of their own; 0 if it ends without one.
unsigned status_of(const HttpHarness& harness, const std::string& bytes) {
  HttpClient client = harness.client();
  client.send(bytes);
  const auto reply = client.reply();
  return reply ? reply->status : 0;
}

TEST(HttpConnection, WhatCannotBecomeARequestIsRefusedAtOnce) {
  HttpHarness::Setup setup;
  setup.http.header_timeout = std::chrono::hours(1);
  setup.http.request_timeout = std::chrono::hours(1);
  const HttpHarness harness(std::move(setup));
  const std::string post = "POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
  const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  for (const std::string& bytes : {std::string("GET / \r\n"), std::string("GET / HTTP/1.1\nHost: a\n"),
                                   post + "X-A: b\n", post + "X-A: b\r\n c", chunked + "1\n", chunked + "1;a\n",
                                   chunked + "xy", chunked + "1;\x01", chunked + "0\r\nA: \x7f", chunked + "0\r\n A"})
    EXPECT_EQ(status_of(harness, bytes), 400u) << bytes;
}

TEST(HttpConnection, FoldedLinesBadHostsAndCodingsBehindChunkedAreRefused) {
  const HttpHarness harness;
  const std::string end = "\r\n\r\n";
  EXPECT_EQ(status_of(harness, "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c" + end), 400u);
  EXPECT_EQ(
      status_of(harness, "POST /v1/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked" + end + "0" + end),
      400u);
  EXPECT_EQ(status_of(harness, "GET /healthz HTTP/1.1\r\nHost: a b" + end), 400u);
  EXPECT_EQ(status_of(harness, "GET /healthz HTTP/1.1\r\nHost:" + end), 200u);
  EXPECT_EQ(status_of(harness, "POST /v1/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip" + end), 400u);
  EXPECT_EQ(status_of(harness, "POST /v1/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip" + end), 501u);
  EXPECT_EQ(status_of(harness, "POST /v1/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked" + end), 501u);
}

TEST(HttpConnection, AnUnknownMethodIsNotImplemented) {
  const HttpHarness harness;
  const HttpReply reply = harness.client().exchange(http_request("BREW", "/v1/events"));
  EXPECT_EQ(reply.status, 501u);
  EXPECT_EQ(reply.header("access-control-allow-origin"), "*");
  EXPECT_THAT(reply.body, HasSubstr(R"("type":"not_implemented")"));
}

TEST(HttpConnection, ExtensionsAndTrailersBeyondTheHeadersSizeAndTheBodysAreTooLarge) {
  const HttpHarness harness;
  const std::string chunked =
      "POST /v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(status_of(harness, chunked + "1;" + std::string(17000, 'x')), 413u);
  EXPECT_EQ(status_of(harness, chunked + "0\r\nA: " + std::string(17000, 'x')), 413u);
}

TEST(HttpConnection, HeadIsTakenWhereverGetIs) {
  HttpHarness::Setup setup;
  setup.live = true;
  setup.api.test_events = std::string("[") + kGoodEvent + "]";
  const HttpHarness harness(std::move(setup));
  for (const char* target :
       {"/v1/_test/events", "/healthz", "/readyz", "/live", "/v1/live", "/v1/live/schema?uri=/test/1.0.0"}) {
    const HttpReply reply = harness.client().exchange(http_request("HEAD", target), true);
    EXPECT_NE(reply.status, 405u) << target;
    EXPECT_NE(reply.status, 404u) << target;
    EXPECT_EQ(harness.client().exchange(http_request("OPTIONS", target)).header("allow"), "GET,HEAD") << target;
  }
}

TEST(HttpConnection, HealthIsNotCached) {
  const HttpHarness harness;
  for (const char* target : {"/healthz", "/readyz"})
    EXPECT_EQ(harness.client().get(target).header("cache-control"), "no-store") << target;
}

TEST(HttpConnection, AContentTypeThatIsNotReadIsNamed) {
  const HttpHarness harness;
  const HttpReply reply = harness.client().post("/v1/events", kGoodEvent, {"Content-Type: text/html; a=\"b\""});
  EXPECT_EQ(reply.status, 400u);
  EXPECT_EQ(reply.reason, "Request body was empty. Must provide JSON encoded events.");
  EXPECT_THAT(
      reply.body,
      HasSubstr(
          R"("type":"bad_request","title":"Bad Request","detail":"Content-Type is \"text/html; a=\\\"b\\\"\": expected)"));
  EXPECT_LT(harness.client().post("/v1/events", kGoodEvent, {"Content-Type: " + std::string(9000, 'x')}).body.size(),
            1000u);
  EXPECT_EQ(harness.client().post("/v1/events", "", {"Content-Type: text/html"}).body, "");
}

TEST(HttpConnection, ABodyWithoutContentTypeIsReadIfItBeginsAsJson) {
  const HttpHarness harness;
  EXPECT_EQ(harness.client().post("/v1/events", std::string("\xef\xbb\xbf \n") + kGoodEvent, {}).status, 201u);
  EXPECT_EQ(harness.client().post("/v1/events", "[", {}).status, 400u);
  const HttpReply reply = harness.client().post("/v1/events", "hello", {});
  EXPECT_EQ(reply.status, 400u);
  EXPECT_EQ(reply.reason, "Request body was empty. Must provide JSON encoded events.");
  EXPECT_THAT(reply.body, HasSubstr("There is no Content-Type"));
}

TEST(HttpConnection, AConnectionThatPipelinesGivesWayToOthers) {
  // One I/O thread, and one connection with more requests than are served in a row: what is asked later on another
  // connection is answered before the last of them.
  const HttpHarness harness;
  HttpClient busy = harness.client();
  HttpClient other = harness.client();
  other.get("/healthz");
  std::string requests;
  constexpr int kRequests = 20000;
  for (int i = 0; i < kRequests; ++i) requests += http_request("GET", "/healthz");
  std::thread sender([&] { busy.send(requests); });
  std::atomic<int> answered{0};
  std::thread reader([&] {
    while (answered < kRequests && busy.reply()) ++answered;
  });
  while (answered == 0) std::this_thread::yield();
  EXPECT_EQ(other.get("/healthz").status, 200u);
  EXPECT_LT(answered, kRequests);
  sender.join();
  reader.join();
  EXPECT_EQ(answered, kRequests);
}

// Metrics.

TEST(HttpConnection, RequestsAreCountedByRoute) {
  HttpHarness harness;
  HttpClient client = harness.client();
  client.exchange(good_request());
  client.get("/_info/name");
  client.get("/nope");
  client.post("/_info", "");
  client.get("/");
  client.get("/robots.txt");  // The one before is counted by now.
  const auto count = [&](const std::string& labels) {
    return harness.metric("express_router_request_duration_seconds_count{service=\"test\"," + labels + "}");
  };
  EXPECT_EQ(count(R"(method="POST",path="v1/events",status="201")"), "1");
  EXPECT_EQ(count(R"(method="GET",path="_info/name",status="200")"), "1");
  EXPECT_EQ(count(R"(method="POST",path="_info",status="405")"), "1");
  EXPECT_EQ(count(R"(method="GET",path="root",status="404")"), "1");
  EXPECT_THAT(harness.metrics.text(), testing::Not(HasSubstr("nope")));
  EXPECT_EQ(harness.metric("eventgate_received_bytes_total{"), std::to_string(std::string(kGoodEvent).size()));
}

}  // namespace
}  // namespace eventgate
