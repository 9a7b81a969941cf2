// The live page in headless Chromium.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/http_test_server.hpp"
#include "support/paths.hpp"
#include "support/temporary_folder.hpp"
#include "support/web_driver.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kNoDriver =
    "NO DRIVER HERE: the live page is not tested in a browser (Debian: chromium and chromium-driver)";

const std::string kShippedConfig = source_dir() + "/config/config.yaml";

/// A gate with a live page, without Kafka.
class LiveGate {
 public:
  explicit LiveGate(const std::string& config = "", std::uint16_t port = 0)
      : process({kShippedConfig}, "output_path: /dev/null\nlive: true\n" + config, {}, port) {}

  std::string page(const std::string& host = "127.0.0.1") const {
    return "http://" + host + ":" + std::to_string(process.port()) + "/live";
  }
  unsigned post(const std::string& event, const std::string& query = "") const {
    return HttpClient(process.port()).post("/v1/events" + query, event).status;
  }

  GateProcess process;
};

/// An event whose member `test` is the JSON text `test`.
std::string test_event(const std::string& test, const std::string& stream = "test.event") {
  return R"({"$schema":"/test/event/1.0.0","meta":{"stream":")" + stream + R"("},"test":)" + test + "}";
}

/// The page's list, its shown lines' texts, newest first.
constexpr const char* kListed =
    "return [...document.querySelectorAll('#list li:not([hidden])')]"
    ".map(item => [...item.firstChild.children].filter((_, i) => i !== 1).map(part => part.textContent).join(' '))";

constexpr const char* kConnected = "document.getElementById('state').textContent.startsWith('Connected')";

/// The document of the opened event's schema is there.
constexpr const char* kDocumentShown =
    "!document.getElementById('document').hidden && document.getElementById('document').textContent.startsWith('{')";

/// What is said of it.
std::string document_state(WebDriver& browser) {
  return browser.run("return document.getElementById('document-state').textContent");
}

/// Opens an event of the list, the newest being 0.
std::string opening(std::size_t place) {
  return "document.querySelectorAll('#list button')[" + std::to_string(place) + "].click();";
}

std::string listed(std::size_t count) {
  return "document.querySelectorAll('#list li:not([hidden])').length === " + std::to_string(count);
}

/// Sets a filter as somebody does who types.
std::string filter(const std::string& id, const std::string& value, bool leave = false) {
  return "const field = document.getElementById('" + id + "'); field.value = '" + value +
         "'; field.dispatchEvent(new Event('input'));" + (leave ? "field.dispatchEvent(new Event('change'));" : "");
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
  EXPECT_EQ(browser.run(kListed),
            json({"accepted test.event /test/event/1.0.0 hasty", "invalid test.event /test/event/1.0.0",
                  "accepted test.event /test/event/1.0.0"}));
  EXPECT_TRUE(browser.becomes_true("document.getElementById('count').textContent === '3 of 3 events shown'"));
}

TEST(LivePage, FiltersByStreamSchemaOutcomeAndText) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  gate.post(test_event(R"("needle")"));
  gate.post(test_event("5"));
  gate.post(R"({"$schema":"/no/1.0.0","meta":{"stream":"other"}})");
  gate.post("{");
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(4)));
  const auto shown = [&](const std::string& id, const std::string& value) {
    browser.run(filter(id, value));
    const json lines = browser.run(kListed);
    browser.run(filter(id, ""));
    return lines;
  };
  const std::string accepted = "accepted test.event /test/event/1.0.0",
                    invalid = "invalid test.event /test/event/1.0.0";
  const std::string unknown = "error other /no/1.0.0", malformed = "invalid no stream no schema";
  EXPECT_EQ(shown("stream", "TEST.ev"), json({invalid, accepted}));
  EXPECT_EQ(shown("schema", "/no/"), json({unknown}));
  EXPECT_EQ(shown("outcome", "refused"), json({malformed, unknown, invalid}));
  EXPECT_EQ(shown("outcome", "accepted"), json({accepted}));
  EXPECT_EQ(shown("text", "Needle"), json({accepted}));
  EXPECT_EQ(shown("text", "should be string"), json({invalid}));
  EXPECT_EQ(shown("text", ""), json({malformed, unknown, invalid, accepted}));
  // What is chosen is asked of the gate, too.
  browser.run(filter("outcome", "error", true));
  EXPECT_TRUE(browser.becomes_true("document.querySelectorAll('#list li').length === 1"));
  EXPECT_EQ(browser.run(kListed), json({unknown}));
}

TEST(LivePage, AnOpenedEventShowsAdditionsAndErrorsWhereTheyAre) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  const std::string posted =
      R"({"$schema":"/test/event/1.0.0","meta":{"stream":"test.event","id":7},"test":[1.50,"a'b"]})";
  EXPECT_EQ(gate.post(posted), 400u);
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(1)));

  // By keyboard alone: to the list, open, close.
  browser.run("document.querySelector('#list button').focus()");
  browser.press(WebDriver::kEnter);
  EXPECT_TRUE(browser.becomes_true("!document.getElementById('detail').hidden"));
  EXPECT_EQ(browser.run("return document.activeElement.id"), "detail");
  EXPECT_EQ(browser.run("return document.querySelector('#list button').ariaCurrent"), "true");
  const std::string facts = browser.run("return document.getElementById('facts').innerText");
  EXPECT_THAT(facts,
              AllOf(HasSubstr("/test/event/1.0.0"), HasSubstr("invalid"), HasSubstr("'.test' should be string")));
  const json added = browser.run(
      "return [...document.querySelectorAll('#event ins')].map(line => line.textContent.trim().split(':')[0])");
  EXPECT_EQ(added, json({"\"dt\"", "\"request_id\""}));
  EXPECT_THAT(browser.run("return document.querySelector('#event ins').textContent").get<std::string>(),
              HasSubstr("added by the gate"));
  const json lines = browser.run(
      "return [...document.getElementById('event').children].map(line => line.textContent).filter((line, i, all) => "
      "line.includes('\\u26a0') || (all[i + 1] || '').includes('\\u26a0'))");
  ASSERT_EQ(lines.size(), 4u) << lines;
  EXPECT_EQ(lines[0], R"(    "id": 7,)");
  EXPECT_THAT(lines[1].get<std::string>(), HasSubstr("should be string"));
  EXPECT_EQ(lines[2], R"(  "test": [)");
  EXPECT_THAT(lines[3].get<std::string>(), HasSubstr("should be string  (#/properties/test/type)"));
  EXPECT_THAT(browser.run("return document.getElementById('event').textContent").get<std::string>(),
              HasSubstr("    1.50,"));

  browser.run("document.getElementById('curl').click()");
  EXPECT_TRUE(browser.becomes_true("document.getElementById('copied').textContent"));
  EXPECT_EQ(browser.run("return document.getElementById('command').textContent"),
            "curl -i -H 'Content-Type: application/json' 'http://127.0.0.1:" + std::to_string(gate.process.port()) +
                "/v1/events' --data-raw '" +
                R"({"$schema":"/test/event/1.0.0","meta":{"stream":"test.event","id":7},"test":[1.50,"a'\''b"]}')");

  browser.press(WebDriver::kEscape);
  EXPECT_TRUE(browser.becomes_true("document.getElementById('detail').hidden"));
  EXPECT_EQ(browser.run("return document.activeElement === document.querySelector('#list button')"), true);
}

TEST(LivePage, TheListIsWalkedByArrowKeys) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  for (const char* const test : {"\"one\"", "\"two\"", "\"three\""}) gate.post(test_event(test));
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(3)));
  // One element of the list takes part in the order of Tab.
  EXPECT_EQ(browser.run("return [...document.querySelectorAll('#list button')].map(button => button.tabIndex)"),
            json({0, -1, -1}));
  browser.run("document.getElementById('clear').focus()");
  browser.press(WebDriver::kTab);
  browser.press(std::string(WebDriver::kDown) + WebDriver::kDown + WebDriver::kUp + WebDriver::kEnter);
  EXPECT_TRUE(browser.becomes_true("document.getElementById('event').textContent.includes('\"two\"')"));
  // An event that comes moves neither the focus nor what is open.
  gate.post(test_event("\"four\""));
  EXPECT_TRUE(browser.becomes_true(listed(4)));
  EXPECT_EQ(browser.run("return document.activeElement.id"), "detail");
  browser.press(WebDriver::kEscape);
  EXPECT_EQ(browser.run("return [...document.querySelectorAll('#list button')].indexOf(document.activeElement)"), 2);
}

TEST(LivePage, EverythingHasANameForScreenReaders) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(kConnected));
  EXPECT_EQ(browser.run("return [...document.querySelectorAll('input, select')]"
                        ".filter(field => !field.labels.length || !field.labels[0].textContent.trim()).length"),
            0);
  EXPECT_EQ(browser.run("return [...document.querySelectorAll('button')].filter(b => !b.textContent.trim()).length"),
            0);
  EXPECT_EQ(browser.run("return [...document.querySelectorAll('[role=status]')].map(part => part.id)"),
            json({"state", "dropped", "count", "copied", "document-state"}));
  EXPECT_EQ(browser.run("return [document.documentElement.lang, document.querySelectorAll('main').length, "
                        "document.querySelectorAll('h1').length]"),
            json({"en", 1, 1}));
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
  EXPECT_THAT(grounds, ElementsAre("rgb(255, 255, 255)", "rgb(16, 20, 24)"));
}

TEST(LivePage, NothingOfAnEventBecomesMarkup) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  const std::string evil =
      R"(</script></pre><img src=x onerror=window.hit=1><script>window.hit=1</script><svg onload=window.hit=1>)";
  const json text = evil;
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(kConnected));
  const std::string elements = "document.querySelectorAll('img, svg, iframe, pre pre, #panes script').length";
  // In every field there is: key, value, stream, schema, error, query, a body that is no JSON.
  json event = {{"$schema", evil}, {"meta", {{"stream", evil}}}, {evil, {evil}}};
  EXPECT_EQ(gate.post(event.dump()), 500u);
  event["$schema"] = "/test/event/1.0.0";
  EXPECT_EQ(gate.post(event.dump()), 500u);
  event["meta"] = {{"stream", "test.event"}, {"id", evil}, {"dt", evil}, {"uri", evil}, {"domain", evil}, {evil, evil}};
  event["test"] = {evil};
  EXPECT_EQ(gate.post(event.dump()), 400u);
  EXPECT_EQ(
      gate.post(json{{"$schema", "/test/event/1.0.0"}, {"meta", {{"stream", "test.event"}}}, {"test", evil}}.dump(),
                "?%3Cimg%20src=%3Cscript%3E"),
      201u);
  EXPECT_EQ(gate.post(evil), 400u);
  EXPECT_EQ(
      gate.post(R"({"$schema":"/test/event/1.0.0","meta":{"stream":"test.event"},"test":1e999,)" + text.dump() + ":1}"),
      400u);
  EXPECT_TRUE(browser.becomes_true(listed(6)));
  for (int i = 0; i < 6; ++i) {
    browser.run("document.querySelectorAll('#list button')[" + std::to_string(i) +
                "].click();"
                "document.getElementById('curl').click()");
    EXPECT_THAT(browser.run("return document.getElementById('event').textContent").get<std::string>(),
                HasSubstr("onerror=window.hit=1"))
        << i;
    EXPECT_EQ(browser.run("return " + elements), 0) << i;
  }
  EXPECT_EQ(browser.run("return window.hit === undefined"), true);
}

TEST(LivePage, AnOpenedEventShowsTheSchemaItWasCheckedAgainst) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  gate.post("{");
  gate.post(test_event("5"));
  gate.post(test_event(R"("good")"));
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(3)));
  browser.run(opening(0));
  EXPECT_EQ(browser.run("return document.querySelector('#checked summary').innerText"), "Schema /test/event/1.0.0");
  EXPECT_EQ(browser.run("return document.getElementById('document').checkVisibility()"), false);

  // By keyboard alone.
  browser.run("document.getElementById('event').focus()");
  browser.press(std::string(WebDriver::kTab) + WebDriver::kEnter);
  EXPECT_TRUE(browser.becomes_true(kDocumentShown));
  const std::string shown = browser.run("return document.getElementById('document').textContent");
  EXPECT_EQ(shown, HttpClient(gate.process.port()).get("/v1/live/schema?uri=/test/event/1.0.0").body);
  EXPECT_EQ(json::parse(shown)["properties"]["test"]["default"], "default value");
  EXPECT_THAT(shown, HasSubstr("\n    \"test_map\": {\n      \"description\": \"Texts by names of any kind.\","));
  EXPECT_THAT(document_state(browser), StartsWith("As the gate read it for this page"));
  browser.press(WebDriver::kTab);
  EXPECT_EQ(browser.run("return document.activeElement.id"), "document");

  // It stays open from event to event, and is asked for once.
  browser.run(opening(1));
  EXPECT_TRUE(browser.becomes_true(kDocumentShown));
  browser.run("const checked = document.getElementById('checked'); checked.open = false; checked.open = true");
  EXPECT_TRUE(browser.becomes_true(kDocumentShown));
  EXPECT_EQ(browser.run("return performance.getEntriesByType('resource')"
                        ".filter(entry => entry.name.includes('/v1/live/schema')).length"),
            1);
  // What is no event has none.
  browser.run(opening(2));
  EXPECT_EQ(browser.run("return document.getElementById('checked').hidden"), true);
}

TEST(LivePage, NothingOfASchemaBecomesMarkup) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const std::string evil =
      R"(</pre></script><img src=x onerror=window.hit=1><script>window.hit=1</script><svg onload=window.hit=1>)";
  const json schema = {{"title", "test/event"},
                       {"description", evil},
                       {"type", "object"},
                       {"properties", {{evil, {{"type", "string"}, {"enum", {evil}}}}}}};
  const TemporaryFolder folder;
  folder.write("evil/1.0.0", schema.dump());
  const LiveGate gate("schema_base_uris: [schemas, " + folder.path() + "]\n");
  EXPECT_EQ(gate.post(R"({"$schema":"/evil/1.0.0","meta":{"stream":"test.event"}})"), 201u);
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(1)));
  browser.run(opening(0) + "document.getElementById('checked').open = true");
  EXPECT_TRUE(browser.becomes_true(kDocumentShown));
  EXPECT_EQ(json::parse(browser.run("return document.getElementById('document').textContent").get<std::string>()),
            schema);
  EXPECT_EQ(browser.run("return document.getElementById('document').childElementCount"), 0);
  EXPECT_EQ(browser.run("return document.querySelectorAll('img, svg, iframe, #panes script').length"), 0);
  EXPECT_EQ(browser.run("return window.hit === undefined"), true);
}

TEST(LivePage, SaysWhyASchemaCannotBeShown) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const TemporaryFolder folder;
  const std::string file = folder.write("here/1.0.0", R"({"title":"test/event","type":"object"})");
  const LiveGate gate("schema_base_uris: [schemas, " + folder.path() + "]\n");
  EXPECT_EQ(gate.post(R"({"$schema":"/here/1.0.0","meta":{"stream":"test.event"}})"), 201u);
  EXPECT_EQ(gate.post(R"({"$schema":"/no/1.0.0","meta":{"stream":"test.event"}})"), 500u);
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(2)));
  const auto said = [&](const std::string& part) {
    return browser.becomes_true(
        "document.getElementById('document').hidden && "
        "document.getElementById('document-state').textContent.includes('" +
        part + "')");
  };
  browser.run(opening(0) + "document.getElementById('checked').open = true");
  EXPECT_TRUE(said("No schema in use has the URI \"/no/1.0.0\"")) << document_state(browser);
  std::filesystem::rename(file, file + ".away");
  browser.run(opening(1));
  EXPECT_TRUE(said("in none of schema_base_uris any more")) << document_state(browser);
  // That is not remembered.
  std::filesystem::rename(file + ".away", file);
  browser.run("document.getElementById('checked').open = false");
  browser.run("document.getElementById('checked').open = true");
  EXPECT_TRUE(browser.becomes_true(kDocumentShown)) << document_state(browser);
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
  const LiveGate again("", port);
  EXPECT_TRUE(browser.becomes_true(kConnected));
  again.post(test_event(R"("second")"));
  EXPECT_TRUE(browser.becomes_true(listed(2)));
}

TEST(LivePage, AsksForTheTokenAndKeepsItForTheTab) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate("live_token: 0123456789abcdef\n");
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
  // It opens schemas, too.
  browser.run("document.querySelector('#list button').click(); document.getElementById('checked').open = true");
  EXPECT_TRUE(browser.becomes_true(kDocumentShown));
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
  browser.run("window.seen = ''; fetch('http://127.0.0.1:" + std::to_string(gate.process.port()) +
              "/v1/live').then(() => seen = 'an answer', () => seen = 'nothing')");
  EXPECT_TRUE(browser.becomes_true("window.seen"));
  EXPECT_EQ(browser.run("return window.seen"), "nothing");
}

}  // namespace
}  // namespace eventgate
