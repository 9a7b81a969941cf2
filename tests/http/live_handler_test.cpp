#include "http/live_handler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "http/pages.hpp"
#include "http/request_parser.hpp"

namespace eventgate {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using std::chrono::steady_clock;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kToken = "0123456789abcdef";

/// Who asks, for what.
struct Asked {
  std::string target = "/v1/live";
  std::vector<std::string> headers = {"Host: 127.0.0.1:8192"};
  std::string remote_address = "127.0.0.1";
  std::string version = "1.1";
  bool stopping = false;
};

struct Answered {
  Response response;
  std::optional<LiveView> view;

  std::string detail() const { return json::parse(response.body).at("detail"); }
};

/// A handler with its feed.
class Handler {
 public:
  explicit Handler(const std::string& token = "") : handler_(options(token), &feed) {}

  Answered ask(const Asked& asked) {
    std::string bytes = "GET " + asked.target + " HTTP/" + asked.version + "\r\n";
    for (const std::string& header : asked.headers) bytes += header + "\r\n";
    bytes += "\r\n";
    Request request;
    RequestParser parser(request, 16384, 100);
    boost::system::error_code error;
    parser.parse(bytes, error);
    EXPECT_FALSE(error) << error.message();
    const Target target = Router(false, false, true).find(request.target());
    Answered answered;
    if (target.route == Route::live_schema) {
      std::string uri;
      if (auto refused = handler_.schema_refusal(request, parse_query(target.query), asked.remote_address, uri)) {
        EXPECT_TRUE(refused->own_origin_only);
        answered.response = *std::move(refused);
      }
      return answered;
    }
    answered.response = handler_.answer(request, target.route, parse_query(target.query), asked.remote_address,
                                        asked.stopping, answered.view);
    EXPECT_EQ(answered.response.endless, answered.view.has_value());
    EXPECT_TRUE(answered.response.own_origin_only);
    return answered;
  }

  unsigned status(const Asked& asked) { return ask(asked).response.status; }

  LiveFeed feed;

 private:
  static HttpOptions options(const std::string& token) {
    HttpOptions made;
    made.live_token = token;
    return made;
  }

  LiveHandler handler_;
};

constexpr const char* kSchema = "/v1/live/schema?uri=/a";

Asked page(std::vector<std::string> headers = {"Host: localhost"}) { return {"/live", std::move(headers)}; }

void add(LiveFeed& feed, std::string_view text, LiveOutcome outcome = LiveOutcome::accepted,
         std::string_view stream = "test.event") {
  LiveEvent event;
  event.received_at = 1795315146102;
  event.text = text;
  event.stream = stream;
  event.outcome = outcome;
  feed.add({&event, 1});
}

std::string sent(LiveView& view, steady_clock::time_point now = {}) {
  std::string out;
  view.append(out, now);
  return out;
}

/// The data of the events in `sent`.
std::vector<json> data_of(const std::string& sent) {
  std::vector<json> all;
  for (std::size_t at = 0; (at = sent.find("\ndata: ", at)) != std::string::npos; ++at)
    all.push_back(json::parse(sent.substr(at + 7, sent.find('\n', at + 7) - at - 7)));
  return all;
}

std::vector<std::string> events_of(const std::string& sent) {
  std::vector<std::string> all;
  for (const json& data : data_of(sent))
    if (data.contains("event")) all.push_back(data["event"]);
  return all;
}

// Who may look on.

TEST(LiveHandler, WithoutATokenOnlyThisHostMayLookOn) {
  Handler handler;
  for (const std::string address : {"127.0.0.1", "127.9.9.9", "::1"}) {
    EXPECT_EQ(handler.status({.remote_address = address}), 200u) << address;
    EXPECT_EQ(handler.status({.target = "/live", .remote_address = address}), 200u) << address;
    EXPECT_EQ(handler.status({.target = kSchema, .remote_address = address}), 200u) << address;
  }
  for (const std::string address : {"192.0.2.7", "10.0.0.1", "::2", "2001:db8::1", "1.127.0.0", ""}) {
    EXPECT_EQ(handler.status({.remote_address = address}), 403u) << address;
    EXPECT_EQ(handler.status({.target = "/live", .remote_address = address}), 403u) << address;
    EXPECT_EQ(handler.status({.target = kSchema, .remote_address = address}), 403u) << address;
  }
  EXPECT_THAT(handler.ask({.remote_address = "192.0.2.7"}).detail(), HasSubstr("Set live_token"));
}

TEST(LiveHandler, AProxyOnThisHostDoesNotOpenItToOthers) {
  Handler handler;
  for (const std::string header :
       {"X-Forwarded-For: 127.0.0.1", "Forwarded: for=192.0.2.60", "X-Real-IP: 192.0.2.7", "Via: 1.1 proxy",
        "X-Forwarded-Host: example.org", "X-Forwarded-Proto: https", "X-Client-IP: 192.0.2.7", "x-forwarded-for:"}) {
    EXPECT_EQ(handler.status({.headers = {"Host: localhost", header}}), 403u) << header;
    EXPECT_EQ(handler.status(page({"Host: localhost", header})), 403u) << header;
    EXPECT_EQ(handler.status({kSchema, {"Host: localhost", header}}), 403u) << header;
  }
  // What some proxies speak, and no browser.
  EXPECT_EQ(handler.status({.version = "1.0"}), 403u);
}

TEST(LiveHandler, ANameThatOthersMayPointHereIsNoHost) {
  Handler handler;
  for (const std::string host :
       {"localhost", "LOCALHOST:8192", "gate.localhost", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8192"}) {
    EXPECT_EQ(handler.status({.headers = {"Host: " + host}}), 200u) << host;
    EXPECT_EQ(handler.status(page({"Host: " + host})), 200u) << host;
  }
  for (const std::string host :
       {"evil.example", "evil.example:8192", "127.0.0.1.evil.example", "localhost.evil.example", "evillocalhost",
        "192.0.2.7", "[::2]", "[::1]x", "0.0.0.0", ""}) {
    EXPECT_EQ(handler.status({.headers = {"Host: " + host}}), 403u) << host;
    EXPECT_EQ(handler.status(page({"Host: " + host})), 403u) << host;
    EXPECT_EQ(handler.status({kSchema, {"Host: " + host}}), 403u) << host;
  }
}

TEST(LiveHandler, PagesOfOtherOriginsMayNot) {
  for (const char* const token : {"", kToken}) {
    Handler handler(token);
    const auto status = [&](std::vector<std::string> headers) {
      headers.insert(headers.end(), {"Host: localhost:8192", "Authorization: Bearer " + std::string(kToken)});
      const unsigned of_schema = handler.status({kSchema, headers});
      const unsigned of_feed = handler.status({.headers = std::move(headers)});
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

TEST(LiveHandler, WithATokenWhoeverHasItMayLookOn) {
  Handler handler(kToken);
  const auto ask = [&](const std::string& authorization) {
    return handler.ask({.headers = {"Host: gate.example.org", "X-Forwarded-For: 192.0.2.7", authorization},
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
    EXPECT_EQ(answered.response.fields, "www-authenticate: Bearer\r\n");
    EXPECT_THAT(answered.detail(), AllOf(HasSubstr("live_token"), Not(HasSubstr(kToken))));
  }
  // Loopback needs it too, and it does not count in the query.
  EXPECT_EQ(handler.status({}), 401u);
  EXPECT_EQ(handler.status({.target = kSchema}), 401u);
  EXPECT_EQ(handler.status({.target = "/v1/live?token=0123456789abcdef"}), 401u);
}

TEST(LiveHandler, ThePageThatAsksForTheTokenNeedsNone) {
  Handler handler(kToken);
  EXPECT_EQ(handler.status({.target = "/live", .headers = {"Host: gate.example.org"}, .remote_address = "192.0.2.1"}),
            200u);
}

// The page.

TEST(LiveHandler, ThePagesPolicyNamesItsScriptAndStylesAndNothingElse) {
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

TEST(LiveHandler, ThePageMakesNoMarkupOfStrings) {
  for (const char* const sink : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "srcdoc",
                                 "DOMParser", "setHTML", "createContextualFragment", " style=", " onclick="})
    EXPECT_EQ(kLivePage.find(sink), std::string_view::npos) << sink;
}

// The query.

TEST(LiveHandler, ABadFilterSaysWhatWasExpected) {
  Handler handler;
  const std::vector<std::pair<std::string, std::string>> cases{
      {"?outcome=bad", "`outcome` is \"bad\": expected accepted, invalid, error, or refused"},
      {"?outcome=accepted&outcome=error", "`outcome` is there twice"},
      {"?stream=a&stream=", "`stream` is there twice"},
      {"?streem=a", "There is no parameter \"streem\": expected `stream` and `outcome`"},
      {"?", ""}};
  for (const auto& [query, detail] : cases) {
    const Answered answered = handler.ask({.target = "/v1/live" + query});
    EXPECT_EQ(answered.response.status, detail.empty() ? 200u : 400u) << query;
    if (answered.response.status == 400) {
      EXPECT_THAT(answered.detail(), HasSubstr(detail));
    }
  }
}

TEST(LiveHandler, FilterIsOfStreamAndOutcome) {
  Handler handler;
  add(handler.feed, "1");
  add(handler.feed, "2", LiveOutcome::invalid);
  add(handler.feed, "3", LiveOutcome::error, "a/b c");
  const auto events = [&](const std::string& query) {
    Answered answered = handler.ask({.target = "/v1/live" + query});
    return answered.view ? events_of(sent(*answered.view)) : std::vector<std::string>{"none"};
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

TEST(LiveHandler, LastEventIdSaysWhereToGoOn) {
  Handler handler;
  for (const char* const text : {"1", "2", "3"}) add(handler.feed, text);
  const auto events = [&](const std::string& id) {
    Answered answered = handler.ask({.headers = {"Host: localhost", "Last-Event-ID: " + id}});
    return answered.view ? events_of(sent(*answered.view))
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

TEST(LiveHandler, ViewersAreBounded) {
  Handler handler;
  std::vector<Answered> viewers;
  for (std::size_t i = 0; i < LiveView::kMaxViewers; ++i) viewers.push_back(handler.ask({}));
  EXPECT_EQ(viewers.back().response.status, 200u);
  const Answered beyond = handler.ask({});
  EXPECT_EQ(beyond.response.status, 503u);
  EXPECT_EQ(beyond.response.fields, "retry-after: 10\r\n");
  EXPECT_THAT(beyond.detail(), HasSubstr("There are 16 viewers already"));
  EXPECT_EQ(handler.status(page()), 200u);
  viewers.pop_back();
  EXPECT_EQ(handler.status({}), 200u);
}

TEST(LiveHandler, NobodyBeginsToLookOnWhileTheServerStops) { EXPECT_EQ(Handler().status({.stopping = true}), 503u); }

// What a viewer is sent.

TEST(LiveView, AnEventIsWhatIsKnownOfIt) {
  Handler handler;
  EventStatus status;
  status.message = "";
  status.errors.push_back({"type", ".a", "#/properties/a/type", R"({"type":"string"})", "should be string"});
  // Four characters of one, two, three and four bytes: UTF-16 has five units for them.
  const std::string text = "{\"k\":\"a\xc3\xa4\xe2\x82\xac\xf0\x9f\xa6\xa2\",\"x\":1}";
  const auto at = static_cast<std::uint32_t>(text.find(",\"x\""));
  const std::vector<TextRange> added{{0, 1}, {at, at + 6}};
  LiveEvent event;
  event.received_at = 1795315146102;
  event.outcome = LiveOutcome::invalid;
  event.hasty = true;
  event.stream = "s\n\n";
  event.query = R"([["a","b"]])";
  event.text = text;
  event.added = added;
  event.status = &status;
  handler.feed.add({&event, 1});
  Answered answered = handler.ask({});
  const std::string all = sent(*answered.view);
  EXPECT_THAT(all, StartsWith("retry: 2000\n\nid: " + std::to_string(handler.feed.epoch()) + "-1\ndata: {"));
  ASSERT_EQ(data_of(all).size(), 1u);
  EXPECT_EQ(data_of(all)[0], json({{"outcome", "invalid"},
                                   {"hasty", true},
                                   {"received_at", "2026-11-22T02:39:06.102Z"},
                                   {"stream", "s\n\n"},
                                   {"schema_uri", nullptr},
                                   {"event", text},
                                   {"added", {{0, 1}, {12, 18}}},
                                   {"query", json::array({json::array({"a", "b"})})},
                                   {"errors",
                                    {{{"keyword", "type"},
                                      {"dataPath", ".a"},
                                      {"schemaPath", "#/properties/a/type"},
                                      {"params", {{"type", "string"}}},
                                      {"message", "should be string"}}}},
                                   {"message", "'.a' should be string"}}));
}

TEST(LiveView, AViewerThatIsTooSlowIsToldHowManyItMissed) {
  Handler handler;
  add(handler.feed, "first");
  Answered answered = handler.ask({});
  EXPECT_THAT(events_of(sent(*answered.view)), ElementsAre("first"));
  for (std::size_t i = 0; i < LiveFeed::kMaxEvents + 5; ++i) add(handler.feed, "later");
  const std::string all = sent(*answered.view);
  EXPECT_THAT(all, StartsWith("event: dropped\ndata: {\"dropped\":5}\n\n"));
  // A piece at a time, and the rest when that is sent.
  std::size_t count = events_of(all).size();
  for (std::string more; !(more = sent(*answered.view)).empty();) {
    EXPECT_EQ(more.find("dropped"), std::string::npos);
    EXPECT_LT(more.size(), 512u * 1024);
    count += events_of(more).size();
  }
  EXPECT_EQ(count, LiveFeed::kMaxEvents);
}

TEST(LiveView, HeartbeatsTellWhereTheViewerIs) {
  Handler handler;
  Answered answered = handler.ask({.target = "/v1/live?stream=other"});
  const steady_clock::time_point start{};
  EXPECT_EQ(sent(*answered.view, start), "retry: 2000\n\n");
  add(handler.feed, "of another stream");
  EXPECT_EQ(sent(*answered.view, start + 14s), "");
  const std::string heartbeat = ": heartbeat\nid: " + std::to_string(handler.feed.epoch()) + "-1\n\n";
  EXPECT_EQ(sent(*answered.view, start + 15s), heartbeat);
  EXPECT_EQ(sent(*answered.view, start + 16s), "");
  add(handler.feed, "1", LiveOutcome::accepted, "other");
  EXPECT_THAT(events_of(sent(*answered.view, start + 20s)), ElementsAre("1"));
  EXPECT_EQ(sent(*answered.view, start + 34s), "");
  EXPECT_THAT(sent(*answered.view, start + 35s), StartsWith(": heartbeat\n"));
}

}  // namespace
}  // namespace eventgate
