#include "api/live_endpoints.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "api/live_counts_endpoints.hpp"
#include "api/pages.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "live_feed_events.hpp"
#include "support/fake_exchange.hpp"
#include "support/fake_object_reader.hpp"

namespace eventgate {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kToken = "0123456789abcdef";
constexpr const char* kEvents = "/v1/live";

using Asked = FakeExchange::Setup;

struct Answered {
  Response response;
  std::string streamed;  ///< What the stream sent before its first wait.
  bool is_stream = false;

  std::string detail() const { return json::parse(response.body).at("detail"); }
};

/// A schema repository without schemas.
class EmptyRepository {
 public:
  SchemaRepository& schemas() { return schemas_; }

 private:
  static SchemaOptions options() {
    SchemaOptions made;
    made.schema_base_uris = {"/schemas"};
    return made;
  }
  Metrics metrics_{"test"};
  Telemetry telemetry_{metrics_};
  SchemaRepository schemas_{options(), std::make_shared<FakeObjectReader>(), telemetry_};
};

/// The live endpoints with their feed.
class Handler {
 public:
  explicit Handler(const std::string& token = "") : access_(std::make_shared<const LiveAccess>(token)) {}

  Answered ask(Asked asked) {
    FakeExchange exchange(std::move(asked));
    Reply reply = exchange.run(endpoint(exchange.request().target()));
    Answered answered{std::move(reply.response), exchange.streamed, exchange.stream_head.has_value()};
    if (answered.is_stream) answered.response = *std::move(exchange.stream_head);
    EXPECT_EQ(answered.response.streaming, answered.is_stream);
    EXPECT_TRUE(answered.response.own_origin_only);
    return answered;
  }

  /// Returns the status. A request for a schema that may see it gets 404, as no schema is in use: that counts as 200.
  unsigned status(const Asked& asked) {
    const Answered answered = ask(asked);
    const bool may_see = answered.response.rejection_cause == "live_schema" && answered.response.status == 404;
    return may_see ? 200 : answered.response.status;
  }

  LiveEventsEndpoint& events() { return events_; }

  LiveFeed feed;

 private:
  Endpoint& endpoint(std::string_view target) {
    const std::string_view path = target.substr(0, target.find('?'));
    if (path == "/live") return page_;
    if (path == "/v1/live") return events_;
    if (path == "/v1/live/count") return count_;
    if (path == "/v1/live/reset") return reset_;
    if (path == "/v1/live/summary") return summary_;
    return schema_;
  }

  const std::shared_ptr<const LiveAccess> access_;
  EmptyRepository repository_;
  LivePageEndpoint page_{access_};
  LiveEventsEndpoint events_{access_, feed, 15s};
  LiveSchemaEndpoint schema_{access_, repository_.schemas(), nullptr, 1s};
  LiveCountEndpoint count_{access_, feed};
  LiveResetEndpoint reset_{access_, feed};
  LiveSummaryEndpoint summary_{access_, feed, nullptr};
};

constexpr const char* kSchema = "/v1/live/schema?uri=/a";

Asked page(std::vector<std::string> headers = {"Host: localhost"}) {
  return {.target = "/live", .headers = std::move(headers)};
}

Asked schema(std::vector<std::string> headers) { return {.target = kSchema, .headers = std::move(headers)}; }

// Access.

TEST(LiveEndpoints, WithoutATokenOnlyThisHostGetsEvents) {
  Handler handler;
  for (const std::string address : {"127.0.0.1", "127.9.9.9", "::1"}) {
    EXPECT_EQ(handler.status({.target = kEvents, .remote_address = address}), 200u) << address;
    EXPECT_EQ(handler.status({.target = "/live", .remote_address = address}), 200u) << address;
    EXPECT_EQ(handler.status({.target = kSchema, .remote_address = address}), 200u) << address;
  }
  for (const std::string address : {"192.0.2.7", "10.0.0.1", "::2", "2001:db8::1", "1.127.0.0", ""}) {
    EXPECT_EQ(handler.status({.target = kEvents, .remote_address = address}), 403u) << address;
    EXPECT_EQ(handler.status({.target = "/live", .remote_address = address}), 403u) << address;
    EXPECT_EQ(handler.status({.target = kSchema, .remote_address = address}), 403u) << address;
  }
  EXPECT_THAT(handler.ask({.target = kEvents, .remote_address = "192.0.2.7"}).detail(), HasSubstr("Set live_token"));
}

TEST(LiveEndpoints, RequestThroughAProxyIsRejected) {
  Handler handler;
  for (const std::string header :
       {"X-Forwarded-For: 127.0.0.1", "Forwarded: for=192.0.2.60", "X-Real-IP: 192.0.2.7", "Via: 1.1 proxy",
        "X-Forwarded-Host: example.org", "X-Forwarded-Proto: https", "X-Client-IP: 192.0.2.7", "x-forwarded-for:",
        "X-FORWARDED-Anything: 1", "X-Forwarded: 1", "X-Envoy-External-Address: 192.0.2.7", "x-envoy-internal: true",
        "True-Client-IP: 192.0.2.7", "Fastly-Client-IP: 192.0.2.7", "CF-Connecting-IP: 192.0.2.7"}) {
    EXPECT_EQ(handler.status({.target = kEvents, .headers = {"Host: localhost", header}}), 403u) << header;
    EXPECT_EQ(handler.status(page({"Host: localhost", header})), 403u) << header;
    EXPECT_EQ(handler.status(schema({"Host: localhost", header})), 403u) << header;
  }
  for (const std::string header : {"X-Request-Id: 1", "X-Forward: 1", "Client-IP-Hint: 1", "Viable: 1", "X-Envoy: 1"})
    EXPECT_EQ(handler.status({.target = kEvents, .headers = {"Host: localhost", header}}), 200u) << header;
  // Some proxies speak HTTP/1.0, and no browser does.
  EXPECT_EQ(handler.status({.target = kEvents, .version = "1.0"}), 403u);
}

TEST(LiveEndpoints, HostOtherThanLoopbackIsRejected) {
  Handler handler;
  for (const std::string host :
       {"localhost", "LOCALHOST:8192", "gate.localhost", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8192"}) {
    EXPECT_EQ(handler.status({.target = kEvents, .headers = {"Host: " + host}}), 200u) << host;
    EXPECT_EQ(handler.status(page({"Host: " + host})), 200u) << host;
  }
  for (const std::string host :
       {"evil.example", "evil.example:8192", "127.0.0.1.evil.example", "localhost.evil.example", "evillocalhost",
        "192.0.2.7", "[::2]", "[::1]x", "0.0.0.0", ""}) {
    EXPECT_EQ(handler.status({.target = kEvents, .headers = {"Host: " + host}}), 403u) << host;
    EXPECT_EQ(handler.status(page({"Host: " + host})), 403u) << host;
    EXPECT_EQ(handler.status(schema({"Host: " + host})), 403u) << host;
  }
}

TEST(LiveEndpoints, PageOfAnotherOriginIsRejected) {
  for (const char* const token : {"", kToken}) {
    Handler handler(token);
    const auto status = [&](std::vector<std::string> headers) {
      headers.insert(headers.end(), {"Host: localhost:8192", "Authorization: Bearer " + std::string(kToken)});
      const unsigned of_schema = handler.status(schema(headers));
      const unsigned of_feed = handler.status({.target = kEvents, .headers = std::move(headers)});
      EXPECT_EQ(of_schema, of_feed);
      return of_feed;
    };
    EXPECT_EQ(status({"Origin: http://localhost:8192", "Sec-Fetch-Site: same-origin"}), 200u);
    EXPECT_EQ(status({"Sec-Fetch-Site: none"}), 200u);
    EXPECT_EQ(status({"Origin: http://evil.example"}), 403u);
    EXPECT_EQ(status({"Origin: http://localhost:8193"}), 403u);
    EXPECT_EQ(status({"Origin: null"}), 403u);
    EXPECT_EQ(status({"Sec-Fetch-Site: cross-site"}), 403u);
    EXPECT_EQ(status({"Sec-Fetch-Site: same-site"}), 403u);
  }
}

TEST(LiveEndpoints, ClientWithTheTokenGetsEvents) {
  Handler handler(kToken);
  const auto ask = [&](const std::string& authorization) {
    return handler.ask({.target = kEvents,
                        .headers = {"Host: gate.example.org", "X-Forwarded-For: 192.0.2.7", authorization},
                        .remote_address = "192.0.2.1"});
  };
  EXPECT_EQ(ask("Authorization: Bearer 0123456789abcdef").response.status, 200u);
  EXPECT_EQ(ask("authorization: bearer 0123456789abcdef").response.status, 200u);
  for (const std::string wrong : {"X: y", "Authorization: Bearer", "Authorization: Bearer 0123456789abcdeF",
                                  "Authorization: Bearer 0123456789abcde", "Authorization: Bearer 0123456789abcdeff",
                                  "Authorization: Bearer 0123456789abcdef0123456789abcdef",
                                  "Authorization: Basic 0123456789abcdef", "Authorization: 0123456789abcdef"}) {
    const Answered answered = ask(wrong);
    EXPECT_EQ(answered.response.status, 401u) << wrong;
    EXPECT_EQ(answered.response.extra_headers, "www-authenticate: Bearer\r\n");
    EXPECT_THAT(answered.detail(), AllOf(HasSubstr("live_token"), Not(HasSubstr(kToken))));
  }
  // A client on this host needs the token too, and a token in the query is ignored.
  EXPECT_EQ(handler.status({.target = kEvents}), 401u);
  EXPECT_EQ(handler.status({.target = kSchema}), 401u);
  EXPECT_EQ(handler.status({.target = "/v1/live?token=0123456789abcdef"}), 401u);
}

TEST(LiveEndpoints, PageNeedsNoToken) {
  Handler handler(kToken);
  EXPECT_EQ(handler.status({.target = "/live", .headers = {"Host: gate.example.org"}, .remote_address = "192.0.2.1"}),
            200u);
}

TEST(LiveEndpoints, CountsAndResetAreUnderTheRulesOfTheEvents) {
  for (const std::string path : {"/v1/live/count", "/v1/live/summary", "/v1/live/reset"}) {
    const std::string method = path == "/v1/live/reset" ? "POST" : "GET";
    const unsigned ok = method == "POST" ? 204 : 200;
    Handler handler;
    const auto status = [&](std::vector<std::string> headers, const std::string& address = "127.0.0.1") {
      return handler.status(
          {.method = method, .target = path, .headers = std::move(headers), .remote_address = address});
    };
    EXPECT_EQ(status({"Host: localhost"}), ok) << path;
    EXPECT_EQ(status({"Host: localhost"}, "192.0.2.7"), 403u) << path;
    EXPECT_EQ(status({"Host: evil.example"}), 403u) << path;
    EXPECT_EQ(status({"Host: localhost", "Via: 1.1 proxy"}), 403u) << path;
    EXPECT_EQ(status({"Host: localhost", "Origin: http://evil.example"}), 403u) << path;
    EXPECT_EQ(status({"Host: localhost", "Sec-Fetch-Site: cross-site"}), 403u) << path;
    EXPECT_EQ(handler.status({.method = method, .target = path + "?no=1"}), 400u) << path;
    Handler with_token(kToken);
    EXPECT_EQ(with_token.status({.method = method, .target = path}), 401u) << path;
    EXPECT_EQ(with_token.status({.method = method,
                                 .target = path,
                                 .headers = {"Host: gate.example.org", "Authorization: Bearer 0123456789abcdef"},
                                 .remote_address = "192.0.2.1"}),
              ok)
        << path;
  }
}

// Counts.

TEST(LiveEndpoints, CountIsOfTheNamesAndOutcomesAskedFor) {
  Handler handler;
  add_live_event(handler.feed, "1");
  add_live_event(handler.feed, "2", LiveOutcome::invalid);
  add_live_event(handler.feed, "3", LiveOutcome::error, "other");
  add_live_event(handler.feed, "4", LiveOutcome::rejected, "");
  handler.feed.begin(2);
  const auto count = [&](const std::string& query) {
    return handler.ask({.target = "/v1/live/count" + query}).response.body;
  };
  EXPECT_EQ(count(""), R"({"accepted":1,"invalid":1,"error":1,"rejected":1,"in_flight":2})");
  EXPECT_EQ(count("?stream=test.event"), R"({"accepted":1,"invalid":1,"error":0,"rejected":0,"in_flight":2})");
  EXPECT_EQ(count("?stream=test.event&schema=/no"),
            R"({"accepted":0,"invalid":0,"error":0,"rejected":0,"in_flight":2})");
  EXPECT_EQ(count("?outcome=refused"), R"({"accepted":0,"invalid":1,"error":1,"rejected":1,"in_flight":2})");
  handler.feed.end(2);
  EXPECT_EQ(handler.ask({.method = "POST", .target = "/v1/live/reset"}).response.status, 204u);
  EXPECT_EQ(count(""), R"({"accepted":0,"invalid":0,"error":0,"rejected":0,"in_flight":0})");
  EXPECT_THAT(live_event_texts(handler.ask({.target = kEvents}).streamed), ElementsAre());
}

TEST(LiveEndpoints, SummaryHasTotalsSecondsStreamsAndReasons) {
  Handler handler;
  add_live_event(handler.feed, "1");
  LiveEvent event;
  event.received_at = 1795315147102;
  event.outcome = LiveOutcome::error;
  event.stream = "test.event";
  event.schema_uri = "/test/1.0.0";
  event.cause = "key";
  handler.feed.add({&event, 1});
  json summary = json::parse(handler.ask({.target = "/v1/live/summary"}).response.body);
  EXPECT_EQ(summary["epoch"], handler.feed.epoch());
  for (const char* const key : {"now", "since", "epoch"}) summary.erase(key);
  EXPECT_EQ(summary, json::parse(R"({
    "accepted": 1, "invalid": 0, "error": 1, "rejected": 0, "in_flight": 0, "kept": 2, "last": 2,
    "seconds": [[1795315146, 1, 0, 0, 0], [1795315147, 0, 0, 1, 0]],
    "streams": [{"accepted": 1, "invalid": 0, "error": 1, "rejected": 0, "stream": "test.event", "declared": false,
                 "schema_title": null, "schemas": ["/test/1.0.0"], "last": "2026-11-22T02:39:07.102Z"}],
    "reasons": [{"outcome": "error", "schema_uri": "/test/1.0.0", "reason": "key", "path": "", "count": 1,
                 "last": "2026-11-22T02:39:07.102Z"}],
    "unlisted": 0, "unlisted_reasons": 0})"));
}

// The page.

TEST(LiveEndpoints, BrowserOnAnotherHostGetsAPageThatSaysHowToGetIn) {
  Handler handler;
  const auto ask = [&](const std::string& accept) {
    return handler
        .ask({.target = "/live", .headers = {"Host: gate.example.org", accept}, .remote_address = "192.0.2.7"})
        .response;
  };
  const Response html = ask("Accept: text/html,application/xhtml+xml,*/*;q=0.8");
  EXPECT_EQ(html.status, 403u);
  EXPECT_EQ(html.content_type, kHtmlType);
  EXPECT_THAT(html.body, AllOf(StartsWith("<!DOCTYPE html>"), HasSubstr("live_token"), HasSubstr("ssh -L")));
  EXPECT_THAT(std::string(html.policy),
              AllOf(StartsWith("default-src 'none'; script-src 'sha256-"), Not(HasSubstr("unsafe"))));
  EXPECT_EQ(html.rejection_cause, "live_not_loopback");
  for (const char* const other : {"Accept: */*", "Accept: application/json", "Accept: text/html;q=0", "X: y"})
    EXPECT_EQ(ask(other).content_type, kJsonType) << other;
}

TEST(LiveEndpoints, PolicyOfThePageHasOnlyTheHashesOfItsScriptAndStyles) {
  Handler handler;
  const Response response = handler.ask(page()).response;
  EXPECT_EQ(response.body, kLivePage);
  const std::size_t begin = response.body.find("<script>") + 8;
  const std::string script = response.body.substr(begin, response.body.find("</script>") - begin);
  unsigned char digest[EVP_MAX_MD_SIZE], base64[128];
  unsigned size = 0;
  EVP_Digest(script.data(), script.size(), digest, &size, EVP_sha256(), nullptr);
  EVP_EncodeBlock(base64, digest, static_cast<int>(size));
  const std::string source = "'sha256-" + std::string(reinterpret_cast<char*>(base64)) + "'";
  EXPECT_THAT(std::string(response.policy),
              AllOf(StartsWith("default-src 'none'; script-src " + source + "; style-src 'sha256-"),
                    HasSubstr("; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
                    Not(HasSubstr("unsafe"))));
}

TEST(LiveEndpoints, PageMakesNoMarkupFromStrings) {
  for (const char* const sink : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "srcdoc",
                                 "DOMParser", "setHTML", "createContextualFragment", " style=", " onclick="})
    EXPECT_EQ(kLivePage.find(sink), std::string_view::npos) << sink;
}

// The query.

TEST(LiveEndpoints, BadFilterIs400WithWhatWasExpected) {
  Handler handler;
  const std::vector<std::pair<std::string, std::string>> cases{
      {"?outcome=bad", "There is no outcome \"bad\": expected accepted, invalid, error, rejected or refused"},
      {"?outcome=error,bad", "There is no outcome \"bad\""},
      {"?outcome=error,", "There is no outcome \"\""},
      {"?since=yesterday", "`since` is \"yesterday\": expected a time as in"},
      {"?until=1", "`until` is \"1\": expected a time as in"},
      {"?text=" + std::string(257, 'x'), "`text` has 257 bytes: expected at most 256."},
      {"?text=" + std::string(256, 'x'), ""},
      {"?outcome=accepted&outcome=error", "`outcome` is there twice"},
      {"?stream=a&stream=", "`stream` is there twice"},
      {"?streem=a", "There is no parameter \"streem\": expected `stream`, `schema`, `outcome`, `text`"},
      {"?", ""}};
  for (const auto& [query, detail] : cases) {
    const Answered answered = handler.ask({.target = "/v1/live" + query});
    EXPECT_EQ(answered.response.status, detail.empty() ? 200u : 400u) << query;
    if (answered.response.status == 400) {
      EXPECT_THAT(answered.detail(), HasSubstr(detail));
    }
  }
}

TEST(LiveEndpoints, FilterSelectsByStreamAndOutcome) {
  Handler handler;
  add_live_event(handler.feed, "1");
  add_live_event(handler.feed, "2", LiveOutcome::invalid);
  add_live_event(handler.feed, "3", LiveOutcome::error, "a/b c");
  const auto events = [&](const std::string& query) {
    Answered answered = handler.ask({.target = "/v1/live" + query});
    return answered.is_stream ? live_event_texts(answered.streamed) : std::vector<std::string>{"none"};
  };
  EXPECT_THAT(events(""), ElementsAre("1", "2", "3"));
  EXPECT_THAT(events("?stream=&outcome="), ElementsAre("1", "2", "3"));
  EXPECT_THAT(events("?outcome=accepted"), ElementsAre("1"));
  EXPECT_THAT(events("?outcome=invalid"), ElementsAre("2"));
  EXPECT_THAT(events("?outcome=error"), ElementsAre("3"));
  EXPECT_THAT(events("?outcome=refused"), ElementsAre("2", "3"));
  EXPECT_THAT(events("?stream=a%2Fb+c"), ElementsAre("3"));
  EXPECT_THAT(events("?stream=test.event&outcome=refused"), ElementsAre("2"));
}

TEST(LiveEndpoints, FilterSelectsBySchemaTextReasonAndTime) {
  Handler handler;
  EventStatus status;
  status.errors.push_back({"type", ".list[12].id", "#/x", "{}", "should be String"});
  LiveEvent event;
  event.stream = "Test.event";
  event.schema_uri = "/test/event/1.0.0";
  event.received_at = 1000;
  event.text = "1 Needle";
  handler.feed.add({&event, 1});
  event.received_at = 2000;
  event.outcome = LiveOutcome::invalid;
  event.status = &status;
  event.text = "2";
  handler.feed.add({&event, 1});
  event.received_at = 3000;
  event.outcome = LiveOutcome::error;
  event.status = nullptr;
  event.cause = "stream";
  event.schema_uri = "/test/event/2.0.0";
  event.text = "3";
  handler.feed.add({&event, 1});
  const auto events = [&](const std::string& query) {
    Answered answered = handler.ask({.target = "/v1/live" + query});
    return answered.is_stream ? live_event_texts(answered.streamed) : std::vector<std::string>{"none"};
  };
  EXPECT_THAT(events("?schema=/test/event/1.0.0"), ElementsAre("1 Needle", "2"));
  EXPECT_THAT(events("?schema=/TEST/*/2*"), ElementsAre("3"));
  EXPECT_THAT(events("?schema=/test/event"), ElementsAre());
  EXPECT_THAT(events("?stream=test.event"), ElementsAre());
  EXPECT_THAT(events("?stream=*EVENT*"), ElementsAre("1 Needle", "2", "3"));
  EXPECT_THAT(events("?text=nEEdle"), ElementsAre("1 Needle"));
  EXPECT_THAT(events("?text=be+string"), ElementsAre("2"));
  EXPECT_THAT(events("?text=event/2.0"), ElementsAre("3"));
  EXPECT_THAT(events("?reason=type"), ElementsAre("2"));
  EXPECT_THAT(events("?reason=type&path=.list[].id"), ElementsAre("2"));
  EXPECT_THAT(events("?reason=type&path=.list[12].id"), ElementsAre());
  EXPECT_THAT(events("?reason=stream"), ElementsAre("3"));
  EXPECT_THAT(events("?since=1970-01-01T00:00:02Z"), ElementsAre("2", "3"));
  EXPECT_THAT(events("?until=1970-01-01T00:00:02Z"), ElementsAre("1 Needle"));
  EXPECT_THAT(events("?outcome=accepted,error"), ElementsAre("1 Needle", "3"));
  EXPECT_THAT(events("?outcome=rejected"), ElementsAre());
}

TEST(LiveEndpoints, LastEventIdContinuesAfterThatEvent) {
  Handler handler;
  for (const char* const text : {"1", "2", "3"}) add_live_event(handler.feed, text);
  const auto events = [&](const std::string& id) {
    Answered answered = handler.ask({.target = kEvents, .headers = {"Host: localhost", "Last-Event-ID: " + id}});
    return answered.is_stream ? live_event_texts(answered.streamed)
                              : std::vector<std::string>{std::to_string(answered.response.status)};
  };
  const std::string epoch = std::to_string(handler.feed.epoch()) + "-";
  EXPECT_THAT(events(epoch + "1"), ElementsAre("2", "3"));
  EXPECT_THAT(events(epoch + "3"), ElementsAre());
  EXPECT_THAT(events(epoch + "99"), ElementsAre());
  // Of another run of the gate.
  EXPECT_THAT(events("17-2"), ElementsAre("1", "2", "3"));
  for (const std::string& bad :
       std::vector<std::string>{"x", "1", "1-", "-", epoch + "1x", epoch + "-1", "1-99999999999999999999999",
                                epoch + "18446744073709551615", "1-2-3"})
    EXPECT_THAT(events(bad), ElementsAre("400")) << bad;
}

TEST(LiveEndpoints, ViewersAreBounded) {
  Handler handler;
  std::size_t viewers = 0;
  // Each viewer asks for the next one while its own stream waits.
  const std::function<void()> look_on = [&] {
    FakeExchange viewer({.target = kEvents});
    viewer.on_wait = [&] {
      if (++viewers < LiveEventsEndpoint::kMaxViewers) {
        look_on();
      } else {
        const Answered beyond = handler.ask({.target = kEvents});
        EXPECT_EQ(beyond.response.status, 503u);
        EXPECT_EQ(beyond.response.extra_headers, "retry-after: 10\r\n");
        EXPECT_THAT(beyond.detail(), HasSubstr("There are 16 viewers already"));
        EXPECT_EQ(handler.status(page()), 200u);
      }
      return Exchange::Wake::client_left;
    };
    viewer.run(handler.events());
    EXPECT_TRUE(viewer.stream_head);
  };
  look_on();
  EXPECT_EQ(viewers, LiveEventsEndpoint::kMaxViewers);
  EXPECT_EQ(handler.status({.target = kEvents}), 200u);
}

TEST(LiveEndpoints, HeadGetsTheHeadersAlone) {
  Handler handler;
  FakeExchange exchange({.method = "HEAD", .target = kEvents});
  const Reply reply = exchange.run(handler.events());
  EXPECT_EQ(reply.response.status, 200u);
  EXPECT_TRUE(reply.response.streaming);
  EXPECT_FALSE(exchange.stream_head);
}

TEST(LiveEndpoints, NoStreamBeginsWhileTheServerStops) {
  EXPECT_EQ(Handler().status({.target = kEvents, .stopping = true}), 503u);
}

}  // namespace
}  // namespace eventgate
