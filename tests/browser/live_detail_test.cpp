// The live page in headless Chromium: one event, its views, and the Send tab.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "live_gate.hpp"
#include "support/kafka_broker.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// The table of the opened event's schema is there.
constexpr const char* kFieldsShown =
    "!document.getElementById('fields').hidden && document.getElementById('fields').rows.length > 1";

/// No script and no picture of an event or a schema got into the page.
constexpr const char* kForeignMarkup = "return document.querySelectorAll('img, svg, iframe, main script').length";

std::string text(WebDriver& browser, const std::string& id) { return browser.run(text_of(id)); }

TEST(LiveDetail, AnOpenedEventShowsAdditionsAndErrorsWhereTheyAre) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  const std::string posted =
      R"({"$schema":"/test/event/1.0.0","meta":{"stream":"test.event","id":7},"test":[1.50,"a'b"]})";
  EXPECT_EQ(gate.post(posted), 400u);
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(1)));

  // By keyboard alone: to the list, open, close.
  browser.run("document.querySelector('.row').focus()");
  browser.press(WebDriver::kEnter);
  EXPECT_TRUE(browser.becomes_true("!document.getElementById('detail').hidden"));
  EXPECT_EQ(browser.run("return document.activeElement.id"), "detail");
  EXPECT_TRUE(browser.becomes_true("document.querySelector('.row').ariaSelected === 'true'"));
  EXPECT_EQ(text(browser, "detail-title"), "Event invalid");
  EXPECT_THAT(text(browser, "facts"), AllOf(HasSubstr("/test/event/1.0.0"), HasSubstr("'.test' should be string")));
  const json added = browser.run(
      "return [...document.querySelectorAll('#event ins')].map(line => line.textContent.trim().split(':')[0])");
  EXPECT_EQ(added, json({"\"dt\"", "\"request_id\""}));
  EXPECT_THAT(browser.run("return document.querySelector('#event ins').textContent").get<std::string>(),
              HasSubstr("added by the gate"));
  const json lines = browser.run(
      "return [...document.getElementById('event').children].map(line => line.textContent).filter((line, i, all) => "
      "line.includes('\\u26a0') || (all[i + 1] || '').includes('\\u26a0'))");
  ASSERT_EQ(lines.size(), 4u) << lines;
  EXPECT_EQ(lines[0], R"("id": 7,)");
  EXPECT_THAT(lines[1].get<std::string>(), HasSubstr("should be string"));
  EXPECT_THAT(lines[2].get<std::string>(), HasSubstr(R"("test": [)"));
  EXPECT_THAT(lines[3].get<std::string>(), HasSubstr("should be string  (#/properties/test/type)"));
  EXPECT_THAT(text(browser, "event"), HasSubstr("1.50,"));

  // Tabs are walked by arrows.
  browser.run("document.getElementById('tab-event').focus()");
  browser.press(WebDriver::kRight);
  EXPECT_EQ(browser.run("return document.getElementById('panel-sent').hidden"), false);
  EXPECT_THAT(text(browser, "sent"), AllOf(HasSubstr("\"test\": ["), Not(HasSubstr("request_id"))));
  browser.press(std::string(WebDriver::kRight) + WebDriver::kRight);
  EXPECT_EQ(browser.run("return document.getElementById('panel-curl').hidden"), false);
  EXPECT_EQ(text(browser, "curl"),
            "curl -i -H 'Content-Type: application/json' '" + gate.uri("/v1/events") + "' --data-raw '" +
                R"({"$schema":"/test/event/1.0.0","meta":{"stream":"test.event","id":7},"test":[1.50,"a'\''b"]}')");
  browser.run("document.getElementById('copy-curl').click()");
  EXPECT_TRUE(browser.becomes_true("document.getElementById('curl-copied').textContent"));
  // The JavaScript posts the same bytes.
  const std::string script = text(browser, "fetch");
  EXPECT_THAT(script,
              StartsWith("const reply = await fetch(\"" + gate.uri("/v1/events") + "\", {\n  method: \"POST\","));
  browser.run(
      "window.sent = []; window.realFetch = fetch; window.fetch = (uri, options) => { sent.push(options.body); "
      "return realFetch(uri, options); }");
  browser.run_async(script);
  EXPECT_EQ(browser.run("return sent"), json({posted}));

  browser.press(WebDriver::kEscape);
  EXPECT_TRUE(browser.becomes_true("document.getElementById('detail').hidden"));
  EXPECT_EQ(browser.run("return Boolean(document.activeElement.event)"), true);
}

TEST(LiveDetail, ObjectsAndArraysFold) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  gate.post(R"({"$schema":"/test/event/1.0.0","meta":{"stream":"test.event"},"list":[1,[2,3],{}]})");
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(1)));
  browser.run(opening(0));
  const std::string visible =
      "return [...document.querySelectorAll('#event .line')].filter(line => line.checkVisibility()).length";
  const int all = browser.run(visible);
  const std::string fold =
      "[...document.querySelectorAll('#event .line')].find(line => line.textContent.includes('\"list\"'))"
      ".querySelector('button')";
  EXPECT_EQ(browser.run("return " + fold + ".getAttribute('aria-label')"), "Content of .list");
  browser.run(fold + ".click()");
  EXPECT_EQ(browser.run(visible), all - 6);
  EXPECT_EQ(browser.run("return " + fold + ".ariaExpanded"), "false");
  EXPECT_THAT(browser.run("return " + fold + ".parentNode.innerText").get<std::string>(), HasSubstr("3 elements"));
  browser.run(fold + ".click()");
  EXPECT_EQ(browser.run(visible), all);
}

TEST(LiveDetail, TextOfAnyDepthAndLengthIsShown) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(kConnected));
  gate.post(std::string(60000, '['));
  std::string many = "[0";
  for (int i = 1; i < 5000; ++i) many += "," + std::to_string(i);
  gate.post(test_event(many + "]"));
  EXPECT_TRUE(browser.becomes_true(listed(2)));
  browser.run(opening(1));
  EXPECT_EQ(text(browser, "event").size(), 60000u);
  browser.run(opening(0));
  EXPECT_EQ(browser.run("return document.querySelectorAll('#event .line').length"), 400);
  browser.run("[...document.querySelectorAll('#event button')].pop().click()");
  EXPECT_EQ(browser.run("return document.querySelectorAll('#event .line').length"), 2400);
}

TEST(LiveDetail, NothingOfAnEventBecomesMarkup) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  const std::string evil =
      R"(</script></pre><img src=x onerror=window.hit=1><script>window.hit=1</script><svg onload=window.hit=1>)";
  const json evil_json = evil;
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(kConnected));
  // In every field there is: key, value, stream, schema, error, query, a body that is no JSON, a request refused whole.
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
  EXPECT_EQ(gate.post(R"({"$schema":"/test/event/1.0.0","meta":{"stream":"test.event"},"test":1e999,)" +
                      evil_json.dump() + ":1}"),
            400u);
  EXPECT_EQ(HttpClient(gate.process.port())
                .exchange(http_request("POST", "/v1/events", "x", {"Content-Type: " + evil}))
                .status,
            400u);
  EXPECT_TRUE(browser.becomes_true(listed(7)));
  EXPECT_TRUE(browser.becomes_true("document.getElementById('stream-rows').textContent.includes('onerror')"));
  for (int i = 0; i < 7; ++i) {
    browser.run(opening(static_cast<std::size_t>(i)));
    EXPECT_THAT(browser.run("return eventAt(" + std::to_string(i) + ").event").get<std::string>(), HasSubstr("onerror"))
        << i;
    for (const char* const name : {"event", "sent", "schema", "curl", "fetch", "kafka", "send"}) browser.run(tab(name));
    EXPECT_EQ(browser.run(kForeignMarkup), 0) << i;
  }
  // What is sent from here, and the reply.
  browser.run("document.getElementById('send-body').value = " + json(event.dump()).dump() +
              "; document.querySelector('#send-form .primary').click()");
  EXPECT_TRUE(browser.becomes_true("document.getElementById('reply').textContent.includes('onerror')"));
  EXPECT_EQ(browser.run(kForeignMarkup), 0);
  EXPECT_EQ(browser.run("return window.hit === undefined"), true);
}

TEST(LiveDetail, SchemaTabIsATableOfTheFields) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  gate.post("{");
  gate.post(test_event("5"));
  gate.post(test_event(R"("good")"));
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(3)));
  browser.run(opening(0) + tab("schema"));
  EXPECT_TRUE(browser.becomes_true(kFieldsShown));
  const auto row = [&](const std::string& field) {
    return browser.run(
        "const row = [...document.querySelectorAll('#fields tbody tr')].find(row => "
        "row.cells[0].textContent === '" +
        field + "'); return row && [...row.cells].slice(1).map(cell => cell.textContent)");
  };
  EXPECT_EQ(row("meta.stream")[1], "yes");
  EXPECT_THAT(row("meta.stream")[0].get<std::string>(), HasSubstr("string"));
  EXPECT_EQ(row("test")[0], "string, default \"default value\"");
  EXPECT_EQ(row("test_map")[2], "Texts by names of any kind.");
  EXPECT_THAT(row("test_map.*")[0].get<std::string>(), HasSubstr("string"));
  EXPECT_THAT(text(browser, "document-state"), StartsWith("/test/event/1.0.0, as the gate read it for this page"));
  // The document is there, too.
  browser.run("document.getElementById('whole').open = true");
  EXPECT_THAT(text(browser, "document"), HasSubstr("\"title\": \"test/event\""));

  // It is read anew for each event, because its file may have changed. A request that is no event has none.
  browser.run(opening(1));
  EXPECT_TRUE(browser.becomes_true(kFieldsShown));
  EXPECT_EQ(browser.run("return performance.getEntriesByType('resource')"
                        ".filter(entry => entry.name.includes('/v1/live/schema')).length"),
            2);
  browser.run(opening(2));
  EXPECT_EQ(browser.run("return document.getElementById('tab-schema').disabled"), true);
  EXPECT_EQ(browser.run("return document.getElementById('panel-event').hidden"), false);
}

TEST(LiveDetail, SchemaTabSaysThatTheFileHasChanged) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const TemporaryFolder folder;
  folder.write("test/event/1.0.0", R"({"title":"test/event","type":"object","properties":{"old":{"type":"string"}}})");
  const LiveGate gate("output_path: /dev/null\nschema_base_uris: [" + folder.path() + "]\nerror_stream: ''\n");
  EXPECT_EQ(gate.post(test_event("5")), 201u);
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(1)));
  browser.run(opening(0) + tab("schema"));
  EXPECT_TRUE(browser.becomes_true(kFieldsShown));
  EXPECT_THAT(text(browser, "document-state"), Not(HasSubstr("has changed")));
  folder.write("test/event/1.0.0", R"({"title":"test/event","type":"object","properties":{"new":{"type":"string"}}})");
  browser.run(tab("event") + tab("schema"));
  EXPECT_TRUE(browser.becomes_true("document.getElementById('document-state').textContent.includes('has changed')"));
}

TEST(LiveDetail, NothingOfASchemaBecomesMarkup) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const std::string evil =
      R"(</pre></script><img src=x onerror=window.hit=1><script>window.hit=1</script><svg onload=window.hit=1>)";
  const json schema = {{"title", "test/event"},
                       {"description", evil},
                       {"type", "object"},
                       {"properties", {{evil, {{"type", "string"}, {"enum", {evil}}, {"description", evil}}}}}};
  const TemporaryFolder folder;
  folder.write("evil/1.0.0", schema.dump());
  const LiveGate gate("output_path: /dev/null\nschema_base_uris: [schemas, " + folder.path() + "]\n");
  EXPECT_EQ(gate.post(R"({"$schema":"/evil/1.0.0","meta":{"stream":"test.event"}})"), 201u);
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(1)));
  browser.run(opening(0) + tab("schema"));
  EXPECT_TRUE(browser.becomes_true(kFieldsShown));
  EXPECT_EQ(browser.run("return document.querySelector('#fields tbody tr').cells[0].textContent"), evil);
  EXPECT_EQ(browser.run("return document.querySelector('#fields tbody tr').cells[2].textContent"), "");
  EXPECT_EQ(browser.run("return document.querySelector('#fields tbody').querySelectorAll('*:not(tr, td)').length"), 0);
  EXPECT_EQ(browser.run(kForeignMarkup), 0);
  EXPECT_EQ(browser.run("return window.hit === undefined"), true);
}

TEST(LiveDetail, SaysWhyASchemaCannotBeShown) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const TemporaryFolder folder;
  const std::string file =
      folder.write("here/1.0.0", R"({"title":"test/event","type":"object","properties":{"a":{}}})");
  const LiveGate gate("output_path: /dev/null\nschema_base_uris: [schemas, " + folder.path() + "]\n");
  EXPECT_EQ(gate.post(R"({"$schema":"/here/1.0.0","meta":{"stream":"test.event"}})"), 201u);
  EXPECT_EQ(gate.post(R"({"$schema":"/no/1.0.0","meta":{"stream":"test.event"}})"), 500u);
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(2)));
  const auto said = [&](const std::string& part) {
    return browser.becomes_true(
        "document.getElementById('fields').hidden && "
        "document.getElementById('document-state').textContent.includes('" +
        part + "')");
  };
  browser.run(opening(0) + tab("schema"));
  EXPECT_TRUE(said("No schema in use has the URI \"/no/1.0.0\"")) << text(browser, "document-state");
  std::filesystem::rename(file, file + ".away");
  browser.run(opening(1));
  EXPECT_TRUE(said("in none of schema_base_uris any more")) << text(browser, "document-state");
  // That is not remembered.
  std::filesystem::rename(file + ".away", file);
  browser.run(tab("event") + tab("schema"));
  EXPECT_TRUE(browser.becomes_true(kFieldsShown)) << text(browser, "document-state");
}

TEST(LiveDetail, SendStartsFromTheSchemasExampleAndShowsTheReply) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const LiveGate gate;
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true("summary !== null"));
  browser.run("document.getElementById('compose').click()");
  EXPECT_TRUE(browser.becomes_true("document.getElementById('send-state').textContent.startsWith('From /test/event/')"))
      << text(browser, "send-state");
  const json event = json::parse(browser.run("return document.getElementById('send-body').value").get<std::string>());
  EXPECT_EQ(event["meta"], json({{"stream", "test.event"}}));
  EXPECT_THAT(event["$schema"].get<std::string>(), StartsWith("/test/event/"));
  browser.run("document.querySelector('#send-form .primary').click()");
  EXPECT_TRUE(browser.becomes_true("document.getElementById('send-state').textContent.startsWith('201 ')"))
      << text(browser, "send-state");
  EXPECT_TRUE(browser.becomes_true(listed(1)));
  EXPECT_EQ(browser.run(kListed)[0], "accepted test.event " + event["$schema"].get<std::string>());

  // The schema of a stream that no event has used yet.
  browser.run(
      "document.getElementById('send-stream').value = 'mediawiki.interwiki_link_hover';"
      "document.getElementById('send-example').click()");
  EXPECT_TRUE(
      browser.becomes_true("document.getElementById('send-body').value.includes('/analytics/link_hover/1.1.0')"))
      << text(browser, "send-state");
  // A reply with a body.
  browser.run(
      "document.getElementById('send-body').value = '{\"a\": }';"
      "document.querySelector('#send-form .primary').click()");
  EXPECT_TRUE(browser.becomes_true("document.getElementById('reply').textContent.includes('\"detail\"')"));
  EXPECT_THAT(text(browser, "send-state"), StartsWith("400 "));
  // An event that is opened can be sent again, as it was sent.
  EXPECT_TRUE(browser.becomes_true(listed(2)));
  browser.run(opening(0) + tab("send"));
  EXPECT_EQ(browser.run("return document.getElementById('send-body').value"), "{\"a\": }");
}

TEST(LiveDetail, KafkaTabSaysWhereTheRecordIs) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  if (const auto reason = KafkaBroker::unavailable()) GTEST_SKIP() << *reason;
  KafkaBroker& kafka = KafkaBroker::shared();
  const std::string prefix = fresh_topic() + ".";
  const LiveGate gate("topic_prefix: " + prefix + "\nkafka: {conf: {metadata.broker.list: '" + kafka.address() +
                      "'}}\n");
  EXPECT_EQ(gate.post(test_event("\"first\"", "test.keyed.one")), 201u);
  EXPECT_EQ(gate.post(test_event("\"second\"", "test.keyed.one"), "?hasty=true"), 202u);
  WebDriver browser;
  browser.open(gate.page());
  EXPECT_TRUE(browser.becomes_true(listed(2)));
  for (int i = 0; i < 2; ++i) {
    browser.run(opening(static_cast<std::size_t>(i)) + tab("kafka"));
    EXPECT_THAT(text(browser, "kafka"), AllOf(StartsWith("Topic" + prefix + "test.keyed.oneKey{\"id\":\""),
                                              HasSubstr("Partition0Offset" + std::to_string(1 - i))));
    EXPECT_THAT(text(browser, "kafka-command"),
                HasSubstr("-t '" + prefix + "test.keyed.one' -p 0 -o " + std::to_string(1 - i) + " -c 1"));
  }
}

}  // namespace
}  // namespace eventgate
