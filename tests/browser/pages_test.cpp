// All pages in headless Chromium: for every reader, under load, and as pictures for the documents.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "live_gate.hpp"
#include "support/stream_gate.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

/// The text of axe-core (https://www.deque.com/axe/), which `./dev test` brings from npm. Nothing if it is not there.
std::optional<std::string> axe_text() {
  std::ifstream in(axe_folder() + "/node_modules/axe-core/axe.min.js");
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

/// What axe finds wrong in the page: nothing.
json violations(WebDriver& browser, const std::string& axe) {
  if (browser.run("return window.axe === undefined") == true) browser.run(axe + "\nwindow.axe = axe;");
  return browser.run_async(
      "const found = await axe.run(document, {resultTypes: ['violations']});"
      "return found.violations.map(rule => rule.id + ': ' + rule.nodes.map(node => node.target.join(' ')).join(', '))");
}

/// Events of every outcome: a mixed run.
void post_mixed_run(const LiveGate& gate) {
  for (int i = 0; i < 12; ++i) {
    gate.post(test_event("\"hello " + std::to_string(i) + "\""));
    if (i % 4 == 1) gate.post(test_event(std::to_string(i)), "?hasty=true");
    if (i % 5 == 2)
      gate.post("[" + test_event("\"one\"") + "," + test_event("true") + "," + test_event("\"two\"") + "]");
  }
  gate.post(R"({"$schema":"/test/event/9.0.0","meta":{"stream":"test.event"}})");
  gate.post(test_event("\"x\"", "not.declared"));
  gate.post(R"({"$schema":"/test/event/1.0.0","meta":{"stream":"test.event","id":7},"test":{"a":[1.50,null]}})");
  gate.post("{\"a\": 1,}");
  HttpClient(gate.process.port()).exchange(http_request("POST", "/v1/events", "x", {"Content-Type: text/css"}));
}

TEST(Pages, AxeFindsNothing) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const auto axe = axe_text();
  if (!axe) GTEST_SKIP() << "NO AXE HERE: what screen readers get of the pages is not tested (npm: axe-core)";
  const LiveGate gate;
  post_mixed_run(gate);
  WebDriver browser;
  const json nothing = json::array();
  for (const char* const scheme : {"light", "dark"}) {
    browser.prefer(scheme);
    for (const int width : {1440, 400}) {
      browser.resize(width, 900);
      browser.open(gate.page());
      EXPECT_TRUE(
          browser.becomes_true("document.querySelector('.row') && document.querySelector('#reason-rows button')"));
      EXPECT_EQ(violations(browser, *axe), nothing) << scheme << width;
      EXPECT_EQ(browser.run("return document.documentElement.scrollWidth <= innerWidth"), true) << scheme << width;
      browser.run("open(shown.find(event => event.errors && event.errors.length))");
      for (const char* const name : {"event", "sent", "schema", "curl", "fetch", "send"}) {
        browser.run(tab(name));
        EXPECT_TRUE(browser.becomes_true("document.getElementById('document-state').textContent !== 'Reading it.'"));
        EXPECT_EQ(violations(browser, *axe), nothing) << scheme << width << name;
        EXPECT_EQ(browser.run("return document.documentElement.scrollWidth <= innerWidth"), true) << name;
      }
      browser.run("open(shown.find(event => event.outcome === 'accepted'));" + tab("kafka"));
      EXPECT_EQ(violations(browser, *axe), nothing) << scheme << width;
      browser.open(gate.page("?text=nothing+has+this"));
      EXPECT_TRUE(browser.becomes_true("document.querySelector('#empty button')"));
      EXPECT_EQ(violations(browser, *axe), nothing) << scheme << width;
      browser.open(gate.uri("/?doc"));
      EXPECT_TRUE(browser.becomes_true("document.getElementById('postEvents')"));
      EXPECT_EQ(violations(browser, *axe), nothing) << scheme << width;
      browser.open(gate.uri("/"));
      EXPECT_EQ(violations(browser, *axe), nothing) << scheme << width;
    }
  }
}

TEST(Pages, AxeFindsNothingInThePageOfStreams) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const auto axe = axe_text();
  if (!axe) GTEST_SKIP() << "NO AXE HERE: what screen readers get of the pages is not tested (npm: axe-core)";
  const StreamGate gate(StreamsFrom::files);
  gate.post_numbers(0, 30);
  WebDriver browser;
  const json nothing = json::array();
  for (const char* const scheme : {"light", "dark"}) {
    browser.prefer(scheme);
    for (const int width : {1440, 400}) {
      browser.resize(width, 900);
      const auto holds = [&](const std::string& what) {
        EXPECT_EQ(violations(browser, *axe), nothing) << scheme << width << what;
        EXPECT_EQ(browser.run("return document.documentElement.scrollWidth <= innerWidth"), true) << width << what;
      };
      browser.open(gate.uri("/v2/ui/"));
      EXPECT_TRUE(browser.becomes_true("document.querySelectorAll('#stream-rows label').length === 3"));
      holds("nothing chosen");
      browser.open(gate.uri("/v2/ui/?streams=test.a&since=0&not.test=1"));
      EXPECT_TRUE(browser.becomes_true("document.querySelector('.row')"));
      browser.run(
          "showToken(true); take([itemOf({event: 'gap', data: "
          "'{\"topic\":\"test.a\",\"partition\":0,\"from\":1,\"to\":7}'})])");
      holds("list");
      browser.run("open(shown[0])");
      for (const char* const name : {"event", "schema", "curl", "source"}) {
        browser.run(tab(name));
        EXPECT_TRUE(browser.becomes_true("document.getElementById('document-state').textContent !== 'Reading it.'"));
        holds(name);
      }
      browser.run("close()");
      browser.open(gate.uri("/"));
      holds("links");
    }
  }
}

TEST(Pages, At1700EventsASecondThePageHasNoLongTask) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(kConnected));
  std::string batch = "[" + test_event("\"load\"");
  for (int i = 1; i < 85; ++i) batch += "," + test_event("\"load\"");
  batch += "]";
  std::atomic<bool> done{false};
  std::thread load([&] {
    HttpClient client(gate.process.port());
    // 20 requests of 85 events a second.
    while (!done) {
      client.post("/v1/events", batch);
      ::usleep(50000);
    }
  });
  // A machine that is busy with other things makes long tasks of any page: one span of 3 s without is enough.
  const json result = browser.run_async(
      "let longest = 0;"
      "const observer = new PerformanceObserver(list => list.getEntries().forEach("
      "  entry => { longest = Math.max(longest, entry.duration); }));"
      "observer.observe({type: 'longtask'});"
      "let best = Infinity;"
      "for (let span = 0; span < 25 && best > 0; ++span) {"
      "  longest = 0;"
      "  await new Promise(end => setTimeout(end, 3000));"
      "  best = Math.min(best, longest);"
      "}"
      "return [best, shown.length, document.querySelectorAll('*').length]");
  done = true;
  load.join();
  ASSERT_TRUE(result.is_array()) << result;
  EXPECT_EQ(result[0], 0) << "ms of the longest task in the best span";
  EXPECT_EQ(result[1], 1024);
  EXPECT_LT(result[2].get<int>(), 2500);
}

TEST(Pages, DocumentationHasAnAnchorSamplesAndAFormForEachRoute) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  WebDriver browser;
  browser.open(gate.uri("/?doc#getHealth"));
  EXPECT_TRUE(browser.becomes_true("document.getElementById('getHealth')"));
  const json spec = json::parse(HttpClient(gate.process.port()).get("/?spec").body);
  for (const auto& [path, methods] : spec["paths"].items())
    for (const auto& [method, operation] : methods.items()) {
      const std::string id = operation["operationId"];
      EXPECT_EQ(browser.run("return document.getElementById('" + id + "').querySelector('h3 code').textContent"), path);
      if (method == "options") continue;
      EXPECT_EQ(
          browser.run("return [...document.querySelectorAll('#" + id + " [role=tab]')].map(tab => tab.textContent)"),
          json({"curl", "fetch", "Python"}))
          << id;
    }
  EXPECT_EQ(browser.run("const box = document.getElementById('getHealth').getBoundingClientRect();"
                        "return box.top < innerHeight && box.bottom > 0"),
            true);
  EXPECT_THAT(browser.run(text_of("shipped")).get<std::string>(),
              testing::AllOf(HasSubstr("/test/event/"), HasSubstr("/error/"), HasSubstr("title: test/event")));

  // Try it: the event of the document, and what is wrong with another.
  const auto reply = [&](const std::string& status) {
    return browser.becomes_true("document.querySelector('#postEvents form [role=status]').textContent.startsWith('" +
                                status + "')");
  };
  browser.run("document.querySelector('#postEvents form .primary').click()");
  EXPECT_TRUE(reply("201 "));
  browser.run(
      "const body = document.querySelector('#postEvents textarea'); body.value = '{\"a\":1}';"
      "body.dispatchEvent(new Event('input', {bubbles: true}));"
      "document.querySelector('#postEvents form .primary').click()");
  EXPECT_TRUE(browser.becomes_true("document.querySelector('#postEvents form .json').textContent.includes('$schema')"));
  EXPECT_TRUE(reply("500 "));
  EXPECT_EQ(browser.run("return document.getElementById('postEvents-sample-curl').textContent"),
            "curl -i -H 'Content-Type: application/json' '" + gate.uri("/v1/events") + "' --data-raw '{\"a\":1}'");
  EXPECT_THAT(browser.run("return document.getElementById('postEvents-sample-Python').textContent").get<std::string>(),
              HasSubstr(R"(data="{\"a\":1}".encode())"));
}

TEST(Pages, RootHasLinksToWhatThereIs) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  WebDriver browser;
  browser.open(gate.uri("/"));
  EXPECT_EQ(
      browser.run("return [...document.querySelectorAll('a')].map(link => link.href.split('/').slice(3).join('/'))"),
      json({"live", "?doc", "?spec", "readyz", "_info"}));
}

// Pictures.

/// The bytes of a text in Base64.
std::string decoded(const std::string& base64) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : base64) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) break;
    bits = bits << 6 | static_cast<unsigned>(digit);
    if ((count += 6) < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFF);
  }
  return bytes;
}

/// Makes a picture of the window, and writes it into docs/images/ if EVENTGATE_WRITE_DOCUMENTS is set.
void take_picture(WebDriver& browser, const std::string& name) {
  const std::string picture = decoded(browser.screenshot());
  EXPECT_THAT(picture, StartsWith("\x89PNG"));
  EXPECT_GT(picture.size(), 10000u);
  const std::string folder = source_dir() + "/docs/images";
  if (std::getenv("EVENTGATE_WRITE_DOCUMENTS") != nullptr) {
    fs::create_directories(folder);
    std::ofstream(folder + "/" + name, std::ios::binary) << picture;
  }
  EXPECT_TRUE(fs::exists(folder + "/" + name)) << "run this test with EVENTGATE_WRITE_DOCUMENTS=1";
}

TEST(Pages, PicturesOfTheDocumentsAreMade) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  post_mixed_run(gate);
  WebDriver browser;
  browser.resize(1360, 760);
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true("document.querySelector('.row') && document.querySelector('#reason-rows button')"));
  browser.run("open(shown.find(event => (event.errors || []).length > 1)); document.activeElement.blur()");
  take_picture(browser, "live.png");
  browser.prefer("dark");
  browser.run("open(shown.find(event => event.outcome === 'accepted'));" + tab("schema") +
              "document.activeElement.blur()");
  EXPECT_TRUE(browser.becomes_true("!document.getElementById('fields').hidden"));
  take_picture(browser, "live-dark.png");
  const StreamGate streams(StreamsFrom::files);
  streams.post_numbers(0, 40);
  streams.post_numbers(40, 10, "test.b");
  browser.prefer("light");
  browser.open(streams.uri("/v2/ui/?streams=test.a,test.b&since=-15m&not.test=3"));
  EXPECT_TRUE(browser.becomes_true("shown.length === 49 && document.querySelectorAll('.row').length > 20"));
  browser.run("open(shown[40]); document.activeElement.blur(); drawTotals()");
  take_picture(browser, "streams.png");
}

}  // namespace
}  // namespace eventgate
