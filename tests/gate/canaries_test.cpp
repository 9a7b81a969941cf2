// The canaries that a gate makes: when, what, and how they count.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "eventgate/gate/canary_event.hpp"
#include "eventgate/gate/live_feed.hpp"
#include "gate_harness.hpp"
#include "support/ledger_samples.hpp"
#include "support/log_file.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::system_clock;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr minutes kInterval{15};
const system_clock::time_point kStart{std::chrono::milliseconds(kReceivedAt)};

constexpr const char* kExampleSchema = R"({
  "title": "shop", "type": "object", "required": ["$schema", "meta", "dt"],
  "properties": {
    "$schema": {"type": "string"}, "dt": {"type": "string"}, "total": {"type": "integer"},
    "meta": {"type": "object", "properties": {
      "stream": {"type": "string"}, "id": {"type": "string"}, "dt": {"type": "string"}, "domain": {"type": "string"}}}},
  "examples": [
    {"$schema": "/shop/1.0.0", "text": "a \"b \\", "meta": {"stream": "of.example", "id": "fixed", "dt": "2020-01-01T00:00:00Z"},
     "dt": "2020-01-01T00:00:00Z", "total": 3},
    {"$schema": "/shop/1.0.0", "total": 4}]})";

GateOptions with_canaries() {
  GateOptions options = wikimedia_options();
  options.canary_interval = kInterval;
  options.service_name = "gate";
  return options;
}

constexpr const char* kStreams = R"({
  "shop.a": {"schema_title": "shop", "canary_events_enabled": true},
  "shop.b": {"schema_title": "shop", "canary_events_enabled": true, "destination_event_service": "gate"},
  "shop.elsewhere": {"schema_title": "shop", "canary_events_enabled": true, "destination_event_service": "other"},
  "shop.none": {"schema_title": "shop"}, "/^shop\\.r/": {"schema_title": "shop", "canary_events_enabled": true}})";

struct CanaryGate {
  explicit CanaryGate(const std::string& streams = kStreams, GateOptions options = with_canaries(),
                      LiveFeed* live = nullptr)
      : gate(std::move(options), streams, live) {
    gate.put_schema("/shop/latest", kExampleSchema);
    gate.put_schema("/shop/1.0.0", kExampleSchema);
  }

  /// Lets the gate's clock run from `from` for `duration`, a second at a time.
  void run(system_clock::time_point from, seconds duration) {
    for (seconds at{0}; at <= duration; ++at) gate.make_canaries(from + at);
  }

  std::vector<json> events() const {
    std::vector<json> events;
    for (const KeptRecord& record : gate.sink->records) events.push_back(json::parse(record.value));
    return events;
  }

  GateHarness gate;
};

TEST(Canaries, ClockRunsForFortyMinutes_EachCanaryIsMadeOnce) {
  CanaryGate canaries;
  canaries.run(kStart, minutes(40));
  std::multiset<std::string> ids;
  for (const json& event : canaries.events()) ids.insert(event["meta"]["id"].get<std::string>());
  std::multiset<std::string> expected;
  for (const std::string stream : {"shop.a", "shop.b"}) {
    const seconds offset = canary_offset(stream, kInterval);
    for (auto at = interval_start(kStart, kInterval); at + offset <= kStart + minutes(40); at += kInterval)
      if (at + offset > kStart) expected.insert(canary_id(stream, "dc1.", at));
  }
  EXPECT_EQ(ids, expected);
  EXPECT_GE(ids.size(), 4u);
}

TEST(Canaries, TwoGatesOfADatacentreMakeTheSameIds) {
  CanaryGate one, two;
  one.run(kStart, kInterval);
  two.run(kStart + seconds(1), kInterval - seconds(1));
  GateOptions elsewhere = with_canaries();
  elsewhere.topic_prefix = "dc2.";
  CanaryGate three(kStreams, elsewhere);
  three.run(kStart, kInterval);
  const auto ids = [](const CanaryGate& gate) {
    std::set<std::string> all;
    for (const json& event : gate.events()) all.insert(event["meta"]["id"].get<std::string>());
    return all;
  };
  EXPECT_EQ(ids(one), ids(two));
  for (const std::string& id : ids(three)) EXPECT_FALSE(ids(one).contains(id));
}

TEST(Canaries, AreTheFirstExampleWithStreamDomainIdAndTimesOfTheirOwn) {
  CanaryGate canaries(R"({"shop.a": {"schema_title": "shop", "canary_events_enabled": true}})");
  canaries.run(kStart, kInterval);
  ASSERT_EQ(canaries.gate.sink->records.size(), 1u);
  const KeptRecord record = canaries.gate.sink->records.front();
  EXPECT_EQ(record.topic, "dc1.shop.a");
  EXPECT_EQ(record.assurance, Assurance::guaranteed);
  EXPECT_EQ(record.value.find('\n'), std::string::npos);
  json event = json::parse(record.value);
  EXPECT_EQ(event["meta"].erase("request_id"), 1u);  // as any event without one gets it
  const std::string dt = event["dt"];
  EXPECT_EQ(dt.substr(0, 10), "2026-11-22");
  const std::string id = event["meta"]["id"];
  EXPECT_EQ(event, json({{"$schema", "/shop/1.0.0"},
                         {"meta", {{"stream", "shop.a"}, {"id", id}, {"dt", dt}, {"domain", "canary"}}},
                         {"dt", dt},
                         {"text", "a \"b \\"},
                         {"total", 3}}));
  EXPECT_EQ(id[14], '5');
}

TEST(Canaries, CountApartFromClientsEvents) {
  CanaryGate canaries;
  canaries.run(kStart, kInterval);
  const LedgerSamples ledger(canaries.gate.metrics.text());
  EXPECT_EQ(ledger.imbalance(), "");
  EXPECT_EQ(ledger.value("received_total", "canary"), 2);
  EXPECT_EQ(ledger.value("produced_total", "canary"), 2);
  EXPECT_EQ(ledger.value("received_total", "shop.a"), 0);
  EXPECT_THAT(canaries.gate.metric("eventgate_canaries_total{service=\"test\",outcome=\"produced\""), HasSubstr(" 2"));
  EXPECT_THAT(canaries.gate.metric("eventgate_canary_streams"), HasSubstr(" 2"));
  EXPECT_THAT(canaries.gate.metric("eventgate_canary_failing{service=\"test\",stream=\"shop.a\"}"), HasSubstr(" 0"));
  EXPECT_EQ(canaries.gate.metric("eventgate_events_produced_total"), "");
}

TEST(Canaries, OneThatFails_IsLoggedAndCountedAndRecovers) {
  LogFile log;
  CanaryGate canaries(R"({"shop.a": {"schema_title": "shop", "canary_events_enabled": true}})");
  canaries.gate.sink->judge = [](const KeptRecord&) -> std::optional<DeliveryFailure> {
    return DeliveryFailure{Delivery::not_produced, "Broker: Not enough in-sync replicas"};
  };
  canaries.run(kStart, kInterval);
  EXPECT_THAT(canaries.gate.metric("eventgate_canary_failing"), HasSubstr(" 1"));
  EXPECT_THAT(canaries.gate.metric("eventgate_canaries_total{service=\"test\",outcome=\"failed\""), HasSubstr(" 1"));
  EXPECT_THAT(log.msgs(), testing::Contains("A canary event is not produced"));
  canaries.gate.sink->judge = nullptr;
  canaries.run(kStart + kInterval + seconds(1), kInterval);
  EXPECT_THAT(canaries.gate.metric("eventgate_canary_failing"), HasSubstr(" 0"));
}

TEST(Canaries, SchemaWithoutAnExampleOrUnknown_Fails) {
  LogFile log;
  CanaryGate canaries(R"({"a": {"schema_title": "plain", "canary_events_enabled": true},
                          "b": {"schema_title": "missing", "canary_events_enabled": true}})");
  canaries.gate.put_schema("/plain/latest", kPlainSchema);
  canaries.run(kStart, kInterval);
  EXPECT_THAT(canaries.gate.sink->records, IsEmpty());
  EXPECT_THAT(canaries.gate.metric("eventgate_canaries_total{service=\"test\",outcome=\"failed\""), HasSubstr(" 2"));
}

TEST(Canaries, GateThatStoodStill_MakesTheLastOneOnly) {
  CanaryGate canaries;
  canaries.gate.make_canaries(kStart);
  canaries.gate.make_canaries(kStart + std::chrono::hours(5));
  EXPECT_EQ(canaries.gate.sink->records.size(), 2u);
  canaries.gate.make_canaries(kStart + std::chrono::hours(4));  // a clock that goes back
  canaries.gate.make_canaries(kStart + std::chrono::hours(5));
  EXPECT_EQ(canaries.gate.sink->records.size(), 2u);
}

TEST(Canaries, StreamThatIsDeclaredLater_GetsThem) {
  CanaryGate canaries("{}");
  canaries.run(kStart, kInterval);
  EXPECT_THAT(canaries.events(), IsEmpty());
  canaries.gate.redeclare(kStreams);
  canaries.run(kStart + kInterval, kInterval);
  EXPECT_EQ(canaries.events().size(), 2u);
  canaries.gate.redeclare("{}");
  canaries.run(kStart + 2 * kInterval, kInterval);
  EXPECT_EQ(canaries.events().size(), 2u);
  EXPECT_EQ(canaries.gate.metric("eventgate_canary_failing"), "");
}

TEST(Canaries, WithoutAnInterval_ThereAreNone) {
  GateOptions options = with_canaries();
  options.canary_interval = seconds(0);
  CanaryGate canaries(kStreams, options);
  canaries.run(kStart, kInterval);
  EXPECT_THAT(canaries.events(), IsEmpty());
}

TEST(Canaries, LiveFeedShowsThemOnlyIfAsked) {
  LiveFeed feed;
  CanaryGate canaries(kStreams, with_canaries(), &feed);
  canaries.run(kStart, kInterval);
  canaries.gate.process(R"([{"$schema":"/shop/1.0.0","meta":{"stream":"shop.a","domain":"canary"},"dt":"d"},
                            {"$schema":"/shop/1.0.0","meta":{"stream":"shop.a"},"dt":"d"}])");
  const auto count = [&](bool with_canary_events) {
    LiveFilter filter;
    filter.canaries = with_canary_events;
    const LiveFeed::Page page = feed.read(1, filter, LiveFeed::kMaxBytes);
    std::string_view events = page.events;
    LiveEventMemory memory;
    std::size_t shown = 0;
    while (next_live_event(events, memory)) ++shown;
    return shown;
  };
  EXPECT_EQ(count(false), 1u);
  EXPECT_EQ(count(true), 4u);
}

TEST(Canaries, IdIsAVersion5UuidOfStreamPrefixAndInterval) {
  // Python: uuid5(uuid5(NAMESPACE_URL, "https://github.com/wikimedia/eventgate/canary"), "dc1.\nshop.a\n1795315500")
  EXPECT_EQ(canary_id("shop.a", "dc1.", system_clock::time_point(seconds(1795315500))),
            "b1c9eccc-287d-5c5f-a1ad-2f2917e406a6");
}

TEST(Canaries, OffsetsSpreadOverTheInterval) {
  std::set<std::int64_t> offsets;
  for (int i = 0; i < 200; ++i) {
    const seconds offset = canary_offset("stream." + std::to_string(i), kInterval);
    EXPECT_LT(offset, kInterval);
    offsets.insert(offset.count());
  }
  EXPECT_GT(offsets.size(), 150u);
}

TEST(TakenOutStream, ItsEventsAreRefusedUnderItsNameAndLoggedOnceAMinute) {
  LogFile log;
  GateHarness gate(wikimedia_options(), R"({"test.event": {"schema_title": "test"}, "b": {"schema_title": "test"}})");
  gate.redeclare(R"({"b": {"schema_title": "test"}})");
  TestRequest request;
  request.received_at = system_clock::now();
  const std::string event = R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event"}})";
  EXPECT_THAT(gate.error(event, request),
              HasSubstr("test.event is not configured. It was taken out of the stream configs less than an hour ago."));
  gate.error(event, request);
  const LedgerSamples ledger(gate.metrics.text());
  EXPECT_EQ(ledger.refused("test.event"), (std::map<std::string, double>{{"stream", 2}}));
  EXPECT_EQ(ledger.value("received_total", "unknown"), 0);
  EXPECT_THAT(log.msgs(),
              testing::Contains("Events still come for a stream that is taken out of the stream configs").Times(1));
  EXPECT_THAT(gate.metric("eventgate_taken_out_stream_events_total"), HasSubstr(" 2"));
  request.received_at += std::chrono::hours(1);
  EXPECT_THAT(gate.error(event, request), testing::EndsWith("test.event is not configured."));
  EXPECT_EQ(LedgerSamples(gate.metrics.text()).value("received_total", "unknown"), 1);
}

}  // namespace
}  // namespace eventgate
