// The live page in headless Chromium: the list, its filters and its connection.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "live_gate.hpp"
#include "support/http_test_server.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kAccepted = "accepted test.event /test/event/1.0.0";
const std::string kInvalid = "invalid test.event /test/event/1.0.0";
const std::string kUnknown = "error other /no/1.0.0";
const std::string kMalformed = "invalid no stream no schema";

/// The id of the row at a place of the window, or null.
std::string row_at(int x, int y) {
  return "const row = document.elementFromPoint(" + std::to_string(x) + ", " + std::to_string(y) +
         ").closest('.row'); return row && row.event.id + ' ' + row.querySelector('.stream').textContent";
}

TEST(LivePage, ShowsEventsAsTheyArePosted) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  EXPECT_EQ(gate.post(test_event(R"("before")")), 201u);
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(1)));
  EXPECT_EQ(gate.post(test_event("5")), 400u);
  EXPECT_EQ(gate.post(test_event(R"("hasty")"), "?hasty=true"), 202u);
  EXPECT_TRUE(browser.becomes_true(listed(3)));
  EXPECT_EQ(browser.run(kListed), json({kAccepted + " hasty", kInvalid, kAccepted}));
  EXPECT_EQ(browser.run(text_of("count")), "3 shown");
  // A row has the outcome, the local time with UTC as its title, and why.
  EXPECT_EQ(browser.run("return [...document.querySelectorAll('.row')[1].children].map(cell => cell.textContent)[4]"),
            ".test should be string");
  EXPECT_EQ(browser.run("const time = document.querySelectorAll('.row')[1].children[1];"
                        "return time.title === eventAt(1).received_at && "
                        "time.textContent === localTime(new Date(time.title))"),
            true);
  EXPECT_EQ(browser.run("return document.querySelectorAll('.row')[2].children[4].textContent"), "test: \"before\"");
}

TEST(LivePage, RowsOfOneRequestAreGrouped) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  gate.post(test_event(R"("alone")"));
  EXPECT_EQ(gate.post("[" + test_event(R"("a")") + "," + test_event("5") + "]"), 207u);
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(3)));
  EXPECT_EQ(browser.run(kListed), json({kInvalid + " 2/2", kAccepted + " 1/2", kAccepted}));
  EXPECT_EQ(browser.run("return [...document.querySelectorAll('.row')].map(row => row.classList.contains('grouped'))"),
            json({true, true, false}));
}

TEST(LivePage, RequestsRefusedWholeAreRows) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  HttpClient client(gate.process.port());
  EXPECT_EQ(client.exchange(http_request("POST", "/v1/events", "x", {"Content-Type: text/css"})).status, 400u);
  // A refusal of what the page itself asks for is none.
  EXPECT_EQ(client.get("/v1/live?outcome=bad").status, 400u);
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(1)));
  EXPECT_EQ(browser.run(kListed), json({"rejected no stream no schema"}));
  EXPECT_THAT(browser.run("return document.querySelector('.row').children[4].textContent").get<std::string>(),
              HasSubstr("Content-Type is \"text/css\""));
  browser.run(opening(0));
  EXPECT_EQ(browser.run(text_of("detail-title")), "Request refused whole");
  EXPECT_THAT(browser.run(text_of("facts")).get<std::string>(), HasSubstr("content_type"));
  EXPECT_EQ(browser.run("return document.getElementById('tab-curl').disabled"), true);
}

TEST(LivePage, FiltersRunOnTheServerOverAllThatIsKeptAndStandInTheAddress) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  gate.post(test_event(R"("needle")"));
  gate.post(test_event("5"));
  gate.post(R"({"$schema":"/no/1.0.0","meta":{"stream":"other"}})");
  gate.post("{");
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(4)));
  const auto shown = [&](const std::string& id, const std::string& value, std::size_t count) {
    browser.run(filter(id, value));
    EXPECT_TRUE(browser.becomes_true(listed(count))) << id << " " << value;
    const json lines = browser.run(kListed);
    browser.run(filter(id, ""));
    EXPECT_TRUE(browser.becomes_true(listed(4))) << id;
    return lines;
  };
  EXPECT_EQ(shown("stream", "TEST.ev", 2), json({kInvalid, kAccepted}));
  EXPECT_EQ(shown("stream", "other", 1), json({kUnknown}));
  EXPECT_EQ(shown("schema", "/no/", 1), json({kUnknown}));
  EXPECT_EQ(shown("outcome", "refused", 3), json({kMalformed, kUnknown, kInvalid}));
  EXPECT_EQ(shown("outcome", "accepted", 1), json({kAccepted}));
  EXPECT_EQ(shown("text", "Needle", 1), json({kAccepted}));
  EXPECT_EQ(shown("text", "should be string", 1), json({kInvalid}));

  browser.run(filter("outcome", "error") + filter("text", "no"));
  EXPECT_TRUE(browser.becomes_true(listed(1)));
  EXPECT_EQ(browser.run("return location.search"), "?outcome=error&text=no");
  browser.open(gate.page("?outcome=invalid&stream=test.event"));
  EXPECT_TRUE(browser.becomes_true(listed(1)));
  EXPECT_EQ(browser.run(kListed), json({kInvalid}));
  EXPECT_EQ(browser.run("return [document.getElementById('outcome').value, document.getElementById('stream').value]"),
            json({"invalid", "test.event"}));
  // Nothing passes: the page says so, and has the way out.
  browser.run(filter("text", "nothing has this"));
  EXPECT_TRUE(browser.becomes_true("document.getElementById('empty').textContent.includes('Nothing that is kept')"));
  browser.run("document.querySelector('#empty button').click()");
  EXPECT_TRUE(browser.becomes_true(listed(4)));
  EXPECT_EQ(browser.run("return location.search"), "");
}

TEST(LivePage, TotalsChartAndRailSayWhatCameAndFilter) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  gate.post(test_event(R"("a")"));
  gate.post(test_event("5"));
  gate.post(test_event("6"));
  gate.post(R"({"$schema":"/no/1.0.0","meta":{"stream":"other"}})");
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(4)));
  EXPECT_TRUE(browser.becomes_true("document.querySelectorAll('#stream-rows button').length > 2"));
  EXPECT_EQ(
      browser.run("return [...document.querySelectorAll('#totals b')].slice(0, 5).map(count => count.textContent)"),
      json({"1", "2", "1", "0", "0"}));
  EXPECT_THAT(browser.run("return [...document.querySelectorAll('#chart button')].map(bar => bar.title).join()")
                  .get<std::string>(),
              HasSubstr("accepted"));
  // Every declared stream is in the rail, those with events first.
  EXPECT_EQ(browser.run("return [...document.querySelectorAll('#stream-rows .name')].map(name => name.textContent)"
                        ".filter(name => ['test.event', 'other', 'eventgate.ledger'].includes(name))"),
            json({"other", "test.event", "eventgate.ledger"}));
  EXPECT_THAT(browser.run("return document.getElementById('stream-rows').textContent").get<std::string>(),
              HasSubstr("test.event1 \u00b7 2 \u2715 \u00b7 "));
  EXPECT_EQ(browser.run("return [...document.querySelectorAll('#reason-rows button')].map(row => row.textContent)"),
            json({"schema1", "type .test2"}));

  const auto click = [&](const std::string& element, std::size_t count) {
    browser.run("(" + element + ").click()");
    EXPECT_TRUE(browser.becomes_true(listed(count))) << element;
  };
  click("document.querySelector('#totals [data-outcome=invalid]')", 2);
  click("document.querySelector('#totals [data-outcome=invalid]')", 4);
  click("[...document.querySelectorAll('#stream-rows button')].find(row => row.textContent.startsWith('other'))", 1);
  click("[...document.querySelectorAll('#stream-rows button')].find(row => row.textContent.startsWith('other'))", 4);
  click("document.querySelectorAll('#reason-rows button')[1]", 2);
  EXPECT_EQ(browser.run("return location.search"), "?schema=%2Ftest%2Fevent%2F1.0.0&reason=type&path=.test");
  EXPECT_EQ(browser.run(text_of("chips")), "type .test \u2715");
  click("document.querySelector('#chips button')", 3);
  browser.run(filter("schema", ""));
  EXPECT_TRUE(browser.becomes_true(listed(4)));
  // A bar is a span of time.
  click("[...document.querySelectorAll('#chart button')].find(bar => bar.title.includes('nothing'))", 0);
  EXPECT_THAT(browser.run("return location.search").get<std::string>(), HasSubstr("since="));
  click("document.querySelector('#chips button')", 4);
}

TEST(LivePage, RowsHoldStillUnderPointerAndFocus) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  for (const char* const test : {"\"one\"", "\"two\"", "\"three\""}) gate.post(test_event(test));
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(3)));

  browser.point_at("document.querySelectorAll('.row')[1]");
  const json before = browser.run("return document.querySelectorAll('.row')[1].event.id");
  gate.post(test_event("\"four\""));
  EXPECT_TRUE(browser.becomes_true("document.getElementById('pill').textContent === '1 new'"));
  gate.post(test_event("\"five\""));
  EXPECT_TRUE(browser.becomes_true("document.getElementById('pill').textContent === '2 new'"));
  EXPECT_EQ(browser.run("return document.querySelectorAll('.row')[1].event.id"), before);
  EXPECT_EQ(browser.run(text_of("count")), "3 shown, 2 waiting");
  // On its way to the pill the pointer moves no row; the pill shows what waits.
  browser.point_at("document.getElementById('pill')");
  EXPECT_EQ(browser.run("return shown.length"), 3);
  browser.point_at("document.getElementById('pill')", true);
  EXPECT_TRUE(browser.becomes_true(listed(5)));
  EXPECT_EQ(browser.run("return document.getElementById('pill').hidden"), true);
  // What waits appears when the pointer leaves.
  gate.post(test_event("\"six\""));
  EXPECT_TRUE(browser.becomes_true("waiting.length === 1"));
  browser.point_at("document.getElementById('top')");
  EXPECT_TRUE(browser.becomes_true(listed(6)));

  // Focus holds them, too.
  browser.run("document.querySelector('.row').focus()");
  gate.post(test_event("\"seven\""));
  EXPECT_TRUE(browser.becomes_true("waiting.length === 1"));
  EXPECT_EQ(browser.run("return shown.length"), 6);
  browser.run("document.getElementById('clear').focus()");
  EXPECT_TRUE(browser.becomes_true(listed(7)));
}

TEST(LivePage, RowUnderThePointerStaysForAMinuteOf20EventsASecond) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  for (int i = 0; i < 60; ++i) gate.post(test_event("\"first\""));
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(60)));
  browser.point_at("document.querySelectorAll('.row')[5]");
  const json place = browser.run(
      "const box = document.querySelectorAll('.row')[5].getBoundingClientRect(); return [box.left + 100, box.top + "
      "10]");
  const int x = place[0].get<double>();
  const int y = place[1].get<double>();
  const json row = browser.run(row_at(x, y));
  ASSERT_TRUE(row.is_string());
  HttpClient client(gate.process.port());
  const auto start = std::chrono::steady_clock::now();
  for (int i = 1; i <= 1200; ++i) {
    std::this_thread::sleep_until(start + i * std::chrono::milliseconds(50));
    ASSERT_EQ(client.post("/v1/events", test_event("\"later\"")).status, 201u);
    if (i % 40 != 0) continue;
    EXPECT_TRUE(browser.becomes_true("waitingCount >= " + std::to_string(i)));
    ASSERT_EQ(browser.run(row_at(x, y)), row) << i;
  }
  EXPECT_EQ(browser.run(text_of("pill")), "1,200 new");
  EXPECT_EQ(browser.run("return document.getElementById('dropped').hidden"), true);
}

TEST(LivePage, PauseHoldsNewEventsBack) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  gate.post(test_event("\"one\""));
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(1)));
  browser.run("document.getElementById('pause').click()");
  EXPECT_EQ(browser.run("return document.getElementById('pause').ariaPressed"), "true");
  gate.post(test_event("5"));
  EXPECT_TRUE(browser.becomes_true("waiting.length === 1"));
  // A filter that changes shows what was there at the pause, and no more.
  browser.run(filter("text", "test"));
  EXPECT_TRUE(browser.becomes_true("shown.length === 1 && waiting.length === 1"));
  browser.run(filter("outcome", "invalid"));
  EXPECT_TRUE(browser.becomes_true("shown.length === 0 && waiting.length === 1"));
  browser.run("document.getElementById('pause').click()");
  EXPECT_TRUE(browser.becomes_true(listed(1)));
  EXPECT_EQ(browser.run(kListed), json({kInvalid}));
}

TEST(LivePage, ClearForgetsWhatCameBefore) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  gate.post(test_event("\"one\""));
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(1)));
  browser.run("document.getElementById('clear').click()");
  EXPECT_EQ(browser.run("return [shown.length, document.getElementById('count').textContent]"), json({0, "0 shown"}));
  EXPECT_THAT(browser.run(text_of("empty")).get<std::string>(), StartsWith("Cleared at "));
  // What was cleared does not come back with another filter.
  browser.run(filter("text", "test"));
  gate.post(test_event("\"two\""));
  EXPECT_TRUE(browser.becomes_true(listed(1)));
  EXPECT_THAT(browser.run("return eventAt(0).event").get<std::string>(), HasSubstr("two"));
  browser.run("document.getElementById('clear').click(); " + filter("text", ""));
  EXPECT_TRUE(browser.becomes_true("document.querySelector('#empty button')"));
  browser.run("document.querySelector('#empty button').click()");
  EXPECT_TRUE(browser.becomes_true(listed(2)));
}

TEST(LivePage, ResetOfTheGateEmptiesTheList) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  gate.post(test_event("\"one\""));
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(1)));
  EXPECT_EQ(HttpClient(gate.process.port()).post("/v1/live/reset", "").status, 204u);
  EXPECT_TRUE(browser.becomes_true(listed(0)));
  gate.post(test_event("5"));
  EXPECT_TRUE(browser.becomes_true(listed(1)));
  EXPECT_EQ(browser.run(kListed), json({kInvalid}));
  EXPECT_EQ(browser.run("return document.getElementById('dropped').hidden"), true);
}

TEST(LivePage, EmptyPageSaysWhatToDo) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true("document.querySelector('#empty pre')"));
  EXPECT_TRUE(
      browser.becomes_true("document.querySelector('#empty pre').textContent.includes('\"/test/event/1.0.0\"')"));
  EXPECT_THAT(browser.run("return document.querySelector('#empty pre').textContent").get<std::string>(),
              HasSubstr(gate.uri("/v1/events")));
  gate.post(test_event("\"one\""));
  EXPECT_TRUE(browser.becomes_true(listed(1)));
  EXPECT_EQ(browser.run("return document.getElementById('empty').hidden"), true);
}

TEST(LivePage, TheListIsWalkedByKeys) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(kConnected));
  for (int i = 0; i < 200; ++i) gate.post(test_event("\"number " + std::to_string(i) + "\""));
  EXPECT_TRUE(browser.becomes_true("shown.length === 200 && document.querySelector('.row')"));
  // One row of the list takes part in the order of Tab, and only rows in sight are made.
  EXPECT_EQ(browser.run("return [...document.querySelectorAll('.row')].filter(row => row.tabIndex === 0).length"), 1);
  EXPECT_EQ(browser.run("return document.querySelectorAll('.row').length < 100"), true);
  EXPECT_EQ(browser.run("return document.getElementById('list').getAttribute('aria-rowcount')"), "201");
  const auto focused = [&] {
    return browser.run("return document.activeElement.event && placeOf(document.activeElement.event)");
  };
  browser.run("document.querySelector('.row').focus()");
  browser.press(std::string(WebDriver::kDown) + WebDriver::kDown + WebDriver::kUp);
  EXPECT_EQ(focused(), 1);
  browser.press(WebDriver::kEnd);
  EXPECT_EQ(focused(), 199);
  EXPECT_EQ(browser.run("const row = document.activeElement.getBoundingClientRect();"
                        "const list = document.getElementById('list').getBoundingClientRect();"
                        "return row.top >= list.top && row.bottom <= list.bottom + 1"),
            true);
  browser.press(WebDriver::kHome);
  EXPECT_EQ(focused(), 0);
  browser.press(std::string(WebDriver::kDown) + WebDriver::kEnter);
  EXPECT_TRUE(browser.becomes_true("document.getElementById('event').textContent.includes('number 198')"));
  EXPECT_EQ(browser.run("return document.activeElement.id"), "detail");
  // An event that comes moves neither the focus nor what is open.
  gate.post(test_event("\"newest\""));
  EXPECT_TRUE(browser.becomes_true("shown.length + waiting.length === 201"));
  EXPECT_EQ(browser.run("return document.activeElement.id"), "detail");
  browser.press(WebDriver::kEscape);
  EXPECT_TRUE(browser.becomes_true("document.activeElement.event"));
  EXPECT_THAT(browser.run("return document.activeElement.event.event").get<std::string>(), HasSubstr("number 198"));
}

TEST(LivePage, IsLightOrDarkAsTheReaderLikesIt) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  WebDriver browser;
  browser.open(gate.page());
  std::vector<std::string> grounds;
  for (const char* const scheme : {"light", "dark"}) {
    browser.prefer(scheme);
    grounds.push_back(browser.run("return getComputedStyle(document.body).backgroundColor"));
  }
  EXPECT_THAT(grounds, ElementsAre("rgb(255, 255, 255)", "rgb(20, 23, 27)"));
}

TEST(LivePage, ComesBackWhenTheGateIsGoneForAWhile) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  WebDriver browser;
  std::uint16_t port = 0;
  {
    LiveGate gate;
    port = gate.process.port();
    gate.post(test_event(R"("first")"));
    browser.open(gate.page());
    EXPECT_TRUE(browser.becomes_true(listed(1)));
    // With somebody looking on it stops at once, and says that nothing was lost.
    gate.process.signal(SIGTERM);
    EXPECT_EQ(gate.process.wait(), 0);
  }
  EXPECT_TRUE(browser.becomes_true("document.getElementById('state').textContent.includes('Trying again')"));
  const LiveGate again("output_path: /dev/null\n", port);
  EXPECT_TRUE(browser.becomes_true(kConnected));
  again.post(test_event(R"("second")"));
  EXPECT_TRUE(browser.becomes_true(listed(2)));
}

TEST(LivePage, AsksForTheTokenAndKeepsItForTheTab) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate("output_path: /dev/null\nlive_token: 0123456789abcdef\n");
  gate.post(test_event(R"("secret")"));
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true("!document.getElementById('access').hidden"));
  EXPECT_EQ(browser.run(kListed), json::array());
  browser.run("document.getElementById('token').focus()");
  browser.press("wrong-token-wrong" + std::string(WebDriver::kEnter));
  EXPECT_TRUE(browser.becomes_true("document.getElementById('state').textContent.includes('is not that of')"));
  browser.run("document.getElementById('token').focus()");
  browser.press("0123456789abcdef" + std::string(WebDriver::kEnter));
  EXPECT_TRUE(browser.becomes_true(listed(1)));
  EXPECT_EQ(browser.run("return document.getElementById('access').hidden"), true);
  // It opens schemas and the summary, too.
  browser.run(opening(0) + tab("schema"));
  EXPECT_TRUE(browser.becomes_true("document.getElementById('fields').rows.length > 1"));
  EXPECT_TRUE(browser.becomes_true("document.querySelector('#totals b').textContent === '1'"));
  EXPECT_EQ(browser.run("return location.href"), gate.page());
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(1)));
}

TEST(LivePage, APageOfAnotherOriginSeesNothing) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  const HttpTestServer site([](const ServedRequest&) {
    return http_answer("<!DOCTYPE html><title>a page</title>", "200 OK", "Content-Type: text/html; charset=utf-8\r\n");
  });
  gate.post(test_event(R"("secret")"));
  WebDriver browser;
  browser.open(site.uri("/"));
  for (const char* const target : {"/v1/live", "/v1/live/count", "/v1/live/summary"})
    EXPECT_EQ(
        browser.run_async("return await fetch('" + gate.uri(target) + "').then(() => 'an answer', () => 'nothing')"),
        "nothing")
        << target;
  browser.run_async("await fetch('" + gate.uri("/v1/live/reset") + "', {method: 'POST', mode: 'no-cors'})");
  EXPECT_EQ(HttpClient(gate.process.port()).get("/v1/live/count").body,
            R"({"accepted":1,"invalid":0,"error":0,"rejected":0,"in_flight":0})");
}

}  // namespace
}  // namespace eventgate
