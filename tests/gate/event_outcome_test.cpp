#include "gate/event_outcome.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/log_file.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;
using testing::Not;
using Kind = EventOutcome::Kind;

/// A recorder, and what it writes to.
class Recorder {
 public:
  LedgerCounts record(EventOutcome outcome) {
    account.received(outcome.count, 0);
    OutcomeRecorder(telemetry).record(outcome);
    return account.counts();
  }

  EventOutcome outcome(Kind kind) { return {.kind = kind, .account = account, .schema_label = "/test/1.0.0"}; }

  /// Returns true if the metrics have a line that starts with `name`, and has `labels` and `value`.
  bool has(const std::string& name, const std::string& labels, int value) const {
    const std::string text = metrics.text();
    for (std::size_t at = text.find("\n" + name + "{"); at != std::string::npos;
         at = text.find("\n" + name + "{", at + 1)) {
      const std::string line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
      if (line.find(labels) != std::string::npos && line.ends_with("} " + std::to_string(value))) return true;
    }
    return false;
  }

  Metrics metrics{"test"};
  Telemetry telemetry{metrics};
  LedgerAccount& account = telemetry.ledger().account("test.event");
  LiveEvent live;
};

TEST(OutcomeRecorder, ProducedEventsAreCountedTogether) {
  Recorder recorder;
  EventOutcome outcome = recorder.outcome(Kind::produced);
  outcome.count = 3;
  EXPECT_EQ(recorder.record(outcome).produced, 3u);
  EXPECT_TRUE(recorder.has("eventgate_events_produced_total", "stream=\"test.event\"", 3));
}

TEST(OutcomeRecorder, SpooledEventsAreProducedInTheMetricsAndSpooledInTheLedger) {
  Recorder recorder;
  const LedgerCounts counts = recorder.record(recorder.outcome(Kind::spooled));
  EXPECT_EQ(counts.spooled, 1u);
  EXPECT_EQ(counts.produced, 0u);
  EXPECT_TRUE(recorder.has("eventgate_events_produced_total", "stream=\"test.event\"", 1));
}

TEST(OutcomeRecorder, InvalidEvent_IsAValidationError) {
  Recorder recorder;
  EventOutcome outcome = recorder.outcome(Kind::refused);
  outcome.live = &recorder.live;
  EXPECT_EQ(recorder.record(outcome).refused[static_cast<std::size_t>(FailureCause::invalid)], 1u);
  EXPECT_TRUE(recorder.has("eventgate_validation_errors_total", "error_type=\"validation\"", 1));
  EXPECT_TRUE(recorder.has("eventgate_events_total", "outcome=\"invalid\"", 1));
  EXPECT_EQ(recorder.live.outcome, LiveOutcome::invalid);
}

TEST(OutcomeRecorder, RefusedEvent_IsAnErrorOfItsCause) {
  Recorder recorder;
  EventOutcome outcome = recorder.outcome(Kind::refused);
  outcome.cause = FailureCause::title;
  outcome.live = &recorder.live;
  EXPECT_EQ(recorder.record(outcome).refused[static_cast<std::size_t>(FailureCause::title)], 1u);
  EXPECT_TRUE(recorder.has("eventgate_event_errors_total", "cause=\"title\"", 1));
  EXPECT_TRUE(recorder.has("eventgate_events_total", "outcome=\"error\"", 1));
  EXPECT_EQ(recorder.live.outcome, LiveOutcome::error);
}

TEST(OutcomeRecorder, HastyEventRefusedBeforeDelivery_CountsAsRefusedNotAsLost) {
  Recorder recorder;
  EventOutcome outcome = recorder.outcome(Kind::refused);
  outcome.cause = FailureCause::schema;
  outcome.assurance = Assurance::hasty;
  recorder.record(outcome);
  EXPECT_TRUE(recorder.has("eventgate_event_errors_total", "cause=\"schema\"", 1));
  EXPECT_THAT(recorder.metrics.text(), Not(HasSubstr("eventgate_hasty_events_lost_total")));
}

TEST(OutcomeRecorder, DeliveryUnknown_IsAnErrorOfAClientThatWaitsAndElseALoss) {
  for (const Assurance assurance : {Assurance::guaranteed, Assurance::hasty}) {
    Recorder recorder;
    EventOutcome outcome = recorder.outcome(Kind::delivery_unknown);
    outcome.assurance = assurance;
    const bool is_hasty = assurance == Assurance::hasty;
    EXPECT_EQ(recorder.record(outcome).delivery_unknown, 1u);
    EXPECT_EQ(recorder.has("eventgate_event_errors_total", "cause=\"delivery_unknown\"", 1), !is_hasty);
    EXPECT_EQ(recorder.has("eventgate_hasty_events_lost_total", "stream=\"test.event\"", 1), is_hasty);
  }
}

TEST(OutcomeRecorder, LostEvent_IsInLedgerAndMetrics) {
  Recorder recorder;
  EventOutcome outcome = recorder.outcome(Kind::lost);
  outcome.assurance = Assurance::hasty;
  outcome.live = &recorder.live;
  EXPECT_EQ(recorder.record(outcome).lost, 1u);
  EXPECT_TRUE(recorder.has("eventgate_hasty_events_lost_total", "stream=\"test.event\"", 1));
  EXPECT_EQ(recorder.live.outcome, LiveOutcome::error);
}

TEST(OutcomeRecorder, FailureOfTheGatesOwnEvents_IsInTheLedgerOnly) {
  for (const Kind kind : {Kind::refused, Kind::delivery_unknown, Kind::lost}) {
    Recorder recorder;
    EventOutcome outcome = recorder.outcome(kind);
    outcome.origin = Origin::error_events;
    EXPECT_EQ(recorder.record(outcome).in_flight(), 0u);
    EXPECT_TRUE(recorder.has("eventgate_events_total", "outcome=\"invalid\"", 0));
    EXPECT_TRUE(recorder.has("eventgate_events_total", "outcome=\"error\"", 0));
    EXPECT_TRUE(recorder.has("eventgate_events_total", "outcome=\"hasty_lost\"", 0));
  }
}

TEST(OutcomeRecorder, RefusedEvent_IsLoggedUnderItsDeclaredStreamElseAsAnExample) {
  const LogFile log;
  Recorder recorder;
  EventOutcome outcome = recorder.outcome(Kind::refused);
  outcome.message = "'.test' should be string";
  outcome.sent_stream = "test.event";
  recorder.record(outcome);
  EXPECT_EQ(log.lines().at(0)["stream"], "unknown") << "test.event is not declared";
  EXPECT_EQ(log.lines().at(0)["example_stream"], "test.event");
  recorder.telemetry.ledger().declare({{"test.event", "test.event"}}, std::chrono::system_clock::now());
  recorder.record(outcome);
  EXPECT_EQ(log.lines().at(1)["stream"], "test.event");
  EXPECT_EQ(log.lines().at(1)["schema_uri"], "/test/1.0.0");
  EXPECT_EQ(log.lines().at(1)["cause"], "invalid");
  EXPECT_EQ(log.lines().at(1)["message"], "'.test' should be string");
}

}  // namespace
}  // namespace eventgate
