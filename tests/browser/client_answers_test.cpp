// The browser client in headless Chromium, in front of a server that answers as a gate does in trouble: 503, 207, 413,
// other errors, or nothing. Each event is in the end sent, or dropped with a reason.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "client_harness.hpp"
#include "live_gate.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using Answer = StandIn::Answer;

/// Submits events named `from`, `from` + 1, ... to the client in the page.
std::string submitting(int from, int count) {
  return "for (let i = " + std::to_string(from) + "; i < " + std::to_string(from + count) +
         "; ++i) events.submit('test.event', event(String(i)));";
}

/// Waits until nothing waits any more.
constexpr const char* kAllSettled =
    "while (events.stats().waiting) await new Promise(done => setTimeout(done, 20)); return [events.stats(), drops];";

/// A reply to a batch: the elements of `invalid` and of `error`.
std::string named(const std::string& invalid, const std::string& error) {
  return R"({"invalid":[)" + invalid + R"(],"error":[)" + error + "]}";
}

std::string element(int index, const std::string& context) {
  return R"({"status":"error","event":{},"index":)" + std::to_string(index) + R"(,"context":)" + context + "}";
}

TEST(BrowserClientAnswers, AnEventThatIsNamedIsDroppedOrSentAgain) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  StandIn stand_in([](std::size_t number, const json&) {
    if (number > 0) return Answer();
    return Answer{"207 Multi-Status", "",
                  named(element(1, R"({"errorsText":"'.a' should be string"})"),
                        element(2, R"({"message":"late","delivery":"unknown"})") + "," +
                            element(3, R"({"message":"down","delivery":"not_produced"})") + "," +
                            element(4, R"({"message":"too large","delivery":"not_produced","retry":false})") + "," +
                            element(5, R"({"message":"no such stream"})"))};
  });
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  const json result =
      browser.run_async(with_client("url: '" + stand_in.url() + "'") + submitting(0, 7) +
                        "await events.flush(); const waits = events.stats().waiting;" +
                        "window.dispatchEvent(new Event('online'));"
                        "while (events.stats().waiting) await new Promise(done => setTimeout(done, 20));"
                        "return [events.stats(), drops, waits];");
  ASSERT_TRUE(result.is_array()) << result;
  EXPECT_EQ(result[0], json::parse(R"({"submitted":7,"sent":4,"waiting":0,"dropped":{"invalid":1,"error":2}})"));
  EXPECT_EQ(result[1][0]["message"], "'.a' should be string ");
  EXPECT_EQ(result[2], 2);
  const auto posts = stand_in.posts();
  ASSERT_EQ(posts.size(), 2u);
  ASSERT_EQ(posts[1].size(), 2u);
  EXPECT_EQ(posts[1][0], posts[0][2]);
  EXPECT_EQ(posts[1][1], posts[0][3]);
  EXPECT_EQ(stand_in.others(), 0u);
}

TEST(BrowserClientAnswers, AFullGateIsAskedAgainAfterTheTimeItSays) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const ClientSite site;
  WebDriver browser;
  for (const std::string status : {"503 Service Unavailable", "429 Too Many Requests"}) {
    StandIn stand_in([&](std::size_t number, const json&) {
      return number == 0 ? Answer{status, "Retry-After: 3\r\n", "{}"} : Answer();
    });
    browser.open(site.page());
    const json result = browser.run_async(with_client("url: '" + stand_in.url() + "'") + submitting(0, 3) +
                                          "const before = performance.now(); await events.flush();" +
                                          "await events.flush(); const waiting = events.stats().waiting;"
                                          "while (events.stats().waiting) await new Promise(d => setTimeout(d, 20));"
                                          "return [waiting, performance.now() - before >= 3000, events.stats()];");
    ASSERT_TRUE(result.is_array()) << result;
    EXPECT_EQ(result[0], 3) << status;
    EXPECT_EQ(result[1], true) << status;
    EXPECT_EQ(result[2]["sent"], 3) << status;
    ASSERT_EQ(stand_in.posts().size(), 2u);
    EXPECT_EQ(stand_in.posts()[0], stand_in.posts()[1]);
  }
}

TEST(BrowserClientAnswers, ALostAnswerIsSentAgainWithTheSameId) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  StandIn stand_in([](std::size_t number, const json&) {
    if (number == 0) return Answer{"", "", ""};
    if (number == 1) return Answer{"502 Bad Gateway", "", R"({"error":"Bad Gateway","invalid":[null,{}]})"};
    if (number == 2) return Answer{"207 Multi-Status", "", "{\"invalid\": ["};
    return Answer();
  });
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  const json result = browser.run_async(with_client("url: '" + stand_in.url() + "'") + submitting(0, 2) +
                                        "await events.flush();"
                                        "for (let i = 0; i < 3; ++i) { window.dispatchEvent(new Event('online'));"
                                        " await events.flush(); }" +
                                        kAllSettled);
  ASSERT_TRUE(result.is_array()) << result;
  EXPECT_EQ(result[0], json::parse(R"({"submitted":2,"sent":2,"waiting":0,"dropped":{}})"));
  const auto posts = stand_in.posts();
  ASSERT_EQ(posts.size(), 4u);
  for (const json& post : posts) EXPECT_EQ(post, posts[0]);
}

TEST(BrowserClientAnswers, ATooLargeBatchIsHalvedAndATooLargeEventDropped) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  StandIn stand_in([](std::size_t, const json& events) {
    for (const json& event : events)
      if (event["test"] == "3" || events.size() > 2) return Answer{"413 Payload Too Large", "", "{}"};
    return Answer();
  });
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  const json result = browser.run_async(with_client("url: '" + stand_in.url() + "'") + submitting(0, 8) +
                                        "await events.flush();" + kAllSettled);
  ASSERT_TRUE(result.is_array()) << result;
  EXPECT_EQ(result[0], json::parse(R"({"submitted":8,"sent":7,"waiting":0,"dropped":{"too_large":1}})"));
}

TEST(BrowserClientAnswers, ARefusedBatchDoesNotStopTheQueue) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const ClientSite site;
  WebDriver browser;
  for (const std::string status :
       {"400 Bad Request", "401 Unauthorized", "403 Forbidden", "410 Gone", "422 Unprocessable Content"}) {
    StandIn stand_in([&](std::size_t number, const json&) {
      return number == 0 ? Answer{status, "", R"({"detail":"no"})"} : Answer();
    });
    browser.open(site.page());
    const json result = browser.run_async(with_client("url: '" + stand_in.url() + "'") + submitting(0, 60) +
                                          "await events.flush();" + kAllSettled);
    ASSERT_TRUE(result.is_array()) << result;
    EXPECT_EQ(result[0], json::parse(R"({"submitted":60,"sent":10,"waiting":0,"dropped":{"rejected":50}})")) << status;
    EXPECT_EQ(result[1][0]["message"], "no");
    EXPECT_EQ(stand_in.posts().size(), 2u);
  }
}

TEST(BrowserClientAnswers, TenTriesAreAllThereAre) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  StandIn stand_in([](std::size_t, const json&) { return Answer{"500 Internal Server Error", "", ""}; });
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  const json result = browser.run_async(with_client("url: '" + stand_in.url() + "'") + submitting(0, 1) +
                                        "await events.flush();"
                                        "for (let i = 0; i < 20; ++i) { window.dispatchEvent(new Event('online'));"
                                        " await events.flush(); }" +
                                        kAllSettled);
  ASSERT_TRUE(result.is_array()) << result;
  EXPECT_EQ(result[0], json::parse(R"({"submitted":1,"sent":0,"waiting":0,"dropped":{"retries":1}})"));
  EXPECT_EQ(stand_in.posts().size(), 10u);
}

TEST(BrowserClientAnswers, AnAdBlockerStopsThePage) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  const json result =
      browser.run_async(with_client("url: '/never'") +
                        "let calls = 0; performance.now = () => 0; window.fetch = () => { ++calls; return "
                        "Promise.reject(new TypeError('Failed to fetch')); };" +
                        submitting(0, 3) +
                        "await events.flush();"
                        "for (let i = 0; i < 5; ++i) { window.dispatchEvent(new Event('online'));"
                        " await events.flush(); }"
                        "const last = events.submit('test.event', event('x'));"
                        "return [events.stats(), calls, last.reason];");
  EXPECT_EQ(result, json::parse(R"([{"submitted":4,"sent":0,"waiting":0,"dropped":{"blocked":4}},3,"blocked"])"));
}

TEST(BrowserClientStore, EventsOfAPageWithoutNetworkArriveFromTheNext) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  StandIn stand_in([](std::size_t, const json&) { return Answer(); });
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  const std::string client = with_client("url: '" + stand_in.url() + "', store: true");
  browser.run_async(client);
  browser.go_offline(true);
  const json offline = browser.run_async(submitting(0, 3) + "await events.flush();" + submitting(3, 2) +
                                         "events.close(); return [events.stats(), localStorage.length];");
  EXPECT_EQ(offline, json::parse(R"([{"submitted":5,"sent":0,"waiting":5,"dropped":{}},5])"));
  browser.go_offline(false);
  browser.open(site.page("/next"));
  const json next = browser.run_async(client + "return await (async () => {" + kAllSettled + "})();");
  EXPECT_EQ(next[0]["sent"], 5) << next;
  EXPECT_EQ(browser.run("return localStorage.length"), 0);
  EXPECT_EQ(stand_in.counts(), (std::map<std::string, std::size_t>{{"0", 1}, {"1", 1}, {"2", 1}, {"3", 1}, {"4", 1}}));
}

TEST(BrowserClientStore, AnEventWaitsForTheNetworkToComeBack) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  StandIn stand_in([](std::size_t, const json&) { return Answer(); });
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  browser.run_async(with_client("url: '" + stand_in.url() + "'"));
  browser.go_offline(true);
  const json offline = browser.run_async(submitting(0, 3) + "await events.flush(); return events.stats();");
  EXPECT_EQ(offline, json::parse(R"({"submitted":3,"sent":0,"waiting":3,"dropped":{}})"));
  browser.go_offline(false);
  EXPECT_TRUE(browser.becomes_true("events.stats().sent === 3"));
  EXPECT_EQ(stand_in.posts().size(), 1u);
}

TEST(BrowserClientStore, SeveralTabsSendEachEventOnce) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  std::mutex mutex;
  bool full = true;
  std::map<std::string, int> taken;  // how often, by id
  StandIn stand_in([&](std::size_t, const json& events) {
    const std::lock_guard lock(mutex);
    if (full) return Answer{"503 Service Unavailable", "Retry-After: 1\r\n", "{}"};
    for (const json& event : events) ++taken[event["meta"]["id"].get<std::string>()];
    return Answer();
  });
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  const std::string client = with_client("url: '" + stand_in.url() + "', store: true, linger: 300");
  browser.run_async(client + submitting(0, 20) + "await events.flush();");
  std::vector<std::string> windows;
  for (int tab = 1; tab < 3; ++tab) {
    windows.push_back(browser.open_window());
    browser.open(site.page());
    browser.run_async(client + submitting(tab * 20, 20) + "await events.flush();");
  }
  {
    const std::lock_guard lock(mutex);
    full = false;
  }
  EXPECT_TRUE(becomes([&] {
    const std::lock_guard lock(mutex);
    return taken.size() == 60;
  }));
  EXPECT_TRUE(browser.becomes_true("localStorage.length === 0"));
  for (const auto& [id, times] : taken) EXPECT_EQ(times, 1) << id;
  std::size_t sent = 0;
  windows.push_back(browser.switch_to(windows[0]));
  for (const std::string& window : windows) {
    browser.switch_to(window);
    const json stats = browser.run("return events.stats()");
    EXPECT_EQ(stats["dropped"], json::object());
    sent += stats["sent"].get<std::size_t>();
  }
  EXPECT_EQ(sent, 60u);
}

TEST(BrowserClientStore, OldestEventsLeaveAFullStoreAndOldOnesExpire) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  const json result = browser.run_async(
      "const old = 'eventgate /none ' + (Date.now() - 25 * 36e5) + ' an-id';"
      "localStorage.setItem(old, JSON.stringify([1, 'test.event', '{}']));"
      "localStorage.setItem('eventgate /none ' + Date.now() + ' broken', 'no JSON');"
      "localStorage.setItem('of the site', 'kept');" +
      with_client("url: '/none', store: true") +
      "await events.flush(); const expired = events.stats().dropped;"
      "Object.defineProperty(navigator, 'onLine', {value: false});"
      "window.fetch = () => new Promise(() => {});" +
      submitting(0, 700) +
      "window.dispatchEvent(new Event('pagehide'));"
      "const keys = Object.keys(localStorage).filter(key => key.startsWith('eventgate /none '));"
      "const stats = events.stats(); events.optOut();"
      "return [expired, keys.length, stats, Object.keys(localStorage)];");
  ASSERT_TRUE(result.is_array()) << result;
  EXPECT_EQ(result[0], json::parse(R"({"expired":1})"));
  // 50 events are in the request that does not end.
  EXPECT_EQ(result[1], 500);
  EXPECT_EQ(result[2],
            json::parse(R"({"submitted":700,"sent":0,"waiting":550,"dropped":{"expired":1,"store_full":150}})"));
  EXPECT_EQ(result[3], json::parse(R"(["of the site"])"));
}

}  // namespace
}  // namespace eventgate
