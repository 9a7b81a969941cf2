#include "eventgate/legacy/beacons.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "beacon_harness.hpp"
#include "eventgate/gate/live_event.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string capsule_with(const std::string& members) {
  const std::string capsule = kValidCapsule;
  return capsule.substr(0, capsule.size() - 1) + "," + members + "}";
}

constexpr const char* kNow = "2026-11-22T02:39:06.102Z";

TEST(Beacons, Event_HasTheCapsuleAndWhatTheGateAdds) {
  BeaconHarness harness;
  const BeaconSender sender{{{"User-Agent", "Firefox"}, {"X-Client-IP", "198.51.100.7"}, {"Cookie", "secret"}}};
  const json event = harness.event_of(kValidCapsule, sender);
  EXPECT_EQ(event["$schema"], "/analytics/legacy/test/1.0.0");
  EXPECT_EQ(event["meta"]["stream"], "eventlogging_Test");
  EXPECT_EQ(event["meta"]["domain"], "en.wikipedia.org");
  EXPECT_EQ(event["meta"]["dt"], kNow);
  EXPECT_EQ(event["dt"], kNow);
  EXPECT_EQ(event["client_dt"], kNow);
  EXPECT_EQ(event["uuid"], event["meta"]["id"]);
  EXPECT_EQ(event["uuid"].get<std::string>().size(), 36u);
  EXPECT_EQ(event["seqId"], 1);
  EXPECT_FALSE(event["recvFrom"].get<std::string>().empty());
  EXPECT_EQ(event["http"]["request_headers"]["user-agent"], "Firefox");
  EXPECT_EQ(event["http"]["client_ip"], "198.51.100.7");
  EXPECT_FALSE(event.contains("ip"));
  EXPECT_EQ(harness.sink->records.size(), 0u);
  EXPECT_EQ(harness.beacon_count("success", "none"), "1");
}

TEST(Beacons, Topic_IsTheOldNameWithoutPrefix) {
  BeaconHarness harness;
  harness.process(percent_encode(kValidCapsule) + ";");
  ASSERT_EQ(harness.sink->records.size(), 1u);
  EXPECT_EQ(harness.sink->records[0].topic, "eventlogging_Test");
}

TEST(Beacons, FieldsOfTheGate_CannotBeForged) {
  BeaconHarness harness;
  const json event = harness.event_of(capsule_with(
      R"("$schema":"/x/1.0.0","meta":{"stream":"x","id":"mine","request_id":"r","uri":"u","dt":"2001-01-01T00:00:00Z",)"
      R"("other":1},"seqId":7,"recvFrom":"elsewhere","ip":"192.0.2.1","clientIp":"a","topic":"t","isTruncated":true,)"
      R"("clientValidated":true)"));
  EXPECT_EQ(event["$schema"], "/analytics/legacy/test/1.0.0");
  EXPECT_EQ(event["meta"]["stream"], "eventlogging_Test");
  EXPECT_EQ(event["meta"]["dt"], kNow);
  EXPECT_EQ(event["meta"]["id"], "mine");
  EXPECT_EQ(event["uuid"], "mine");
  EXPECT_EQ(event["meta"]["request_id"], "r");
  EXPECT_EQ(event["meta"]["uri"], "u");
  EXPECT_FALSE(event["meta"].contains("other"));
  EXPECT_EQ(event["seqId"], 1);
  EXPECT_NE(event["recvFrom"], "elsewhere");
  for (const char* const removed : {"ip", "clientIp", "topic", "isTruncated", "clientValidated"})
    EXPECT_FALSE(event.contains(removed)) << removed;
}

TEST(Beacons, ClientTime_IsTheFirstThatIsOne) {
  BeaconHarness harness;
  const auto client_dt = [&](const std::string& members) {
    return harness.event_of(capsule_with(members))["client_dt"];
  };
  EXPECT_EQ(client_dt(R"("client_dt":"2020-04-02T19:11:20.942Z","dt":"2013-01-21T18:10:34Z")"),
            "2020-04-02T19:11:20.942Z");
  EXPECT_EQ(client_dt(R"("client_dt":"x","dt":"2013-01-21T18:10:34+02:00")"), "2013-01-21T16:10:34.000Z");
  EXPECT_EQ(client_dt(R"("dt":5,"timestamp":1358791834912)"), "2013-01-21T18:10:34.912Z");
  EXPECT_EQ(client_dt(R"("timestamp":1358791834.9125)"), "2013-01-21T18:10:34.913Z");
  EXPECT_EQ(client_dt(R"("timestamp":1358791834)"), "2013-01-21T18:10:34.000Z");
  EXPECT_EQ(client_dt(R"("timestamp":1e300)"), kNow);
  EXPECT_EQ(client_dt(R"("timestamp":-1e300)"), kNow);
  EXPECT_EQ(client_dt(R"("timestamp":"2013-01-21")"), kNow);
}

TEST(Beacons, FieldsThatTheSchemaDoesNotDeclare_AreNotAdded) {
  BeaconHarness harness;
  json schema = json::parse(kTestCapsuleSchema);
  schema["properties"].erase("client_dt");
  schema["properties"].erase("seqId");
  harness.reader->put("/schemas/analytics/legacy/test/1.0.0", schema.dump());
  const json event = harness.event_of(kValidCapsule);
  EXPECT_FALSE(event.contains("client_dt"));
  EXPECT_FALSE(event.contains("seqId"));
}

TEST(Beacons, UserAgentOfTheCapsule_TakesThePlaceOfTheHeader) {
  BeaconHarness harness;
  const BeaconSender sender{{{"user-agent", "PHP"}}};
  const auto user_agent = [&](const std::string& members) {
    const json event = harness.event_of(capsule_with(members), sender);
    EXPECT_FALSE(event.contains("userAgent"));
    return event["http"]["request_headers"]["user-agent"];
  };
  EXPECT_EQ(user_agent(R"("userAgent":"Fire\u0066ox")"), "Firefox");
  EXPECT_EQ(user_agent(R"("userAgent":"")"), "PHP");
  // A hasty beacon takes the same way.
  harness.take(percent_encode(capsule_with(R"("userAgent":"Opera")")), sender);
  EXPECT_EQ(harness.take_events().at(0)["http"]["request_headers"]["user-agent"], "Opera");
}

TEST(Beacons, Ip_IsSetIfTheConfigWantsIt) {
  BeaconHarness::Setup setup;
  setup.legacy.ip = true;
  BeaconHarness harness(std::move(setup));
  EXPECT_EQ(harness.event_of(kValidCapsule)["ip"], "192.0.2.7");
}

TEST(Beacons, MembersThatAreNotKnown_MakeItInvalidAndItsErrorEventHasTheText) {
  BeaconHarness harness;
  const std::string capsule = capsule_with(R"("extra":1)");
  const BeaconOutcome outcome = harness.process(percent_encode(capsule) + ";");
  EXPECT_EQ(beacon_outcome_name(outcome), "invalid");
  const auto errors = harness.take_error_events();
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0]["error_type"], "validation");
  EXPECT_EQ(errors[0]["raw_event"], capsule);
  EXPECT_EQ(harness.beacon_count("invalid", "validation"), "1");
}

TEST(Beacons, Flaws_AreInvalidAsInAPost) {
  BeaconHarness harness;
  for (const char* const members : {R"("wiki":"x","wiki":"y")", R"("extra":1e400)", R"("x":"\ud800")"})
    EXPECT_EQ(beacon_outcome_name(harness.process(percent_encode(capsule_with(members)))), "invalid") << members;
}

/// Every cause: its count in the metrics and the ledger, its error event.
TEST(Beacons, EachCause_IsCountedAndMakesItsErrorEvent) {
  BeaconHarness::Setup setup;
  setup.legacy.schemas["Echo"].revisions = {{7, "1.0.0"}};
  setup.legacy.web_hosts = {"wikipedia.org"};
  setup.live = true;
  BeaconHarness harness(std::move(setup));
  const std::vector<std::pair<std::string, std::string>> queries{
      {"empty", ";"},
      {"truncated", R"({"schema":"Test","event":)"},
      {"malformed", R"({"schema":"Test"}x;)"},
      {"not_object", "[];"},
      {"no_schema", "{};"},
      {"unknown_schema", R"({"schema":"Nope"};)"},
      {"unknown_revision", R"({"schema":"Echo","revision":8};)"},
      {"web_host", R"({"schema":"Test","webHost":"evil.example"};)"}};
  for (const auto& [cause, query] : queries) {
    const BeaconOutcome outcome = harness.process(query);
    ASSERT_TRUE(outcome.refusal) << cause;
    EXPECT_EQ(failure_cause_name(outcome.refusal->cause), "legacy_" + cause);
    EXPECT_EQ(harness.beacon_count("refused", cause), "1") << cause;
    EXPECT_EQ(harness.metric("eventgate_ledger_refused_total{service=\"test\",cause=\"legacy_" + cause +
                             "\",stream=\"unknown\"}"),
              "1")
        << cause;
    EXPECT_EQ(harness.metric("eventgate_legacy_query_bytes_count{service=\"test\",cause=\"" + cause + "\"}"), "1");
    const auto errors = harness.take_error_events();
    if (cause == "web_host") {
      EXPECT_TRUE(errors.empty());
      continue;
    }
    ASSERT_EQ(errors.size(), 1u) << cause;
    EXPECT_EQ(errors[0]["error_type"], "legacy_" + cause);
    EXPECT_EQ(errors[0]["message"], outcome.refusal->message);
    EXPECT_EQ(errors[0]["raw_event"], cause == "empty" ? ";" : query.substr(0, query.find(';')));
    const bool is_named = cause == "truncated" || cause == "malformed";
    EXPECT_EQ(errors[0]["errored_stream_name"], is_named                      ? "eventlogging_Test"
                                                : cause == "unknown_revision" ? "eventlogging_Echo"
                                                                              : "unknown")
        << cause;
    EXPECT_EQ(errors[0]["errored_schema_uri"], is_named ? "/analytics/legacy/test/1.0.0" : "unknown") << cause;
  }
  // The live page has each, with its cause and, of what was cut, the stream.
  LiveFeed::Page page = harness.live->read(harness.live->oldest(), {}, 1 << 20);
  std::string_view events = page.events;
  LiveEventMemory memory;
  std::size_t shown = 0;
  while (const auto event = next_live_event(events, memory)) {
    EXPECT_EQ(event->cause, "legacy_" + queries.at(shown).first);
    EXPECT_EQ(event->outcome, LiveOutcome::error);
    if (event->cause == "legacy_truncated") {
      EXPECT_EQ(event->stream, "eventlogging_Test");
    }
    ++shown;
  }
  EXPECT_EQ(shown, queries.size());
}

TEST(Beacons, RefusedBeacon_CountsUnderItsStreamIfThatIsDeclared) {
  BeaconHarness::Setup setup;
  setup.stream_configs = R"({"eventlogging_Test": {"schema_title": "analytics/legacy/test"}})";
  BeaconHarness harness(std::move(setup));
  harness.process(R"({"schema":"Test","event":)");
  EXPECT_EQ(
      harness.metric(
          R"(eventgate_ledger_refused_total{service="test",cause="legacy_truncated",stream="eventlogging_Test"})"),
      "1");
}

TEST(Beacons, TooLongQuery_IsRefusedWithBothSizes) {
  BeaconHarness harness;
  const std::string query = "{\"schema\":\"Test\",\"x\":\"" + std::string(9000, 'x') + "\"};";
  EXPECT_THAT(harness.refuse_too_long(query), HasSubstr("at most 8192 bytes (legacy.max_query), found 9025"));
  EXPECT_EQ(harness.beacon_count("refused", "too_long"), "1");
  const auto errors = harness.take_error_events();
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0]["error_type"], "legacy_too_long");
  EXPECT_EQ(errors[0]["errored_stream_name"], "eventlogging_Test");
}

TEST(Beacons, SequenceNumber_CountsRefusedOnesToo) {
  BeaconHarness harness;
  EXPECT_EQ(harness.event_of(kValidCapsule)["seqId"], 1);
  harness.process(";");
  harness.refuse_too_long("x");
  EXPECT_EQ(harness.event_of(kValidCapsule)["seqId"], 4);
}

TEST(Beacons, HostThatIsRequired_IsRefusedWithoutOne) {
  BeaconHarness::Setup setup;
  setup.legacy.web_host_required = true;
  BeaconHarness harness(std::move(setup));
  EXPECT_EQ(harness.process(R"({"schema":"Test","event":{"text":"x"}};)").refusal->cause,
            FailureCause::legacy_web_host);
  EXPECT_FALSE(harness.process(percent_encode(kValidCapsule)).refusal);
}

TEST(Beacons, StarWithoutASchema_IsUnknown) {
  BeaconHarness::Setup setup;
  setup.legacy.schemas[kAnyLegacySchema].version = "1.0.0";
  BeaconHarness harness(std::move(setup));
  EXPECT_EQ(harness.process(R"({"schema":"Nope"};)").refusal->cause, FailureCause::legacy_unknown_schema);
}

TEST(Beacons, ListedSchemaThatIsNotThere_IsAnErrorOfTheEvent) {
  BeaconHarness::Setup setup;
  setup.legacy.schemas["Gone"].version = "1.0.0";
  BeaconHarness harness(std::move(setup));
  EXPECT_EQ(beacon_outcome_name(harness.process(R"({"schema":"Gone"};)")), "error");
  EXPECT_EQ(harness.beacon_count("error", "schema"), "1");
}

TEST(Beacons, AnsweredBeacon_IsCountedOnceItsOutcomeIsKnown) {
  BeaconHarness harness;
  harness.sink->silent = true;
  harness.take(percent_encode(kValidCapsule) + ";");
  EXPECT_EQ(harness.beacon_count("success", "none"), "");
  harness.producer->stop(std::chrono::steady_clock::now());
  harness.poll();
  EXPECT_EQ(harness.metric("eventgate_legacy_query_bytes_count"), "1") << "counted once, whatever became of it";
}

TEST(Beacons, AnsweredBeaconThatIsLost_IsAnError) {
  BeaconHarness harness;
  harness.sink->judge = [](const KeptRecord&) {
    return std::optional(DeliveryFailure{Delivery::not_produced, "refused"});
  };
  harness.take(percent_encode(kValidCapsule) + ";");
  harness.poll();
  EXPECT_EQ(harness.beacon_count("error", "lost"), "1");
}

TEST(Beacons, AnsweredBeaconThatIsInvalid_IsCountedAtOnce) {
  BeaconHarness harness;
  harness.take(percent_encode(capsule_with(R"("extra":1)")));
  EXPECT_EQ(harness.beacon_count("invalid", "validation"), "1");
  harness.take(";");
  EXPECT_EQ(harness.beacon_count("refused", "empty"), "1");
}

constexpr const char* kRules = R"(
user_agent_parsers: [{regex: '(Firefox)/(\d+)\.(\d+)'}]
os_parsers: [{regex: '(Linux)'}]
device_parsers: [{regex: '(?:bot|spider)', device_replacement: Spider}]
)";

struct WithRules : testing::Test {
  BeaconHarness::Setup setup(LegacyOptions::Bots bots) {
    std::ofstream(path) << kRules;
    BeaconHarness::Setup setup;
    setup.legacy.user_agent_regexes = path;
    setup.legacy.bots = bots;
    return setup;
  }
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/rules.yaml";
};
using BeaconUserAgents = WithRules;

TEST_F(BeaconUserAgents, Useragent_IsAddedWhereTheSchemaDeclaresIt) {
  BeaconHarness harness(setup(LegacyOptions::Bots::mark));
  const BeaconSender firefox{{{"user-agent", "Mozilla/5.0 (Linux) Firefox/115.0"}}};
  EXPECT_EQ(
      harness.event_of(kValidCapsule, firefox)["useragent"],
      json::parse(R"({"browser_family":"Firefox","browser_major":"115","browser_minor":"0","device_family":"Other",
                            "is_bot":false,"is_mediawiki":false,"os_family":"Linux","wmf_app_version":"-"})"));
  const BeaconSender bot{{{"user-agent", "bot/1.0"}}};
  EXPECT_EQ(harness.event_of(kValidCapsule, bot)["useragent"]["is_bot"], true) << "marked, not dropped";
  EXPECT_EQ(harness.metric("eventgate_legacy_user_agents_total{service=\"test\",result=\"parsed\"}"), "2");
  harness.event_of(kValidCapsule, bot);
  EXPECT_EQ(harness.metric("eventgate_legacy_user_agents_total{service=\"test\",result=\"kept\"}"), "1");
}

TEST_F(BeaconUserAgents, TooLong_IsNotParsedAndCounted) {
  BeaconHarness harness(setup(LegacyOptions::Bots::drop));
  const auto with = [&](const std::string& text) {
    const BeaconSender sender{{{"user-agent", text}}};
    return harness.event_of(kValidCapsule, sender);
  };
  EXPECT_TRUE(with("Firefox/1.0" + std::string(789, 'x')).contains("useragent"));
  EXPECT_FALSE(with("Firefox/1.0" + std::string(790, 'x')).contains("useragent"));
  EXPECT_EQ(harness.metric("eventgate_legacy_user_agents_total{service=\"test\",result=\"too_long\"}"), "1");
}

TEST_F(BeaconUserAgents, Drop_RefusesBotsThatAreNoMediaWiki) {
  BeaconHarness harness(setup(LegacyOptions::Bots::drop));
  const std::string query = percent_encode(kValidCapsule);
  const BeaconSender bot{{{"user-agent", "bot/1.0"}}};
  EXPECT_EQ(harness.process(query, bot).refusal->cause, FailureCause::legacy_bot);
  EXPECT_EQ(harness.beacon_count("refused", "bot"), "1");
  EXPECT_TRUE(harness.take_error_events().empty());
  const BeaconSender mediawiki{{{"user-agent", "MediaWiki-bot/1.0"}}};
  EXPECT_FALSE(harness.process(query, mediawiki).refusal);
  // The user agent that a server passes on decides.
  EXPECT_FALSE(harness.process(percent_encode(capsule_with(R"("userAgent":"Firefox/1.0")")), bot).refusal);
}

}  // namespace
}  // namespace eventgate
