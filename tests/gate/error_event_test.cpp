#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gate_harness.hpp"

namespace eventgate {
namespace {

using nlohmann::json;

constexpr const char* kStreams = R"(
test.event: {schema_title: test}
eventgate.error: {schema_title: error}
)";

GateOptions with_error_stream() {
  GateOptions options = wikimedia_options();
  options.error_stream = "eventgate.error";
  return options;
}

GateHarness error_gate() { return GateHarness(with_error_stream(), kStreams); }

/// An event that is invalid since `test` is a number, with `meta` members beside its stream.
std::string bad_event(const std::string& meta = "") {
  return R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event")" + (meta.empty() ? "" : "," + meta) +
         R"(},"test":5})";
}

/// The one error event, less its id.
json error_event(GateHarness& gate) {
  const auto events = gate.error_events();
  if (events.size() != 1) {
    ADD_FAILURE() << events.size() << " error events";
    return {};
  }
  json event = events[0];
  event["meta"].erase("id");
  return event;
}

TEST(ErrorEvent, TellsOfAnInvalidEvent) {
  GateHarness gate = error_gate();
  const std::string sent = bad_event(R"("uri":"https://example.org/","domain":"example.org","request_id":"r")");
  EXPECT_EQ(gate.process("[" + sent + "]").invalid.size(), 1u);
  EXPECT_EQ(error_event(gate), (json{{"$schema", "/error/2.1.0"},
                                     {"meta",
                                      {{"stream", "eventgate.error"},
                                       {"dt", "2026-11-22T02:39:06.102Z"},
                                       {"uri", "https://example.org/"},
                                       {"domain", "example.org"},
                                       {"request_id", "r"}}},
                                     {"dt", "2026-11-22T02:39:06.102Z"},
                                     {"emitter_id", "eventgate-test"},
                                     {"error_type", "validation"},
                                     {"message", "'.test' should be string"},
                                     {"errored_schema_uri", "/test/1.0.0"},
                                     {"errored_stream_name", "test.event"},
                                     {"raw_event", sent}}));
  ASSERT_EQ(gate.sink->records.size(), 1u);
  EXPECT_EQ(gate.sink->records[0].topic, "dc1.eventgate.error");
  EXPECT_EQ(gate.sink->records[0].assurance, Assurance::hasty);
}

TEST(ErrorEvent, IsMadeOfEachInvalidEventOfARequest) {
  GateHarness gate = error_gate();
  gate.process("[" + bad_event() + "," + bad_event() + R"(,5,{"$schema":"/none"}])");
  EXPECT_EQ(gate.error_events().size(), 2u);
}

TEST(ErrorEvent, IsMadeOfHastyEventsToo) {
  GateHarness gate = error_gate();
  TestRequest request;
  request.assurance = Assurance::hasty;
  gate.process(bad_event(), request);
  EXPECT_EQ(gate.error_events().size(), 1u);
}

TEST(ErrorEvent, TakesTheRequestIdOfTheCompletedEvent) {
  GateHarness gate = error_gate();
  TestRequest request;
  request.headers = {{"X-Request-Id", "made-by-proxy"}};
  gate.process(bad_event(), request);
  EXPECT_EQ(error_event(gate)["meta"]["request_id"], "made-by-proxy");
}

TEST(ErrorEvent, TakesOverOnlyWhatItsSchemaAdmits) {
  GateHarness gate = error_gate();
  gate.process(bad_event(R"("uri":"no uri \\ at all","domain":"","request_id":["r"])"));
  const json meta = error_event(gate)["meta"];
  EXPECT_EQ(meta["uri"], "unknown");
  EXPECT_EQ(meta["domain"], "unknown");
  EXPECT_EQ(meta["request_id"], "unknown");
}

TEST(ErrorEvent, TellsOfAFlawedEvent) {
  GateHarness gate = error_gate();
  const std::string sent = R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event","uri":"\ud800"}})";
  gate.process(sent);
  const json event = error_event(gate);
  EXPECT_EQ(event["raw_event"], sent);
  EXPECT_EQ(event["message"], "'.meta.uri' should NOT have a lone surrogate");
  EXPECT_EQ(event["errored_schema_uri"], "/test/1.0.0");
  EXPECT_EQ(event["errored_stream_name"], "test.event");
}

TEST(ErrorEvent, TellsOfAnEventThatIsNoUtf8) {
  GateHarness gate = error_gate();
  gate.process("{\"$schema\":\"/test/1.0.0\",\"meta\":{\"stream\":\"test.event\xFF\",\"uri\":\"\xE2\x82\"}}");
  const json event = error_event(gate);
  EXPECT_EQ(event["raw_event"],
            "{\"$schema\":\"/test/1.0.0\",\"meta\":{\"stream\":\"test.event\uFFFD\",\"uri\":\"\uFFFD\"}}");
  EXPECT_EQ(event["message"], "'.meta.stream' should be valid UTF-8, '.meta.uri' should be valid UTF-8");
  EXPECT_EQ(event["error_type"], "validation");
  EXPECT_EQ(event["errored_schema_uri"], "/test/1.0.0");
  EXPECT_EQ(event["errored_stream_name"], "test.event\uFFFD");
}

TEST(ErrorEvent, TellsOfABodyThatIsNoJson) {
  GateHarness gate = error_gate();
  gate.malformed("{\"a\":\xff", {5, "a value"});
  const json event = error_event(gate);
  EXPECT_EQ(event["raw_event"], "{\"a\":\xef\xbf\xbd");
  EXPECT_EQ(event["error_type"], "malformed_json");
  EXPECT_EQ(event["message"], "Malformed JSON: expected a value at byte 5, found the byte 0xFF");
  EXPECT_EQ(event["errored_schema_uri"], "unknown");
  EXPECT_EQ(event["errored_stream_name"], "unknown");
  EXPECT_EQ(event["meta"]["request_id"], "unknown");
}

TEST(ErrorEvent, CutsALongRawEventBetweenCodePoints) {
  GateOptions options = with_error_stream();
  options.max_raw_event = 10;
  GateHarness gate(std::move(options), kStreams);
  gate.malformed("[\"12345\xf0\x9f\x98\x80\"]", {13, "a comma"});
  EXPECT_EQ(error_event(gate)["raw_event"], "[\"12345 ... (cut, 13 bytes in all)");
}

TEST(ErrorEvent, IsNotMadeWithoutAnErrorStream) {
  GateHarness gate(wikimedia_options(), kStreams);
  gate.process(bad_event());
  gate.malformed("{", {1, "a key"});
  EXPECT_TRUE(gate.sink->records.empty());
  EXPECT_THAT(gate.metrics.text(),
              testing::ContainsRegex("eventgate_validation_errors_total[{][^}]*malformed_json[^}]*[}] 1"));
}

TEST(ErrorEvent, GoesToTheErrorStreamInTheDefaultSetUp) {
  GateOptions options;
  options.error_stream = "eventgate.error";
  GateHarness gate(std::move(options));
  gate.process(bad_event());
  EXPECT_EQ(error_event(gate)["meta"]["stream"], "eventgate.error");
}

TEST(ErrorEvent, MakesNoFurtherOneIfItIsInvalidItself) {
  GateHarness gate = error_gate();
  gate.put_schema("/error/2.1.0", R"({"title": "error", "type": "object", "required": ["what_it_lacks"]})");
  EXPECT_EQ(gate.process(bad_event()).invalid.size(), 1u);
  EXPECT_TRUE(gate.sink->records.empty());
  EXPECT_THAT(gate.metrics.text(), testing::ContainsRegex("error_events_failed_total[{][^}]*[}] 1"));
}

TEST(ErrorEvent, IsCountedAsLostIfItIsNotDelivered) {
  GateHarness gate = error_gate();
  gate.sink->judge = [](const KeptRecord&) { return DeliveryFailure{Delivery::not_produced, "down"}; };
  gate.process(bad_event());
  EXPECT_THAT(gate.metrics.text(), testing::ContainsRegex("error_events_failed_total[{][^}]*[}] 1"));
}

// --- the causes

constexpr const char* kManyStreams = R"(
test.event: {schema_title: test}
other.event: {schema_title: other}
keyed.event: {schema_title: test, message_key_fields: {test: test}}
/^job/: {schema_title: test}
silent.event: {schema_title: test, producers: {eventgate: {enrich_fields_from_http_headers: {http.request_headers.user-agent: false, http.client_ip: false}}}}
named.event: {schema_title: test, producers: {eventgate: {enrich_fields_from_http_headers: {http.request_headers.x-app: x-app, meta.request_id: x-trace}}}}
eventgate.error: {schema_title: error}
)";

/// The part of /error/2.2.0 that 2.1.0 does not have.
constexpr const char* kDetailedErrorSchema = R"({
  "title": "error", "type": "object", "additionalProperties": false,
  "required": ["$schema", "dt", "emitter_id", "message", "meta"],
  "properties": {
    "$schema": {"type": "string"}, "meta": {"type": "object"}, "dt": {"type": "string"},
    "emitter_id": {"type": "string"}, "error_type": {"type": "string"}, "errored_schema_uri": {"type": "string"},
    "errored_stream_name": {"type": "string"}, "message": {"type": "string"}, "raw_event": {"type": "string"},
    "http": {"type": "object", "properties": {"client_ip": {"type": "string"}, "request_headers": {
        "type": "object", "additionalProperties": {"type": "string"}}}},
    "request": {"type": "object", "properties": {"query": {"type": "object", "additionalProperties": {"type": "string"}}}},
    "errored_event_id": {"type": "string"}, "errored_event_dt": {"type": "string"},
    "errors": {"type": "array", "items": {"type": "object"}},
    "raw_event_base64": {"type": "string"}, "raw_event_cut": {"type": "boolean"}}})";

GateOptions for_all_causes() {
  GateOptions options = with_error_stream();
  options.error_events_for.set();
  options.error_schema_uri = "/error/2.2.0";
  options.schema_uri_query_param = "schema_uri";
  options.stream_query_param = "stream";
  return options;
}

/// A gate that makes error events of all causes, in a schema with all details.
struct DetailedGate : GateHarness {
  explicit DetailedGate(GateOptions options = for_all_causes()) : GateHarness(std::move(options), kManyStreams) {
    put_schema("/error/2.2.0", kDetailedErrorSchema);
  }

  json only_error_event(const std::string& body, const TestRequest& request = {}) {
    sink->records.clear();
    process(body, request);
    return error_event(*this);
  }
};

TestRequest browser() {
  TestRequest request;
  request.headers = {{"User-Agent", "a browser"}, {"X-Request-Id", "r"}, {"X-Client-IP", "198.51.100.7"}};
  return request;
}

std::string event_of(const std::string& stream, const std::string& more = "",
                     const std::string& schema = "/test/1.0.0") {
  return R"({"$schema":")" + schema + R"(","meta":{"stream":")" + stream + R"("})" + more + "}";
}

TEST(ErrorEvent, IsMadeForEachCauseThatIsNamed) {
  DetailedGate gate;
  const std::vector<std::pair<std::string, std::string>> events{{"validation", event_of("test.event", R"(,"test":5)")},
                                                                {"schema", event_of("test.event", "", "/none/1.0.0")},
                                                                {"stream", event_of("no.such")},
                                                                {"title", event_of("other.event")},
                                                                {"field", R"({"meta":{"stream":"test.event"}})"},
                                                                {"topic", event_of("job a")},
                                                                {"key", event_of("keyed.event")}};
  for (const auto& [error_type, event] : events) {
    const json made = gate.only_error_event(event);
    EXPECT_EQ(made["error_type"], error_type) << event;
    EXPECT_EQ(made["raw_event"], event);
  }
}

TEST(ErrorEvent, HasTheTextOfTheReply) {
  DetailedGate gate;
  const std::string event = event_of("no.such");
  const ProcessResult result = gate.process(event);
  ASSERT_EQ(result.error.size(), 1u);
  EXPECT_EQ(error_event(gate)["message"], result.error[0].message);
}

TEST(ErrorEvent, IsNotMadeForACauseThatIsNotNamed) {
  GateHarness gate = error_gate();
  gate.process("[" + event_of("no.such") + "," + event_of("test.event", "", "/none/1.0.0") + ",5]");
  EXPECT_TRUE(gate.sink->records.empty());
}

TEST(ErrorEvent, NamesTheStreamOfAnEventWithoutASchema) {
  DetailedGate gate;
  const json made = gate.only_error_event(event_of("test.event", "", "/none/1.0.0"));
  EXPECT_EQ(made["errored_stream_name"], "test.event");
  EXPECT_EQ(made["errored_schema_uri"], "/none/1.0.0");
}

// --- the details of /error/2.2.0

TEST(ErrorEvent, SaysWhoSentAnEventOfWhateverCause) {
  for (const std::string& event :
       {event_of("test.event", R"(,"test":5)"), event_of("test.event", "", "/none/1.0.0"), std::string("{}")}) {
    DetailedGate gate;
    const json made = gate.only_error_event("[" + event + "]", browser());
    EXPECT_EQ(made["http"], (json{{"client_ip", "198.51.100.7"}, {"request_headers", {{"user-agent", "a browser"}}}}));
    EXPECT_EQ(made["meta"]["request_id"], "r") << event;
  }
}

TEST(ErrorEvent, HoldsOfTheSenderWhatEventsOfItsStreamWouldHold) {
  DetailedGate gate;
  TestRequest request = browser();
  request.headers.emplace_back("X-App", "an app");
  request.headers.emplace_back("X-Trace", "t");
  EXPECT_FALSE(gate.only_error_event(event_of("silent.event", R"(,"test":5)"), request).contains("http"));
  const json named = gate.only_error_event(event_of("named.event", "", "/none/1.0.0"), request);
  EXPECT_EQ(named["http"], (json{{"client_ip", "198.51.100.7"}, {"request_headers", {{"x-app", "an app"}}}}));
  EXPECT_EQ(named["meta"]["request_id"], "t");
}

TEST(ErrorEvent, HasOneRequestIdForAllEventsOfARequestWithoutOne) {
  DetailedGate gate;
  gate.process("[" + event_of("test.event", "", "/none/1.0.0") + "," + event_of("test.event", R"(,"test":5)") + "]");
  const auto made = gate.error_events();
  ASSERT_EQ(made.size(), 2u);
  EXPECT_EQ(made[0]["meta"]["request_id"].get<std::string>().size(), 36u);
  EXPECT_EQ(made[0]["meta"]["request_id"], made[1]["meta"]["request_id"]);
}

TEST(ErrorEvent, HoldsTheIdAndTimeThatTheGateGave) {
  DetailedGate gate;
  const json given = gate.only_error_event(event_of("test.event", R"(,"test":5)"));
  EXPECT_EQ(given["errored_event_id"].get<std::string>().size(), 36u);
  EXPECT_EQ(given["errored_event_dt"], "2026-11-22T02:39:06.102Z");
  const json sent = gate.only_error_event(bad_event(R"("id":"i","dt":"2020-01-01T00:00:00Z")"));
  EXPECT_FALSE(sent.contains("errored_event_id"));
  EXPECT_FALSE(sent.contains("errored_event_dt"));
}

TEST(ErrorEvent, HoldsTheFirstTenErrors) {
  DetailedGate gate;
  gate.put_schema("/many/1.0.0", R"({"title": "test", "type": "object", "additionalProperties": false,
      "properties": {"$schema": {}, "meta": {}}})");
  std::string more;
  for (int i = 0; i < 15; ++i) more += ",\"x" + std::to_string(i) + "\":1";
  const json made = gate.only_error_event(event_of("test.event", more, "/many/1.0.0"));
  ASSERT_EQ(made["errors"].size(), 10u);
  EXPECT_EQ(made["errors"][0], (json{{"keyword", "additionalProperties"},
                                     {"data_path", ""},
                                     {"schema_path", "#/additionalProperties"},
                                     {"params", R"({"additionalProperty":"x0"})"}}));
}

TEST(ErrorEvent, HoldsTheParametersThatRoutingReads) {
  DetailedGate gate;
  TestRequest request;
  request.query = {{"schema_uri", "/test/1.0.0"}, {"stream", "test.event"}, {"token", "secret"}};
  const json made = gate.only_error_event(R"({"test":5})", request);
  EXPECT_EQ(made["request"], (json{{"query", {{"schema_uri", "/test/1.0.0"}, {"stream", "test.event"}}}}));
  EXPECT_EQ(made["errored_stream_name"], "test.event");
}

TEST(ErrorEvent, HoldsBytesThatAreNoUtf8AsBase64) {
  DetailedGate gate;
  const json made = gate.only_error_event("{\"$schema\":\"/test/1.0.0\",\"test\":\"\xff\"}");
  EXPECT_EQ(made["raw_event_base64"], "eyIkc2NoZW1hIjoiL3Rlc3QvMS4wLjAiLCJ0ZXN0Ijoi/yJ9");
  EXPECT_FALSE(gate.only_error_event(bad_event()).contains("raw_event_base64"));
}

TEST(ErrorEvent, SaysThatItsRawEventIsCut) {
  GateOptions options = for_all_causes();
  options.max_raw_event = 10;
  DetailedGate gate(std::move(options));
  EXPECT_EQ(gate.only_error_event(bad_event())["raw_event_cut"], true);
}

TEST(ErrorEvent, OfABodyThatIsNoJson_HasItsSenderAndTheStreamOfTheQuery) {
  DetailedGate gate;
  TestRequest request = browser();
  request.query = {{"stream", "test.event"}};
  gate.malformed("{\"a\":\xff", {5, "a value"}, request);
  const json made = error_event(gate);
  EXPECT_EQ(made["http"]["request_headers"]["user-agent"], "a browser");
  EXPECT_EQ(made["meta"]["request_id"], "r");
  EXPECT_EQ(made["errored_stream_name"], "test.event");
  EXPECT_EQ(made["request"]["query"]["stream"], "test.event");
  EXPECT_EQ(made["raw_event_base64"], "eyJhIjr/");
  EXPECT_THAT(gate.metrics.text(),
              testing::ContainsRegex("validation_errors_total[{][^}]*stream=\"test.event\"[^}]*[}] 1"));
}

TEST(ErrorEvent, HasNoDetailThatItsSchemaDoesNotDeclare) {
  GateHarness gate = error_gate();
  // The schema is loaded with the first one, and known to the second.
  for (int i = 0; i < 2; ++i) gate.process(bad_event(), browser());
  const auto made = gate.error_events();
  ASSERT_EQ(made.size(), 2u);
  for (const json& event : made)
    for (const char* detail : {"http", "errors", "errored_event_id"}) EXPECT_FALSE(event.contains(detail)) << detail;
}

TEST(ErrorEvent, SchemaMeansSomethingElseByADetail_AllAreLeftOut) {
  DetailedGate gate;
  gate.put_schema("/error/2.2.0", R"({"title": "error", "type": "object", "properties": {"errors": {"type": "integer"},
      "http": {"type": "object"}, "message": {"type": "string"}}})");
  const json made = gate.only_error_event(bad_event(), browser());
  EXPECT_EQ(made["message"], "'.test' should be string");
  EXPECT_FALSE(made.contains("errors"));
  EXPECT_FALSE(made.contains("http"));
}

TEST(ErrorEvent, InTheDefaultSetUp_HoldsNothingOfTheSender) {
  GateOptions options;
  options.error_stream = "eventgate.error";
  options.error_schema_uri = "/error/2.2.0";
  GateHarness gate(std::move(options));
  gate.put_schema("/error/2.2.0", kDetailedErrorSchema);
  gate.process(bad_event(), browser());
  EXPECT_FALSE(error_event(gate).contains("http"));
}

}  // namespace
}  // namespace eventgate
