// The browser client (clients/js) in headless Chromium, in front of a gate.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "client_harness.hpp"
#include "live_gate.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

/// A gate that writes to a file.
class ClientGate {
 public:
  explicit ClientGate(const std::string& config = "") : gate_("output_path: " + file() + "\n" + config) {}

  std::string url() const { return gate_.uri(""); }
  std::vector<json> events() const {
    std::vector<json> found;
    std::ifstream lines(file());
    for (std::string line; std::getline(lines, line);)
      if (!line.empty() && line.back() == '}') found.push_back(json::parse(line));
    return found;
  }
  std::string file() const { return folder_.path() + "/events.ndjson"; }
  const LiveGate& gate() const { return gate_; }

 private:
  TemporaryFolder folder_;
  LiveGate gate_;
};

TEST(BrowserClient, SubmitCompletesTheEventAndTheGateTakesIt) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const ClientGate gate;
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  const json result = browser.run_async(with_client("url: '" + gate.url() + "'") +
                                        "const given = event('one', {meta: {request_id: 'r'}});"
                                        "const before = JSON.stringify(given);"
                                        "const first = events.submit('test.event', given);"
                                        "events.submit('test.event', event('two', {client_dt: 'x', dt: 'y'}));"
                                        "await events.flush();"
                                        "return {first, unchanged: JSON.stringify(given) === before, "
                                        "stats: events.stats(), drops, id: sessionStorage.length};");
  ASSERT_TRUE(result.is_object()) << result;
  EXPECT_EQ(result["first"]["accepted"], true);
  EXPECT_EQ(result["unchanged"], true);
  EXPECT_EQ(result["stats"], json::parse(R"({"submitted":2,"sent":2,"waiting":0,"dropped":{}})"));
  EXPECT_EQ(result["id"], 0);
  const auto events = gate.events();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0]["meta"]["id"], result["first"]["id"]);
  EXPECT_EQ(events[0]["meta"]["request_id"], "r");
  EXPECT_EQ(events[0]["meta"]["domain"], "127.0.0.1");
  EXPECT_THAT(events[0]["dt"].get<std::string>(), testing::MatchesRegex("20..-..-..T..:..:..\\....Z"));
  EXPECT_NE(events[1].value("dt", ""), "y");
}

TEST(BrowserClient, RefusesAtTheCallAndSaysWhy) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  const json reasons = browser.run_async(
      with_client("url: 'http://127.0.0.1:9', linger: 1e6, streams: {'test.event': {}, off: {sample: {unit: 'device', "
                  "rate: 1}}}, max_event: 2000") +
      "const cyclic = event('x'); cyclic.cyclic = cyclic;"
      "const reason = (stream, given) => { const got = events.submit(stream, given); return got.reason || "
      "got.accepted; };"
      "const found = [reason('test.event', {}), reason('test.event'), reason('', event('x')), reason('other', "
      "event('x')),"
      "  reason('constructor', event('x')), reason('off', event('x')), reason('test.event', event('x'.repeat(2000))),"
      "  reason('test.event', cyclic), reason('test.event', event(1n)), reason('test.event', event('x'))];"
      "for (let i = 0; i < 2000; ++i) events.submit('test.event', event('y'.repeat(1500)));"
      "const memory = events.stats();"
      "events.optOut(); found.push(reason('test.event', event('x')));"
      "return {found, memory, stats: events.stats(), submitted: drops.length};");
  ASSERT_TRUE(reasons.is_object()) << reasons;
  EXPECT_EQ(reasons["found"], json::parse(R"(["no_schema","no_schema","no_schema","not_configured","not_configured",
      "not_sampled","too_large","invalid","invalid",true,"opted_out"])"));
  // A megabyte of events of about 1,700 bytes: fewer than 1000.
  const std::size_t waiting = reasons["memory"]["waiting"];
  EXPECT_GT(waiting, 400u);
  EXPECT_LT(waiting, 700u);
  EXPECT_EQ(reasons["memory"]["dropped"]["queue_full"], 2001 - waiting);
  EXPECT_EQ(reasons["stats"]["waiting"], 0);
  EXPECT_EQ(reasons["stats"]["dropped"]["opted_out"], waiting + 1);
  EXPECT_EQ(reasons["submitted"], 2011);
}

/// The rule of docs/client.md: the first 8 hexadecimal digits, as a fraction of the largest such number, are below the
/// rate.
bool is_in_sample(const std::string& id, double rate) {
  const auto number = static_cast<double>(std::stoull(id.substr(0, 8), nullptr, 16));
  return number / 4294967295.0 < rate;
}

TEST(BrowserClient, SamplingIsTheFormula) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  std::mt19937_64 random(23);
  std::vector<std::string> ids{"00000000aaaaaaaaaaaa", "ffffffffaaaaaaaaaaaa", "7fffffff000000000000",
                               "80000000000000000000", "00418937000000000000"};
  while (ids.size() < 1000) {
    std::string id;
    for (int i = 0; i < 20; ++i) id += "0123456789abcdef"[random() % 16];
    ids.push_back(id);
  }
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  const std::vector<double> rates{0, 1, 0.5, 0.001};
  for (const char* const unit : {"session", "pageview"}) {
    const json found = browser.run_async(
        with_client("") + "const ids = " + json(ids).dump() + ", rates = " + json(rates).dump() +
        ";"
        "return ids.map(id => { const client = createClient({ids: {" +
        unit + ": id}, streams: Object.fromEntries(rates.map(rate => [rate, {sample: {unit: '" + unit +
        "', rate}}]))}); const found = rates.map(rate => client.inSample(String(rate))); client.close(); return found; "
        "});");
    ASSERT_EQ(found.size(), ids.size()) << found;
    std::size_t halves = 0;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      for (std::size_t rate = 0; rate < rates.size(); ++rate)
        EXPECT_EQ(found[i][rate], is_in_sample(ids[i], rates[rate])) << unit << ' ' << ids[i] << ' ' << rates[rate];
      halves += found[i][2] == true ? 1u : 0u;
    }
    EXPECT_GT(halves, 400u);
    EXPECT_EQ(found[0], json::parse("[false,true,true,true]"));
    EXPECT_EQ(found[1], json::parse("[false,false,false,false]"));
  }
}

TEST(BrowserClient, StreamConfigsOfTheGateDecide) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const TemporaryFolder folder;
  const std::string streams = folder.write("streams.yaml",
                                           "test.event: {schema_title: test/event}\n"
                                           "test.off: {schema_title: test/event, sample: {unit: session, rate: 0}}\n"
                                           "/^test\\.many\\..+/: {schema_title: test/event}\n"
                                           "test.old: {schema_title: test/event, producers: {metrics_platform_client: "
                                           "{stream_name: test.event}}}\n");
  const ClientGate gate("stream_config_uri: " + streams + "\nerror_stream: ''\n");
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  const json result = browser.run_async(
      with_client("url: '" + gate.url() + "', streams: 'fetch', linger: 0") +
      "for (const stream of ['test.event', 'test.off', 'test.many.a', 'test.old', 'not.declared', 'constructor'])"
      "  events.submit(stream, event(stream));"
      "while (events.stats().waiting) await new Promise(done => setTimeout(done, 20));"
      "return {stats: events.stats(), later: events.submit('test.off', event('x')), drops: drops.map(drop => "
      "[drop.stream,"
      " drop.reason]), sampled: events.inSample('test.event')};");
  ASSERT_TRUE(result.is_object()) << result;
  EXPECT_EQ(result["stats"],
            json::parse(R"({"submitted":6,"sent":3,"waiting":0,"dropped":{"not_sampled":1,"not_configured":2}})"));
  EXPECT_EQ(result["later"]["reason"], "not_sampled");
  EXPECT_EQ(result["sampled"], true);
  std::multiset<std::string> streams_of;
  for (const json& each : gate.events()) streams_of.insert(each["meta"]["stream"].get<std::string>());
  EXPECT_EQ(streams_of, (std::multiset<std::string>{"test.event", "test.event", "test.many.a"}));
}

TEST(BrowserClient, WithoutStreamConfigsTheGateDecides) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  StandIn stand_in([](std::size_t, const json&) { return StandIn::Answer(); });
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  const json stats = browser.run_async(with_client("url: '" + stand_in.url() + "', streams: 'fetch', linger: 0") +
                                       "for (let i = 0; i < 101; ++i) events.submit('a', event(String(i)));"
                                       "while (events.stats().waiting) await new Promise(done => setTimeout(done, 20));"
                                       "return events.stats();");
  EXPECT_EQ(stats, json::parse(R"({"submitted":101,"sent":100,"waiting":0,"dropped":{"queue_full":1}})"));
  EXPECT_EQ(stand_in.others(), 1u);
}

/// Events whose page is left after 400 ms: none is lost, none is twice.
TEST(BrowserClient, APageThatIsLeftAfter400MsLosesNothing) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const ClientGate gate;
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  browser.run_async(with_client("url: '" + gate.url() + "'") +
                    "for (let i = 0; i < 30; ++i) events.submit('test.event', event(i + ' ' + 'x'.repeat(3000)));"
                    "setTimeout(() => location.href = '/next', 400);");
  EXPECT_TRUE(becomes([&] { return gate.events().size() >= 30; })) << gate.events().size();
  EXPECT_TRUE(browser.becomes_true("location.pathname === '/next'"));
  std::set<std::string> ids;
  for (const json& event : gate.events()) ids.insert(event["meta"]["id"].get<std::string>());
  EXPECT_EQ(ids.size(), 30u);
  EXPECT_EQ(gate.events().size(), 30u);
}

TEST(BrowserClient, ALeftPageHandsOverMoreThanABeaconTakes) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const ClientGate gate("error_stream: ''\n");
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  browser.run_async(with_client("url: '" + gate.url() + "', linger: 1e6, loss_stream: 'eventgate.client_loss'") +
                    "const send = navigator.sendBeacon.bind(navigator); window.beacons = [];"
                    "navigator.sendBeacon = (url, body) => { const taken = send(url, body);"
                    "  beacons.push([body.length, taken]); return taken; };"
                    "for (let i = 0; i < 40; ++i) events.submit('test.event', event(i + ' ' + 'x'.repeat(900)));"
                    "events.submit('test.event', {});"
                    "for (let i = 0; i < 3; ++i) events.submit('test.event', event(i + ' ' + 'x'.repeat(30000)));"
                    "window.dispatchEvent(new Event('pagehide'));");
  // Two events are the client's own: one after the loss, one because the page is left.
  EXPECT_TRUE(becomes([&] { return gate.events().size() >= 45; })) << gate.events().size() << gate.gate().process.log();
  const json stats = browser.run("return events.stats()");
  EXPECT_EQ(stats, json::parse(R"({"submitted":44,"sent":43,"waiting":0,"dropped":{"no_schema":1}})"));
  const json beacons = browser.run("return beacons");
  for (const json& beacon : beacons) EXPECT_LE(beacon[0], 61440);
  json loss;
  std::set<std::string> ids;
  for (const json& event : gate.events()) {
    ids.insert(event["meta"]["id"].get<std::string>());
    if (event["$schema"] == "/eventgate/client_loss/1.0.0" && event["sequence"] == 2) loss = event;
  }
  EXPECT_EQ(ids.size(), 45u);
  ASSERT_TRUE(loss.is_object());
  EXPECT_EQ(loss["dropped"], json::parse(R"({"no_schema":1})"));
  EXPECT_EQ(loss["submitted"], 44);
}

TEST(BrowserClient, LegacyEventsAreCapsules) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const ClientGate gate("error_stream: ''\n");
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  const json stats = browser.run_async(with_client("url: '" + gate.url() + "', wiki: 'enwiki'") +
                                       "events.logEvent('Test', {OtherMessage: 'hello'}); await events.flush();"
                                       "return [events.stats(), drops]");
  EXPECT_EQ(stats[0]["sent"], 1) << stats;
  const auto events = gate.events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["$schema"], "/analytics/legacy/test/1.0.0");
  EXPECT_EQ(events[0]["meta"]["stream"], "eventlogging_Test");
  EXPECT_EQ(events[0]["schema"], "Test");
  EXPECT_EQ(events[0]["wiki"], "enwiki");
  EXPECT_EQ(events[0]["event"], json::parse(R"({"OtherMessage":"hello"})"));
}

TEST(BrowserClient, SignalsOfTheBrowserOptOut) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  const json found =
      browser.run_async(with_client("") +
                        "const reason = options => createClient(options).submit('a', event('x')).reason || 'accepted';"
                        "const none = reason({respect: ['gpc', 'dnt']});"
                        "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true, configurable: true});"
                        "const gpc = [reason({}), reason({respect: ['gpc']}), reason({respect: ['dnt']})];"
                        "Object.defineProperty(navigator, 'globalPrivacyControl', {value: false});"
                        "Object.defineProperty(navigator, 'doNotTrack', {value: '1'});"
                        "return [none, ...gpc, reason({respect: ['gpc', 'dnt']})];");
  EXPECT_EQ(found, json::parse(R"(["accepted","accepted","opted_out","accepted","opted_out"])"));
}

TEST(BrowserClient, TheClassicScriptOfTheGateIsTheSameClient) {
  if (!WebDriver::available()) GTEST_SKIP() << kNoDriver;
  const ClientGate gate("cors: false\n");
  const ClientSite site;
  WebDriver browser;
  browser.open(site.page());
  const std::string load =
      "const load = (src, integrity) => new Promise((done, failed) => {"
      "  const script = document.createElement('script');"
      "  Object.assign(script, {src, integrity, crossOrigin: 'anonymous', onload: done, onerror: () => "
      "done('refused')});"
      "  document.head.append(script); });";
  const std::string uri = gate.url() + "/client.classic.js";
  const json found = browser.run_async(
      load + "const text = await (await fetch('" + uri +
      "')).arrayBuffer();"
      "const hash = btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest('SHA-384', text))));"
      "const wrong = await load('" +
      uri +
      "', 'sha384-' + hash.replace(/^./, c => c === 'A' ? 'B' : 'A'));"
      "await load('" +
      uri +
      "', 'sha384-' + hash);"
      "const module = await import('" +
      gate.url() +
      "/client.js');"
      "return [wrong, typeof eventGate.createClient, Object.keys(module)];");
  EXPECT_EQ(found, json::parse(R"(["refused","function",["createClient"]])"));
}

}  // namespace
}  // namespace eventgate
