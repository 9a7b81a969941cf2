#include "event_outcome.hpp"

namespace eventgate {

void OutcomeRecorder::record(const EventOutcome& outcome) {
  LedgerAccount& account = outcome.account;
  switch (outcome.kind) {
    case EventOutcome::Kind::produced:
      account.produced(outcome.count);
      break;
    case EventOutcome::Kind::spooled:
      account.spooled(outcome.count);
      break;
    case EventOutcome::Kind::refused:
      account.refused(outcome.cause, outcome.count);
      break;
    case EventOutcome::Kind::delivery_unknown:
      account.delivery_unknown(outcome.count);
      break;
    case EventOutcome::Kind::lost:
      account.lost(outcome.count);
      break;
  }

  const std::string_view stream = account.stream();
  const bool is_produced = outcome.kind == EventOutcome::Kind::produced || outcome.kind == EventOutcome::Kind::spooled;
  if (is_produced && outcome.origin == Origin::canary) return;
  if (is_produced) return telemetry_.event_produced(stream, outcome.schema_label, outcome.count);

  if (outcome.live) {
    const bool is_refused = outcome.kind == EventOutcome::Kind::refused;
    outcome.live->outcome = is_refused && is_invalid(outcome.cause) ? LiveOutcome::invalid : LiveOutcome::error;
    outcome.live->cause = outcome_name(outcome.kind, outcome.cause);
  }
  if (outcome.origin != Origin::client) return;
  if (outcome.assurance == Assurance::hasty && outcome.kind != EventOutcome::Kind::refused)
    return telemetry_.hasty_event_lost(stream, outcome.schema_label, outcome.message);
  const RefusedEvent event{.stream = stream,
                           .schema_uri = outcome.schema_label,
                           .cause = outcome.cause,
                           .message = outcome.message,
                           .is_declared = account.is_declared(),
                           .sent_stream = outcome.sent_stream,
                           .sent_schema_uri = outcome.sent_schema_uri};
  if (outcome.kind == EventOutcome::Kind::delivery_unknown) {
    telemetry_.event_delivery_unknown(event);
  } else {
    telemetry_.event_refused(event);
  }
}

std::string_view outcome_name(EventOutcome::Kind kind, FailureCause cause) {
  switch (kind) {
    case EventOutcome::Kind::lost:
      return "lost";
    case EventOutcome::Kind::delivery_unknown:
      return "delivery_unknown";
    case EventOutcome::Kind::refused:
    case EventOutcome::Kind::produced:
    case EventOutcome::Kind::spooled:
      break;
  }
  return failure_cause_name(cause);
}

std::string_view schema_label(const CompiledSchema& schema) {
  return schema.uri().starts_with('/') ? std::string_view(schema.uri()) : Telemetry::kUnknown;
}

FailureCause failure_cause(const DeliveryFailure& failure) {
  return failure.scope == FailureScope::record ? FailureCause::record : FailureCause::not_produced;
}

std::int64_t to_milliseconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace eventgate
