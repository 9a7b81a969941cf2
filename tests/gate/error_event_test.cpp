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
  EXPECT_EQ(event["message"], "Malformed JSON at byte 5: expected a value");
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

}  // namespace
}  // namespace eventgate
