// What the gate counts in the ledger, and the ledger events it makes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "gate_harness.hpp"
#include "support/ledger_samples.hpp"

namespace eventgate {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using Refused = std::map<std::string, double>;

constexpr const char* kStreams = R"(
test.event: {schema_title: test}
other.event: {schema_title: other}
keyed.event: {schema_title: test, message_key_fields: {inner: test}}
untitled.event: {schema_title: untitled}
/^job\..+/: {schema_title: test}
empty.config: {}
no.title: {topics: [a]}
eventgate.error: {schema_title: error}
eventgate.ledger: {schema_title: eventgate/ledger}
)";

GateOptions with_ledger_stream() {
  GateOptions options = wikimedia_options();
  options.ledger_stream = "eventgate.ledger";
  return options;
}

GateHarness ledger_gate() { return GateHarness(with_ledger_stream(), kStreams); }

/// An event of the schema `test`.
std::string test_event(const std::string& stream = "test.event", const std::string& members = "") {
  return R"({"$schema":"/test/1.0.0","meta":{"stream":")" + stream + "\"}" + (members.empty() ? "" : "," + members) +
         "}";
}

TestRequest hasty() {
  TestRequest request;
  request.assurance = Assurance::hasty;
  return request;
}

/// The ledger's metrics, which must balance.
LedgerSamples samples(const GateHarness& gate) {
  const LedgerSamples all(gate.metrics.text());
  EXPECT_EQ(all.imbalance(), "");
  return all;
}

/// Takes and returns the ledger events made at `now`, by the stream that they tell of.
std::map<std::string, json> ledger_events(GateHarness& gate, std::int64_t now) {
  gate.sink->records.clear();
  gate.produce_ledger(now);
  std::map<std::string, json> events;
  for (const KeptRecord& record : gate.sink->records) {
    EXPECT_EQ(record.topic, "dc1.eventgate.ledger");
    EXPECT_EQ(record.assurance, Assurance::hasty);
    json event = json::parse(record.value);
    const std::string stream = event["stream_name"];
    EXPECT_TRUE(events.emplace(stream, std::move(event)).second) << stream << " twice";
  }
  gate.sink->records.clear();
  return events;
}

TEST(LedgerOfGate, EachEventIsInTheAccountOfItsStreamWithWhatBecameOfIt) {
  GateHarness gate = ledger_gate();
  gate.put_schema("/untitled/1.0.0", R"({"type": "object"})");
  const std::string untitled = R"({"$schema":"/untitled/1.0.0","meta":{"stream":"untitled.event"}})";
  gate.process("[" + test_event() + "," + test_event() + "," + test_event("test.event", "\"test\":5") + "," +
               test_event("job.1") + "," + test_event("other.event") + "," + untitled + "," +
               test_event("empty.config") + "," + test_event("no.title") + "," + test_event("job.a b") + "," +
               test_event("keyed.event") + "," + test_event("keyed.event", R"("test":"k")") + "]");
  const LedgerSamples ledger = samples(gate);
  EXPECT_EQ(ledger.value("received_total", "test.event"), 3);
  EXPECT_EQ(ledger.value("produced_total", "test.event"), 2);
  EXPECT_EQ(ledger.refused("test.event"), (Refused{{"invalid", 1}}));
  EXPECT_EQ(ledger.value("produced_total", "job.1"), 1);
  EXPECT_EQ(ledger.refused("other.event"), (Refused{{"title", 1}}));
  EXPECT_EQ(ledger.refused("untitled.event"), (Refused{{"title", 1}}));
  EXPECT_EQ(ledger.refused("empty.config"), (Refused{{"stream", 1}}));
  EXPECT_EQ(ledger.refused("no.title"), (Refused{{"stream", 1}}));
  EXPECT_EQ(ledger.refused("job.a b"), (Refused{{"topic", 1}}));
  EXPECT_EQ(ledger.refused("keyed.event"), (Refused{{"key", 1}}));
  EXPECT_EQ(ledger.value("produced_total", "keyed.event"), 1);
  for (const std::string& stream : ledger.streams()) EXPECT_EQ(ledger.value("in_flight", stream), 0) << stream;
  EXPECT_EQ(ledger.unjudged(), 0);
}

TEST(LedgerOfGate, EventThatFailsBeforeItsStreamIsLookedAt_IsInTheAccountOfItsDeclaredStream) {
  GateHarness gate = ledger_gate();
  gate.process(R"([{"$schema":"/none/1.0.0","meta":{"stream":"test.event"}},{"meta":{"stream":"test.event"}},)"
               R"({"$schema":5,"meta":{"stream":"test.event"}}])");
  EXPECT_EQ(samples(gate).refused("test.event"), (Refused{{"field", 2}, {"schema", 1}}));
  EXPECT_THAT(gate.metric("eventgate_event_errors_total"), testing::HasSubstr("stream=\"test.event\""));
}

TEST(LedgerOfGate, EventWithoutADeclaredStream_IsInTheAccountUnknown) {
  GateHarness gate = ledger_gate();
  gate.process("[" + test_event("nope") + R"(,{"$schema":"/none/1.0.0"},{"a":1},7,{"$schema":"/test/1.0.0"}])");
  gate.malformed("{", JsonError{1, "a string"});
  const LedgerSamples ledger = samples(gate);
  EXPECT_EQ(ledger.value("received_total", "unknown"), 6);
  EXPECT_EQ(ledger.refused("unknown"), (Refused{{"field", 3}, {"malformed_json", 1}, {"schema", 1}, {"stream", 1}}));
  EXPECT_EQ(ledger.streams().count("nope"), 0u);
  EXPECT_EQ(ledger.unjudged(), 0);
}

TEST(LedgerOfGate, UndeliveredEvent_IsRefusedOrUnknownIfTheClientWaitsAndElseLost) {
  for (const bool is_hasty : {false, true}) {
    GateHarness gate = ledger_gate();
    gate.sink->judge = [](const KeptRecord& record) -> std::optional<DeliveryFailure> {
      if (record.topic == "dc1.job.1") return DeliveryFailure{Delivery::not_produced, "Broker: Message size too large"};
      if (record.topic == "dc1.job.2") return DeliveryFailure{Delivery::unknown, "Local: Message timed out"};
      return std::nullopt;
    };
    gate.process("[" + test_event("job.1") + "," + test_event("job.2") + "," + test_event("job.3") + "]",
                 is_hasty ? hasty() : TestRequest());
    const LedgerSamples ledger = samples(gate);
    EXPECT_EQ(ledger.refused("job.1"), is_hasty ? Refused() : (Refused{{"not_produced", 1}}));
    EXPECT_EQ(ledger.value("lost_total", "job.1"), is_hasty ? 1 : 0);
    EXPECT_EQ(ledger.value("delivery_unknown_total", "job.2"), 1);
    EXPECT_EQ(ledger.value("produced_total", "job.3"), 1);
  }
}

TEST(LedgerOfGate, RecordThatKafkaNeverTakes_IsRefusedForTheCauseRecord) {
  GateHarness gate = ledger_gate();
  gate.sink->judge = [](const KeptRecord& record) -> std::optional<DeliveryFailure> {
    if (record.topic == "dc1.job.1")
      return DeliveryFailure{Delivery::not_produced, "Broker: Invalid timestamp", FailureScope::record};
    if (record.topic == "dc1.job.2")
      return DeliveryFailure{Delivery::not_produced, "Broker: Topic authorization failed", FailureScope::topic, true};
    return DeliveryFailure{Delivery::unknown, "Broker: Invalid record", FailureScope::record};
  };
  gate.process("[" + test_event("job.1") + "," + test_event("job.2") + "," + test_event("job.3") + "]");
  const LedgerSamples ledger = samples(gate);
  EXPECT_EQ(ledger.refused("job.1"), (Refused{{"record", 1}}));
  EXPECT_EQ(ledger.refused("job.2"), (Refused{{"not_produced", 1}}));
  EXPECT_EQ(ledger.refused("job.3"), Refused());
  EXPECT_EQ(ledger.value("delivery_unknown_total", "job.3"), 1);
}

TEST(LedgerOfGate, AnEventAtTheSinkIsInFlight) {
  GateHarness gate = ledger_gate();
  std::optional<LedgerSamples> meanwhile;
  gate.sink->judge = [&](const KeptRecord&) -> std::optional<DeliveryFailure> {
    if (!meanwhile) meanwhile = samples(gate);
    return std::nullopt;
  };
  gate.process("[" + test_event() + "," + test_event("test.event", "\"test\":5") + "," + test_event() + "]");
  EXPECT_EQ(meanwhile->value("received_total", "test.event"), 3);
  EXPECT_EQ(meanwhile->value("in_flight", "test.event"), 2);
  EXPECT_EQ(samples(gate).value("in_flight", "test.event"), 0);
}

TEST(LedgerOfGate, EventWhoseSchemaIsBeingLoaded_IsUnjudged) {
  GateHarness gate = ledger_gate();
  gate.reader->hold("/schemas/test/1.0.0");
  std::thread processing([&] { gate.process("[" + test_event() + "," + test_event() + "]"); });
  gate.reader->await_reads("/schemas/test/1.0.0", 1);
  const LedgerSamples meanwhile = samples(gate);
  gate.reader->release();
  processing.join();
  EXPECT_EQ(meanwhile.unjudged(), 2);
  EXPECT_EQ(meanwhile.value("received_total", "test.event"), 0);
  EXPECT_EQ(samples(gate).unjudged(), 0);
  EXPECT_EQ(samples(gate).value("produced_total", "test.event"), 2);
}

TEST(LedgerOfGate, InTheDefaultSetUpStreamsAreThoseThatSchemasMake) {
  GateOptions options;
  options.stream_field = {FieldPath("meta.stream")};
  options.stream_from_schema_uri = true;
  GateHarness gate(std::move(options));
  gate.process(R"([{"$schema":"/plain/1.0.0"},{"$schema":"/plain/1.0.0","meta":{"stream":"made.up"}}])");
  const LedgerSamples ledger = samples(gate);
  EXPECT_EQ(ledger.value("produced_total", "plain_1.0.0"), 1);
  EXPECT_EQ(ledger.value("produced_total", "unknown"), 1);
  EXPECT_EQ(ledger.streams().count("made.up"), 0u);
}

TEST(LedgerOfGate, ErrorEventsCountAsEventsOfTheirStream) {
  GateOptions options = with_ledger_stream();
  options.error_stream = "eventgate.error";
  GateHarness gate(options, kStreams);
  gate.sink->judge = [](const KeptRecord& record) -> std::optional<DeliveryFailure> {
    if (record.value.find("lost") == std::string::npos) return std::nullopt;
    return DeliveryFailure{Delivery::not_produced, "Local: Queue full"};
  };
  gate.process("[" + test_event("test.event", "\"test\":5") + "," + test_event("test.event", R"("test":["lost"])") +
               "]");
  const LedgerSamples ledger = samples(gate);
  EXPECT_EQ(ledger.value("received_total", "eventgate.error"), 2);
  EXPECT_EQ(ledger.value("produced_total", "eventgate.error"), 1);
  EXPECT_EQ(ledger.value("lost_total", "eventgate.error"), 1);
}

TEST(LedgerOfGate, AnErrorEventThatIsRefusedIsCountedWithItsCause) {
  GateOptions options = with_ledger_stream();
  options.error_stream = "other.event";
  GateHarness gate(options, kStreams);
  gate.process(test_event("test.event", "\"test\":5"));
  EXPECT_EQ(samples(gate).refused("other.event"), (Refused{{"title", 1}}));
}

TEST(LedgerOfGate, DeclaredStreamsAreThereBeforeAnyEvent) {
  const GateHarness gate = ledger_gate();
  const std::string text = gate.metrics.text();
  EXPECT_THAT(text, testing::ContainsRegex("eventgate_stream_event_age_seconds[{][^}]*stream=\"test.event\"[}] "));
  EXPECT_THAT(text, testing::Not(testing::ContainsRegex("eventgate_stream_event_age_seconds[{][^}]*job")));
  EXPECT_EQ(LedgerSamples(text).streams().count("test.event"), 1u);
}

TEST(LedgerEvent, TellsOfAStreamsMinute) {
  GateHarness gate = ledger_gate();
  ledger_events(gate, 1795315140000);  // 2026-11-22T02:39:00Z
  gate.process("[" + test_event() + "," + test_event("test.event", "\"test\":5") + "," + test_event() + "]");
  auto events = ledger_events(gate, 1795315200004);
  ASSERT_EQ(events.size(), 1u);
  json event = events["test.event"];
  EXPECT_EQ(event["meta"].value("id", "").size(), 36u);
  event["meta"].erase("id");
  EXPECT_EQ(event, (json{{"$schema", "/eventgate/ledger/1.0.0"},
                         {"meta", {{"stream", "eventgate.ledger"}, {"dt", "2026-11-22T02:40:00.004Z"}}},
                         {"dt", "2026-11-22T02:39:00.000Z"},
                         {"end_dt", "2026-11-22T02:40:00.004Z"},
                         {"emitter_id", "eventgate-test"},
                         {"stream_name", "test.event"},
                         {"in_flight_before", 0},
                         {"received", 3},
                         {"refused", {{"invalid", 1}}},
                         {"produced", 2},
                         {"spooled", 0},
                         {"delivery_unknown", 0},
                         {"lost", 0},
                         {"in_flight_after", 0},
                         {"spool",
                          {{"records_before", 0},
                           {"found", 0},
                           {"stored", 0},
                           {"replayed", 0},
                           {"acknowledged_late", 0},
                           {"dropped", 0},
                           {"records_after", 0}}}}));
}

TEST(LedgerEvent, IsMadeForEachStreamThatHadEventsAndForNoOther) {
  GateHarness gate = ledger_gate();
  gate.process("[" + test_event() + "," + test_event("job.1") + "," + test_event("nope") + "]");
  std::vector<std::string> streams;
  for (const auto& [stream, event] : ledger_events(gate, kReceivedAt)) streams.push_back(stream);
  EXPECT_THAT(streams, ElementsAre("job.1", "test.event", "unknown"));
}

TEST(LedgerEvent, TellsOfTheSpool) {
  GateHarness gate = ledger_gate();
  gate.telemetry.ledger().spool_found("dc1.test.event", 5);
  ledger_events(gate, kReceivedAt);
  gate.telemetry.ledger().spool_stored("dc1.test.event", 4);
  gate.telemetry.ledger().spool_replayed("dc1.test.event", 3);
  gate.telemetry.ledger().spool_acknowledged_late("dc1.test.event", 2);
  gate.telemetry.ledger().spool_dropped("dc1.test.event", 1);
  EXPECT_EQ(ledger_events(gate, kReceivedAt)["test.event"]["spool"], (json{{"records_before", 5},
                                                                           {"found", 0},
                                                                           {"stored", 4},
                                                                           {"replayed", 3},
                                                                           {"acknowledged_late", 2},
                                                                           {"dropped", 1},
                                                                           {"records_after", 3}}));
}

TEST(LedgerEvent, NoneIsMadeAboutItsOwnStream) {
  GateHarness gate = ledger_gate();
  gate.process(test_event());
  EXPECT_EQ(ledger_events(gate, kReceivedAt).size(), 1u);
  EXPECT_EQ(samples(gate).value("produced_total", "eventgate.ledger"), 1);
  EXPECT_THAT(ledger_events(gate, kReceivedAt), IsEmpty());
}

TEST(LedgerEvent, WithoutRoom_IsDeferredAndTheNextOneCoversBothMinutes) {
  constexpr std::size_t kMax = 10000;
  const auto inflight = std::make_shared<InflightBytes>(kMax);
  GateHarness gate(with_ledger_stream(), kStreams, nullptr, inflight);
  gate.process(test_event());
  // Requests take more than half.
  inflight->take_anyway(kMax / 2 + 1);
  EXPECT_THAT(ledger_events(gate, kReceivedAt), IsEmpty());
  EXPECT_EQ(gate.metric("eventgate_ledger_deferrals_total"), "eventgate_ledger_deferrals_total{service=\"test\"} 1");
  gate.process(test_event());
  inflight->give(kMax / 2 + 1);
  const auto events = ledger_events(gate, kReceivedAt + 60000);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events.at("test.event")["received"], 2);
  EXPECT_EQ(events.at("test.event")["produced"], 2);
  EXPECT_EQ(gate.metric("eventgate_ledger_deferrals_total"), "eventgate_ledger_deferrals_total{service=\"test\"} 1");
  EXPECT_EQ(inflight->size(), 0u);
}

TEST(LedgerEvent, OneThatFailsIsCounted) {
  GateHarness gate = ledger_gate();
  gate.process(test_event());
  gate.sink->judge = [](const KeptRecord&) { return DeliveryFailure{Delivery::not_produced, "Local: Queue full"}; };
  gate.produce_ledger(kReceivedAt);
  EXPECT_EQ(gate.metric("eventgate_ledger_events_failed_total"),
            "eventgate_ledger_events_failed_total{service=\"test\"} 1");
  EXPECT_EQ(samples(gate).value("lost_total", "eventgate.ledger"), 1);
}

TEST(LedgerEvent, OneOfAnotherSchemaThanItsStreamAdmitsIsCountedAsFailed) {
  GateOptions options = with_ledger_stream();
  options.ledger_stream = "other.event";
  GateHarness gate(options, kStreams);
  gate.process(test_event());
  gate.produce_ledger(kReceivedAt);
  EXPECT_EQ(gate.metric("eventgate_ledger_events_failed_total"),
            "eventgate_ledger_events_failed_total{service=\"test\"} 1");
  EXPECT_EQ(samples(gate).refused("other.event"), (Refused{{"title", 1}}));
}

TEST(LedgerEvent, NoneIsMadeWithoutAStreamForThem) {
  GateHarness gate(wikimedia_options(), kStreams);
  gate.process(test_event());
  gate.sink->records.clear();
  gate.produce_ledger(kReceivedAt);
  EXPECT_THAT(gate.sink->records, IsEmpty());
}

}  // namespace
}  // namespace eventgate
