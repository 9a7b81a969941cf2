// The page of streams in headless Chromium, with files and with Kafka behind it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "live_gate.hpp"
#include "support/shell.hpp"
#include "support/stream_gate.hpp"
#include "support/topic_writer.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// What the fields `test` of the events in the list are, the oldest first. A gap is `gap`.
constexpr const char* kTests = "return shown.map(event => event.kind === 'gap' ? 'gap' : JSON.parse(event.event).test)";

json numbers(int first, int count) {
  json found = json::array();
  for (int i = 0; i < count; ++i) found.push_back(std::to_string(first + i));
  return found;
}

std::string clicking(const std::string& id) { return "document.getElementById('" + id + "').click();"; }

/// Clicks the box of a stream.
std::string choosing(const std::string& stream) {
  return "[...document.querySelectorAll('#stream-rows label')].find(row => row.key === '" + stream +
         "').firstChild.click();";
}

std::string typing(const std::string& id, const std::string& text, const std::string& event = "change") {
  return "{ const field = document.getElementById('" + id + "'); field.value = '" + text +
         "'; field.dispatchEvent(new Event('" + event + "')); }";
}

/// True once the list has so many events, and reads on.
std::string has(int count) { return "shown.length === " + std::to_string(count); }

class StreamsPage : public testing::TestWithParam<StreamsFrom> {
 protected:
  void SetUp() override {
    if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
    if (GetParam() == StreamsFrom::kafka)
      if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  }

  /// Opens the page at this query, and waits until it reads.
  static void open_reading(WebDriver& browser, const StreamGate& gate, const std::string& query) {
    browser.open(gate.uri("/v2/ui/?" + query));
    ASSERT_TRUE(browser.becomes_true("isReading && lastId !== ''")) << browser.run(text_of("state"));
  }
};

TEST_P(StreamsPage, StreamsArePickedAndStandInTheAddress) {
  const StreamGate gate(GetParam());
  WebDriver browser;
  browser.open(gate.uri("/v2/ui"));
  EXPECT_TRUE(browser.becomes_true("document.querySelectorAll('#stream-rows label').length === 3"));
  EXPECT_THAT(browser.run(text_of("empty")).get<std::string>(), HasSubstr("Choose a stream"));
  EXPECT_EQ(browser.run("return document.getElementById('start').disabled"), true);
  browser.run(typing("search", "OTHERS", "input"));
  EXPECT_EQ(browser.run("return [...document.querySelectorAll('#stream-rows label')].map(row => row.key)"),
            json({"test.b"}));
  browser.run(typing("search", "", "input") + choosing("test.a"));
  EXPECT_TRUE(browser.becomes_true("isReading && lastId !== ''"));
  EXPECT_EQ(browser.run("return location.search"), "?streams=test.a");
  gate.post_numbers(0, 3);
  EXPECT_TRUE(browser.becomes_true(has(3)));
  EXPECT_EQ(browser.run(kTests), numbers(0, 3));

  browser.run(choosing("test.b"));
  EXPECT_EQ(browser.run("return location.search"), "?streams=test.a,test.b");
  EXPECT_TRUE(browser.becomes_true("isReading && lastId !== ''"));
  gate.post_numbers(7, 1, "test.b");
  EXPECT_TRUE(browser.becomes_true("shown.some(event => told(event).stream === 'test.b')"));
  // The address shows the same again; an alias is a stream of its own.
  open_reading(browser, gate, "streams=test.b,a");
  EXPECT_EQ(browser.run("return [...document.querySelectorAll('#stream-rows input')].map(box => box.checked)"),
            json({true, true, false}));
  gate.post_numbers(8, 1);
  EXPECT_TRUE(browser.becomes_true(has(1)));
  // Stop, and go on where it was.
  browser.run(clicking("start"));
  EXPECT_THAT(browser.run(text_of("state")).get<std::string>(), HasSubstr("Stopped"));
  gate.post_numbers(9, 2);
  browser.run(clicking("start"));
  EXPECT_TRUE(browser.becomes_true(has(3)));
  EXPECT_EQ(browser.run(kTests), numbers(8, 3));
  browser.run(clicking("clear"));
  EXPECT_TRUE(browser.becomes_true(has(0)));
  EXPECT_EQ(browser.run("drawTotals(); " + text_of("received")), "3");
  EXPECT_TRUE(browser.becomes_true("[...document.querySelectorAll('#chart span')].some(bar => bar.offsetHeight > 0)"));
}

TEST_P(StreamsPage, FiltersSinceLastAndCanariesAreTheGatesOwn) {
  const StreamGate gate(GetParam());
  gate.post("[" + StreamGate::event("\"x\"") + "," + StreamGate::event("\"y\"") + "," + StreamGate::event("\"z\"") +
            "]");
  gate.post(StreamGate::event("\"canary\"", "test.a", R"(,"domain":"canary")"));
  WebDriver browser;
  open_reading(browser, gate, "streams=test.a");
  EXPECT_TRUE(browser.becomes_true("document.querySelectorAll('#empty button').length === 2"));
  browser.run("document.querySelectorAll('#empty button')[0].click()");
  EXPECT_TRUE(browser.becomes_true(has(3)));
  EXPECT_EQ(browser.run("return location.search"), "?streams=test.a&last=20");
  browser.run(typing("last", "2"));
  EXPECT_TRUE(browser.becomes_true(has(2)));
  EXPECT_EQ(browser.run(kTests), json({"y", "z"}));
  browser.run(typing("last", "") + typing("since", "-15m"));
  EXPECT_TRUE(browser.becomes_true(has(3)));
  browser.run(clicking("canary"));
  EXPECT_TRUE(browser.becomes_true(has(4)));
  EXPECT_EQ(browser.run("return location.search"), "?streams=test.a&since=-15m&canary=true");
  browser.run(clicking("canary"));

  browser.run(typing("path", "test") + typing("value", "y") + clicking("add"));
  EXPECT_TRUE(browser.becomes_true("shown.length === 1 && isReading"));
  EXPECT_EQ(browser.run(kTests), json({"y"}));
  EXPECT_EQ(browser.run("return location.search"), "?streams=test.a&since=-15m&match.test=y");
  EXPECT_EQ(browser.run(text_of("chips")), "test is y \u2715");
  open_reading(browser, gate, "streams=test.a&since=-15m&not.test=y");
  EXPECT_TRUE(browser.becomes_true(has(2)));
  EXPECT_EQ(browser.run(kTests), json({"x", "z"}));
  browser.run("document.querySelector('#chips button').click()");
  EXPECT_TRUE(browser.becomes_true(has(3)));
  // What the gate does not take is said in its words.
  browser.run(typing("since", "yesterdayish"));
  EXPECT_TRUE(browser.becomes_true("document.getElementById('state').textContent.includes('yesterdayish')"));
  EXPECT_EQ(browser.run(text_of("start")), "Start");
}

// More comes during the pause than the list keeps: reading stops, and goes on by the id.
TEST_P(StreamsPage, PauseLosesNothing_TheBoundDropsTheOldest) {
  const StreamGate gate(GetParam());
  WebDriver browser;
  open_reading(browser, gate, "streams=test.a");
  gate.post_numbers(0, 1);
  EXPECT_TRUE(browser.becomes_true(has(1)));
  browser.run(
      "window.all = []; const before = itemOf; itemOf = (block) => { const item = before(block); all.push(item); "
      "return item; };" +
      clicking("pause"));
  gate.post_numbers(1, 2500);
  EXPECT_TRUE(browser.becomes_true("isFull"));
  EXPECT_EQ(browser.run("return [shown.length, waiting.length]"), json({1, 1000}));
  EXPECT_THAT(browser.run(text_of("state")).get<std::string>(), HasSubstr("Resume goes on"));
  browser.run(clicking("pause"));
  EXPECT_TRUE(browser.becomes_true("all.length === 2500"));
  EXPECT_EQ(browser.run("return all.map(item => JSON.parse(item.event).test)"), numbers(1, 2500));
  EXPECT_TRUE(browser.becomes_true(has(2000)));
  EXPECT_EQ(browser.run(kTests), numbers(501, 2000));
  EXPECT_EQ(browser.run("drawTotals(); " + text_of("forgotten")), "501");
  EXPECT_LT(browser.run("return document.querySelectorAll('*').length").get<int>(), 2500);
}

// Few events may be large: their size counts, too.
TEST_P(StreamsPage, PauseLosesNoLargeEvents) {
  const StreamGate gate(GetParam());
  WebDriver browser;
  open_reading(browser, gate, "streams=test.a");
  browser.run(clicking("pause") +
              "window.room = hasRoom; hasRoom = (items) => waiting.length + items.length < 3 || "
              "room([{event: 'x'.repeat(kKeptSize / 2)}]);");
  gate.post_numbers(0, 10);
  EXPECT_TRUE(browser.becomes_true("isFull"));
  EXPECT_EQ(browser.run("return waiting.length"), 3);
  browser.run(clicking("pause"));
  EXPECT_TRUE(browser.becomes_true(has(10)));
  EXPECT_EQ(browser.run(kTests), numbers(0, 10));
}

TEST_P(StreamsPage, GateKilledAndStartedAgain_EachEventComesOnce) {
  StreamGate gate(GetParam());
  WebDriver browser;
  open_reading(browser, gate, "streams=test.a,test.b");
  gate.post_numbers(0, 5);
  EXPECT_TRUE(browser.becomes_true(has(5)));
  for (const int signal : {SIGKILL, SIGTERM}) {
    const int shown = browser.run("return shown.length");
    gate.restart(signal);
    gate.post_numbers(shown, 5);
    EXPECT_TRUE(browser.becomes_true(has(shown + 5))) << signal;
  }
  EXPECT_EQ(browser.run(kTests), numbers(0, 15));
}

TEST_P(StreamsPage, RecordsThatAreGoneAreAGapInTheList) {
  const StreamGate gate(GetParam());
  gate.post_numbers(0, 5);
  if (GetParam() == StreamsFrom::kafka)
    TopicWriter(KafkaBroker::shared().address()).delete_records(gate.topic("test.a"), 0, 3);
  WebDriver browser;
  open_reading(browser, gate, "streams=test.a");
  // As if the page had stopped when the first event had come.
  browser.run("lastId = JSON.stringify([{topic: '" + gate.topic("test.a") + "', partition: 0, offset: 1}]); start();");
  const int left = GetParam() == StreamsFrom::kafka ? 2 : 5;
  EXPECT_TRUE(browser.becomes_true(has(1 + left)));
  json expected = numbers(5 - left, left);
  expected.insert(expected.begin(), "gap");
  EXPECT_EQ(browser.run(kTests), expected);
  EXPECT_THAT(browser.run("return document.querySelector('.row.gap').textContent").get<std::string>(),
              HasSubstr(" of " + gate.topic("test.a") + "/0 are gone"));
  EXPECT_EQ(browser.run("drawTotals(); " + text_of("gaps")), "1");
  browser.run("open(shown[0])");
  EXPECT_EQ(browser.run(text_of("detail-title")), "Gap");
}

TEST_P(StreamsPage, OpenedEventIsTextSchemaAndCommandsThatReadIt) {
  const StreamGate gate(GetParam());
  gate.post_numbers(0, 3);
  WebDriver browser;
  open_reading(browser, gate, "streams=test.b,a&since=-15m&not.test=2");
  EXPECT_TRUE(browser.becomes_true(has(2)));
  browser.run("open(shown[1])");
  EXPECT_EQ(browser.run("return [...document.querySelectorAll('#event .line')].map(line => "
                        "line.textContent.replace('\\u25be', '')).join('').includes('\"test\": \"1\"')"),
            true);
  EXPECT_THAT(browser.run(text_of("facts")).get<std::string>(),
              AllOf(HasSubstr(gate.topic("test.a")), HasSubstr("/test/event/1.0.0")));
  const std::string opened = browser.run("return opened.event");
  // The commands of the page do what they say.
  const std::string one = browser.run(text_of("curl-one"));
  Shell shell(gate.folder());
  shell.run(one + " | head -n 1");
  EXPECT_EQ(shell.output, opened + "\n") << one;
  const std::string all = browser.run(text_of("curl"));
  EXPECT_THAT(all, HasSubstr("/v2/stream/test.b,a?since=-15m&not.test=2'"));
  shell.run(all + " --max-time 5 | grep -m 2 '^data: '");
  EXPECT_THAT(shell.output, HasSubstr(opened)) << all;
  const std::string snippet = browser.run(text_of("source"));
  browser.run("window.read = []; const console = {log: (...texts) => read.push(texts[2].test), warn: () => {}};" +
              snippet);
  EXPECT_TRUE(browser.becomes_true("read.length === 2"));
  // Copying: a page without permission selects the text instead.
  browser.run("navigator.clipboard.writeText = async (text) => { window.copied = text; };" + clicking("copy-event"));
  EXPECT_TRUE(browser.becomes_true("document.getElementById('event-copied').textContent === 'Copied.'"));
  EXPECT_EQ(browser.run("return copied"), opened);
  // The schema, by the link beside its name.
  browser.run("document.querySelector('#facts button').click()");
  EXPECT_TRUE(browser.becomes_true("!document.getElementById('fields').hidden"));
  EXPECT_THAT(browser.run(text_of("fields")).get<std::string>(), HasSubstr("meta.stream"));
}

TEST_P(StreamsPage, DownloadHasTheEventsOfTheList) {
  const StreamGate gate(GetParam());
  gate.post_numbers(0, 3);
  WebDriver browser;
  const TemporaryFolder folder;
  browser.download_to(folder.path());
  open_reading(browser, gate, "streams=test.a&since=-15m");
  EXPECT_TRUE(browser.becomes_true(has(3)));
  browser.run(clicking("download"));
  const std::string file = folder.path() + "/test.a.ndjson";
  std::string text;
  EXPECT_TRUE(becomes([&] {
    text = file_content(file);
    return std::count(text.begin(), text.end(), '\n') == 3;
  }));
  EXPECT_EQ(browser.run("return shown.map(event => event.event + '\\n').join('')"), text);
}

TEST_P(StreamsPage, PrivateStreamNeedsTheTokenWhichIsInNoAddress) {
  const StreamGate gate(GetParam());
  WebDriver browser;
  browser.open(gate.uri("/v2/ui?streams=test.private&since=-15m"));
  // The page asks for it.
  EXPECT_TRUE(browser.becomes_true("!document.getElementById('access').hidden"));
  gate.post_numbers(0, 2, "test.private");
  EXPECT_EQ(browser.run("return shown.length"), 0);
  browser.run("document.getElementById('token').focus()");
  browser.press(std::string(kStreamToken) + WebDriver::kEnter);
  EXPECT_TRUE(browser.becomes_true(has(2)));
  EXPECT_EQ(browser.run("return location.href"), gate.uri("/v2/ui?streams=test.private&since=-15m"));
  EXPECT_EQ(browser.run("return document.documentElement.outerHTML.includes('" + std::string(kStreamToken) + "')"),
            false);
  EXPECT_TRUE(browser.becomes_true("[...document.querySelectorAll('#stream-rows label')].length === 4"));
  // It is the tab's: another load has it, and commands name the variable of the shell.
  open_reading(browser, gate, "streams=test.private&since=-15m");
  browser.run(clicking("commands"));
  EXPECT_THAT(browser.run(text_of("curl")).get<std::string>(),
              HasSubstr(" -H \"Authorization: Bearer $EVENTGATE_STREAM_TOKEN\" "));
  EXPECT_EQ(browser.run("return document.getElementById('source-note').hidden"), false);
  EXPECT_THAT(gate.process().log(), Not(HasSubstr(kStreamToken)));
  browser.run(clicking("forget"));
  EXPECT_TRUE(browser.becomes_true("!isRunning"));
}

TEST_P(StreamsPage, NothingOfAnEventBecomesMarkup) {
  const StreamGate gate(GetParam());
  const std::string markup = "\"<img src=x onerror=\\\"window.ran=1\\\"><script>window.ran=1</script>\"";
  gate.post(StreamGate::event(markup, "test.a", R"(,"domain":"<b>bold</b>")"));
  WebDriver browser;
  open_reading(browser, gate, "streams=test.a&since=-15m&not.x=<img src=x onerror=window.ran=1>");
  EXPECT_TRUE(browser.becomes_true("document.querySelectorAll('.row').length === 1"));
  browser.run("open(shown[0]);");
  for (const char* const name : {"event", "schema", "curl", "source"}) browser.run(tab(name));
  EXPECT_THAT(browser.run(text_of("event")).get<std::string>(), HasSubstr("<img src=x"));
  EXPECT_EQ(browser.run("return [window.ran === undefined, document.querySelectorAll('img, main script, b b').length]"),
            json({true, 0}));
}

INSTANTIATE_TEST_SUITE_P(Sources, StreamsPage, testing::Values(StreamsFrom::files, StreamsFrom::kafka),
                         [](const auto& source) { return name_of(source.param); });

TEST(StreamsPageForEveryone, KeysDoWhatThePointerDoes) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const StreamGate gate(StreamsFrom::files);
  gate.post_numbers(0, 3);
  WebDriver browser;
  browser.open(gate.uri("/v2/ui/?since=-15m"));
  EXPECT_TRUE(browser.becomes_true("document.querySelectorAll('#stream-rows label').length === 3"));
  browser.run("document.getElementById('search').focus()");
  browser.press(std::string(WebDriver::kTab) + WebDriver::kTab + " ");
  EXPECT_TRUE(browser.becomes_true(has(3)));
  EXPECT_EQ(browser.run("return location.search"), "?streams=test.a&since=-15m");
  // The focus stays on the stream, whose row has moved.
  EXPECT_EQ(browser.run("return document.activeElement.closest('label').key"), "test.a");
  browser.run("focusRow(0)");
  browser.press(std::string(WebDriver::kDown) + WebDriver::kEnter);
  EXPECT_EQ(browser.run("return [document.activeElement.id, JSON.parse(opened.event).test]"), json({"detail", "1"}));
  browser.press(WebDriver::kEscape);
  EXPECT_EQ(browser.run("return [document.getElementById('detail').hidden, document.activeElement.className]"),
            json({true, "row cells event"}));
  browser.run("document.getElementById('path').focus()");
  browser.press(std::string("test") + WebDriver::kTab + WebDriver::kTab + "2" + WebDriver::kEnter);
  EXPECT_TRUE(browser.becomes_true(has(1)));
  EXPECT_EQ(browser.run("return location.search"), "?streams=test.a&since=-15m&match.test=2");
}

TEST(StreamsPageForEveryone, APageOfAnotherPathFindsTheStreams) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const StreamGate gate(StreamsFrom::files);
  WebDriver browser;
  for (const char* const path : {"/v2/ui", "/v2/ui/"}) {
    browser.open(gate.uri(path));
    EXPECT_TRUE(browser.becomes_true("document.querySelectorAll('#stream-rows label').length === 3")) << path;
  }
  EXPECT_EQ(browser.run("return kBase"), "/");
}

}  // namespace
}  // namespace eventgate
