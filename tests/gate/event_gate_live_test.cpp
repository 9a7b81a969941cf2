#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventgate/gate/live_feed.hpp"
#include "gate_harness.hpp"

// What the gate shows the live feed.

namespace eventgate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kStreams = R"({"test.event": {"schema_title": "test"}})";

struct Shown {
  std::uint64_t number;
  std::string outcome;
  bool hasty;
  std::string stream;
  std::string schema_uri;
  std::string query;
  std::string text;
  std::string added;  // the parts, one after the other
  EventStatus status;
};

/// A gate with a live feed.
class LiveGate {
 public:
  explicit LiveGate(GateOptions options = wikimedia_options()) : gate(std::move(options), kStreams, &feed) {}

  std::vector<Shown> shown() {
    std::vector<Shown> all;
    const LiveFeed::Page piece = feed.read(1, {}, LiveFeed::kMaxBytes);
    std::string_view events = piece.events;
    LiveEventMemory memory;
    while (const auto event = next_live_event(events, memory)) {
      std::string added;
      for (const TextRange& range : event->added) added += event->text.substr(range.begin, range.end - range.begin);
      all.push_back({event->number, std::string(live_outcome_name(event->outcome)), event->hasty,
                     std::string(event->stream), std::string(event->schema_uri), std::string(event->query),
                     std::string(event->text), added, event->status ? *event->status : EventStatus()});
    }
    return all;
  }

  LiveFeed feed;
  GateHarness gate;
};

std::string test_event(const std::string& rest) {
  return R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event","id":"i","dt":"d"})" + rest + "}";
}

TEST(EventGateLive, AnAcceptedEventIsShownAsItIsProducedWithWhatWasAdded) {
  LiveGate live;
  const std::string posted = R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event","id":"i"},"count":1.0})";
  const std::string value = live.gate.record(posted).value;
  const auto shown = live.shown();
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0].outcome, "accepted");
  EXPECT_FALSE(shown[0].hasty);
  EXPECT_EQ(shown[0].stream, "test.event");
  EXPECT_EQ(shown[0].schema_uri, "/test/1.0.0");
  EXPECT_EQ(shown[0].query, "");
  EXPECT_EQ(shown[0].text, value);
  EXPECT_THAT(shown[0].text, HasSubstr(R"("count":1,"test_default":)"));
  EXPECT_EQ(shown[0].added, R"(,"dt":"2026-11-22T02:39:06.102Z","request_id":)" +
                                nlohmann::json::parse(value)["meta"]["request_id"].dump() +
                                R"(,"test_default":"default_value")");
}

TEST(EventGateLive, NothingIsAddedToACompleteEvent) {
  GateOptions options = wikimedia_options();
  options.http_request_headers_to_fields.clear();
  LiveGate live(std::move(options));
  const std::string posted = test_event(R"(,"test_default":"x")");
  live.gate.record(posted);
  ASSERT_EQ(live.shown().size(), 1u);
  EXPECT_EQ(live.shown()[0].text, posted);
  EXPECT_EQ(live.shown()[0].added, "");
}

TEST(EventGateLive, EventsOfARequestAreShownInTheirOrderWithTheirOutcome) {
  LiveGate live;
  live.gate.process("[" + test_event(R"(,"test":1,"count":"x")") + "," + test_event("") +
                    R"(,{"$schema":"/no/1.0.0","meta":{"stream":"s"}},7,)" + test_event(R"(,"any":1e999)") + "," +
                    test_event("") + "]");
  const auto shown = live.shown();
  std::vector<std::string> outcomes;
  for (const Shown& one : shown) outcomes.push_back(one.outcome);
  ASSERT_THAT(outcomes, ElementsAre("invalid", "accepted", "error", "error", "invalid", "accepted"));
  ASSERT_EQ(shown[0].status.errors.size(), 2u);
  EXPECT_EQ(shown[0].status.errors[0].data_path, ".test");
  EXPECT_THAT(shown[0].added, HasSubstr(R"("request_id":)"));
  EXPECT_EQ(shown[1].status.errors.size(), 0u);
  EXPECT_EQ(shown[2].stream, "s");
  EXPECT_EQ(shown[2].schema_uri, "/no/1.0.0");
  EXPECT_EQ(shown[2].status.message, "Failed loading schema at /no/1.0.0");
  EXPECT_EQ(shown[3].text, "7");
  EXPECT_EQ(shown[4].text, test_event(R"(,"any":1e999)"));
  EXPECT_EQ(shown[4].status.errors[0].data_path, ".any");
  EXPECT_EQ(shown[4].stream, "test.event");
}

TEST(EventGateLive, HastyEventsAreShownTooAndWhyTheyWereLost) {
  LiveGate live;
  live.gate.sink->judge = [](const KeptRecord&) { return DeliveryFailure{Delivery::unknown, "no answer"}; };
  TestRequest request;
  request.assurance = Assurance::hasty;
  request.query = {{"hasty", "true"}, {"a", "\"<b>"}};
  live.gate.process("[" + test_event("") + "," + test_event(R"(,"test":1)") + "]", request);
  const auto shown = live.shown();
  ASSERT_EQ(shown.size(), 2u);
  EXPECT_TRUE(shown[0].hasty);
  EXPECT_EQ(shown[0].outcome, "error");
  EXPECT_EQ(shown[0].status.message, "no answer");
  EXPECT_TRUE(shown[0].status.has_delivery);
  EXPECT_EQ(shown[0].query, R"([["a","\"<b>"]])");
  EXPECT_EQ(shown[1].outcome, "invalid");
}

TEST(EventGateLive, AnErrorIsShownWithItsHint) {
  LiveGate live;
  live.gate.process(R"({"$schema":"/test/1.0.0","meta":{"stream":"test.event"},"test":"\ud800"})");
  const auto shown = live.shown();
  ASSERT_EQ(shown.size(), 1u);
  ASSERT_EQ(shown[0].status.errors.size(), 1u);
  EXPECT_EQ(shown[0].status.errors[0].hint, "is at byte 63 of the event");
}

TEST(EventGateLive, ABodyThatIsNoJsonIsShown) {
  LiveGate live;
  live.gate.malformed("{\"a\":", {5, "a value"});
  const auto shown = live.shown();
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0].outcome, "invalid");
  EXPECT_EQ(shown[0].text, "{\"a\":");
  EXPECT_THAT(shown[0].status.message, testing::StartsWith("Malformed JSON: expected a value at byte 5"));
}

TEST(EventGateLive, TheGatesOwnEventsAreNotShown) {
  GateOptions options = wikimedia_options();
  options.error_stream = "eventgate.error";
  LiveFeed feed;
  GateHarness gate(std::move(options),
                   R"({"test.event": {"schema_title": "test"}, "eventgate.error": {"schema_title": "error"}})", &feed);
  gate.process(test_event(R"(,"test":1)"));
  EXPECT_EQ(gate.error_events().size(), 1u);
  EXPECT_EQ(feed.read(1, {}, LiveFeed::kMaxBytes).next, 2u);
}

}  // namespace
}  // namespace eventgate
