// Streams of a gate that runs: served to clients and to another gate, watched by canaries, and shown by commands.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/gate_process.hpp"
#include "support/http_client.hpp"
#include "support/ledger_samples.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kPerWiki =
    "default:\n"
    "  shop.order: {schema_title: test/event, canary_events_enabled: true, sample: {unit: session, rate: 1}}\n"
    "  /^shop\\.r/: {schema_title: test/event}\n"
    "+metawiki:\n"
    "  meta.only: {schema_title: test/event}\n"
    "+enwiki:\n"
    "  shop.order: {sample: {rate: 0.1}}\n";

/// A folder with stream configs, and the config that names them.
class StreamsOfAGate : public testing::Test {
 protected:
  std::string config(const std::string& more = "") const {
    return "schema_base_uris: [schemas]\nstream_config_uri: [" + streams_ + "]\noutput_path: " + folder_.path() +
           "/events.ndjson\n" + more;
  }

  GateRun run(const std::string& command, const std::vector<std::string>& arguments) {
    const std::string file = folder_.write("config.yaml", config("schema_precache_uris: []\n"));
    std::vector<std::string> words{command, "-c", file};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return run_gate(words);
  }

  TemporaryFolder folder_;
  const std::string streams_ = folder_.write("streams.yaml", kPerWiki);
};

TEST_F(StreamsOfAGate, ActionOfOneGate_IsTheStreamConfigUriOfAnother) {
  const GateProcess one({}, config("stream_config_service: {path: /w/api.php, wikis: {meta.example: metawiki}}\n"));
  const std::string base = "http://127.0.0.1:" + std::to_string(one.port());
  const GateProcess two({}, "schema_base_uris: [schemas]\nstream_config_object_path: streams\nstream_config_uri: '" +
                                base + "/w/api.php?action=streamconfigs&format=json&formatversion=2'\n" +
                                "stream_config_uri_options: {headers: {Host: meta.example}}\noutput_path: " +
                                folder_.path() + "/two.ndjson\n");
  HttpClient client(two.port());
  const json configs = json::parse(client.get("/v1/stream-configs").body);
  EXPECT_EQ(configs["shop.order"]["sample"]["rate"], 1);
  EXPECT_TRUE(configs.contains("meta.only"));
  EXPECT_EQ(configs["/^shop\\.r/"]["stream"], "/^shop\\.r/");
  for (const std::string stream : {"shop.order", "shop.r1", "meta.only"})
    EXPECT_EQ(
        client.post("/v1/events", R"({"$schema":"/test/event/1.0.0","meta":{"stream":")" + stream + "\"}}").status,
        201u)
        << stream;
}

TEST_F(StreamsOfAGate, ReloadWithoutAStream_RefusesItsEventsUnderItsName) {
  const GateProcess gate({}, config());
  HttpClient client(gate.port());
  const std::string event = R"({"$schema":"/test/event/1.0.0","meta":{"stream":"shop.order"}})";
  EXPECT_EQ(client.post("/v1/events", event).status, 201u);
  folder_.write("streams.yaml", "other: {schema_title: test/event}\n");
  gate.signal(SIGHUP);
  EXPECT_THAT(gate.log_with("\"reloaded\""), HasSubstr("A stream is taken out of the stream configs"));
  EXPECT_THAT(client.post("/v1/events", event).body, HasSubstr("shop.order is not configured."));
  EXPECT_THAT(gate.log_with("Events still come"), HasSubstr("Events still come for a stream that is taken out"));
  const LedgerSamples ledger(HttpClient(gate.metrics_port()).get("/metrics").body);
  EXPECT_EQ(ledger.refused("shop.order"), (std::map<std::string, double>{{"stream", 1}}));
}

TEST_F(StreamsOfAGate, CanariesOfARunningGateAreProduced) {
  const GateProcess gate({}, config("canary: {interval: 10s}\n"));
  const auto produced = [&] {
    return LedgerSamples(HttpClient(gate.metrics_port()).get("/metrics").body).value("produced_total", "canary") >= 1;
  };
  EXPECT_TRUE(becomes(produced)) << gate.log();
}

TEST_F(StreamsOfAGate, CommandStreams_PrintsWhatAWikiGetsAndWhatAFileChanges) {
  const GateRun of_enwiki = run("streams", {"--wiki", "enwiki"});
  EXPECT_EQ(of_enwiki.status, 0) << of_enwiki.output;
  const json streams = json::parse(of_enwiki.output);
  EXPECT_EQ(streams["shop.order"]["sample"], json::parse(R"({"rate": 0.1, "unit": "session"})"));
  EXPECT_FALSE(streams.contains("meta.only"));
  EXPECT_TRUE(json::parse(run("streams", {}).output).contains("meta.only"));

  const std::string changed =
      folder_.write("changed.yaml",
                    "default: {shop.order: {schema_title: test/event, sample: {unit: session, rate: 0.5}}, new: {}}\n"
                    "+enwiki: {shop.order: {sample: {rate: 0.1}}}\n");
  const GateRun diff = run("streams", {"--diff", changed});
  EXPECT_EQ(diff.status, 0);
  EXPECT_THAT(diff.output, AllOf(HasSubstr("  + new\n"), HasSubstr("  - /^shop\\.r/\n"),
                                 HasSubstr("  ~ shop.order sample.rate: 1 -> 0.5\n"),
                                 HasSubstr("  ~ shop.order canary_events_enabled: true -> (none)\n"),
                                 HasSubstr("metawiki:\n  - /^shop\\.r/\n  - meta.only\n")));
  EXPECT_EQ(run("streams", {"--diff", streams_}).output, "no changes\n");
  EXPECT_EQ(run("streams", {"--wiki", "En"}).status, 1);
}

TEST_F(StreamsOfAGate, CommandCanary_PrintsOrPostsAndFailsIfOneIsRefused) {
  const GateRun printed = run("canary", {});
  EXPECT_EQ(printed.status, 0) << printed.output;
  const json event = json::parse(printed.output);
  EXPECT_EQ(event["meta"]["stream"], "shop.order");
  EXPECT_EQ(event["meta"]["domain"], "canary");
  const GateRun unknown = run("canary", {"nope"});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.output, HasSubstr("nope: expected a stream that is declared"));

  const GateProcess gate({}, config());
  const std::string url = "http://127.0.0.1:" + std::to_string(gate.port()) + "/v1/events";
  const GateRun posted = run("canary", {"--post", url, "shop.order", "meta.only"});
  EXPECT_EQ(posted.status, 0) << posted.output;
  const LedgerSamples ledger(HttpClient(gate.metrics_port()).get("/metrics").body);
  EXPECT_EQ(ledger.value("produced_total", "shop.order"), 1);
  EXPECT_EQ(ledger.value("produced_total", "meta.only"), 1);
  const GateRun refused = run("canary", {"--post", url + "/none", "shop.order"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.output, HasSubstr("expected status 201 or 202, got 404"));
}

TEST_F(StreamsOfAGate, Check_WarnsOfWhatAWikiCannotUse) {
  folder_.write("streams.yaml",
                "default:\n"
                "  a.b: {schema_title: test/event, topics: [x], enrich_fields_from_http_headers: {}}\n"
                "  a_b: {schema_title: test/event, sample: {unit: session, rate: 2}}\n"
                "  slash: {schema_title: /test/event}\n"
                "  hover: {schema_title: error, canary_events_enabled: true}\n"
                "+dewiki: {a.b: {sample: {rate: 0.1}}, de.only: {schema_title: test/event}}\n"
                "+large: {}\n");
  const GateRun all = run("check", {"--wiki", "all"});
  for (const std::string expected :
       {"stream 'a.b': no topic_prefix makes the topic \"x\"", "`enrich_fields_from_http_headers` does nothing here",
        "stream 'slash': `schema_title` begins with a slash", "streams 'a.b' and 'a_b' are one table, 'a_b'",
        "stream 'a_b': `sample.rate` is 2",
        "stream 'a.b': `sample.unit` is missing: no client sends its events; expected pageview, session or device (for "
        "dewiki)",
        "stream 'de.only': declared for 'dewiki' only", "stream configs of '+large': no wiki has such a group"})
    EXPECT_THAT(all.output, HasSubstr(expected));
  EXPECT_THAT(run("check", {}).output, Not(HasSubstr("`sample.unit` is missing")));
}

}  // namespace
}  // namespace eventgate
