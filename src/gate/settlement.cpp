#include "settlement.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "error_event.hpp"
#include "event_pipeline.hpp"
#include "eventgate/logging/log.hpp"
#include "live_report.hpp"

namespace eventgate {

namespace {

EventOutcome::Kind failure_kind(const DeliveryFailure& failure, Assurance assurance) {
  switch (failure.delivery) {
    case Delivery::unknown:
      return EventOutcome::Kind::delivery_unknown;
    case Delivery::not_produced:
      break;
  }
  return assurance == Assurance::hasty ? EventOutcome::Kind::lost : EventOutcome::Kind::refused;
}

/// Logs that the outcome of hasty records could not be counted.
void log_settlement_failure(std::size_t records, const char* reason) noexcept {
  try {
    log(LogLevel::error, "The outcome of hasty events could not be counted",
        {{"events", static_cast<long long>(records)}, {"error", std::string_view(reason)}});
  } catch (const std::exception&) {
    // Without memory there is no log line either.
  }
}

}  // namespace

Settlement::Settlement(const GateOptions& options, FanOut& producer, OutcomeRecorder& outcomes, SelfEvents& self_events,
                       LiveFeed* live)
    : options_(options), producer_(producer), outcomes_(outcomes), self_events_(self_events), live_(live) {}

DeliveryBatch& Settlement::hand_over(RequestMemory& memory, std::chrono::system_clock::time_point received_at,
                                     Assurance assurance, Origin origin, const IoExecutor& executor) {
  const std::int64_t at = to_milliseconds(received_at);
  for (const RecordGroup& group : memory.groups) group.account->received(group.count, at);
  if (assurance == Assurance::hasty && origin == Origin::client)
    for (Record& record : memory.records) record.already_answered = true;
  return producer_.hand_over(memory.records, assurance, executor);
}

void Settlement::settle(RequestMemory& memory, DeliveryBatch& deliveries, Assurance assurance, Origin origin,
                        const IoExecutor& executor, ProcessResult& result) {
  settle({memory.groups, memory.records.size(), assurance, origin, &memory}, deliveries, executor, result);
}

void Settlement::settle(const Records& records, DeliveryBatch& deliveries, const IoExecutor& executor,
                        ProcessResult& result) {
  std::vector<Outcome>& delivery_outcomes = workspace().delivery_outcomes;
  producer_.collect_outcomes(deliveries, records.count, delivery_outcomes);
  const std::size_t errors_before = result.error.size();
  std::optional<MemoryLease> error_events;  // most requests need none
  std::size_t record = 0;
  for (const RecordGroup& group : records.groups) {
    std::size_t produced = 0;
    std::size_t spooled = 0;
    for (const std::size_t end = record + group.count; record < end; ++record) {
      const Outcome& delivery = delivery_outcomes[record];
      if (delivery.failure) {
        settle_failed(records, group, record, *delivery.failure, error_events, result);
      } else {
        ++(delivery.spooled ? spooled : produced);
        if (records.memory && !records.memory->live.events.empty()) {
          LiveEvent& event = records.memory->live.events[records.memory->event_indexes[record]];
          event.partition = delivery.partition;
          event.offset = delivery.offset;
        }
      }
    }
    EventOutcome outcome{.kind = EventOutcome::Kind::produced,
                         .account = *group.account,
                         .schema_label = schema_label(*group.schema),
                         .origin = records.origin,
                         .assurance = records.assurance,
                         .count = produced};
    if (produced > 0) outcomes_.record(outcome);
    outcome.kind = EventOutcome::Kind::spooled;
    outcome.count = spooled;
    if (spooled > 0) outcomes_.record(outcome);
    result.spooled += spooled;
  }
  // The pipeline's errors come first; now they are merged with those of delivery.
  if (errors_before > 0 && result.error.size() > errors_before)
    std::sort(result.error.begin(), result.error.end(),
              [](const EventStatus& a, const EventStatus& b) { return a.index < b.index; });
  if (error_events) self_events_.produce_error_events(**error_events, std::chrono::system_clock::now(), executor);
}

/// Settles one record that was not produced. `error_events` gets its memory with the first error event.
void Settlement::settle_failed(const Records& records, const RecordGroup& group, std::size_t record,
                               const DeliveryFailure& failure, std::optional<MemoryLease>& error_events,
                               ProcessResult& result) {
  RequestMemory* const memory = records.memory;
  const bool has_live_event = memory && !memory->live.events.empty();
  const EventOutcome::Kind kind = failure_kind(failure, records.assurance);
  result.failure_cause = outcome_name(kind, failure_cause(failure));
  outcomes_.record({.kind = kind,
                    .account = *group.account,
                    .schema_label = schema_label(*group.schema),
                    .origin = records.origin,
                    .assurance = records.assurance,
                    .cause = failure_cause(failure),
                    .message = failure.message,
                    .sent_stream = group.account->stream(),
                    .sent_schema_uri = group.schema->uri(),
                    .live = has_live_event ? &memory->live.events[memory->event_indexes[record]] : nullptr});
  const bool is_not_produced = failure.delivery == Delivery::not_produced;
  if (is_not_produced && failure.scope == FailureScope::capacity) ++result.no_room;
  if (is_not_produced && failure.scope == FailureScope::record && records.origin == Origin::client &&
      options_.makes_error_event(FailureCause::record) && (memory || failure.value))
    add_record_error_event(error_events, group,
                           memory ? memory->records[record].value : std::string_view(*failure.value), failure);
  if (!memory) return;
  EventStatus& status = result.error.emplace_back();
  status.kind = EventStatus::Kind::error;
  status.index = memory->event_indexes[record];
  status.event = memory->records[record].value;
  status.message = failure.message;
  status.has_delivery = true;
  status.delivery = failure.delivery;
  status.retry = failure.is_retryable();
}

/// Adds the error event of a record that Kafka will never take. Its `raw_event` is the event as completed.
void Settlement::add_record_error_event(std::optional<MemoryLease>& error_events, const RecordGroup& group,
                                        std::string_view value, const DeliveryFailure& failure) {
  JsonNodes nodes;
  std::string padded(value);
  padded.append(kJsonPadding, ' ');
  const std::string_view text = std::string_view(padded).substr(0, value.size());
  std::optional<JsonValue> event;
  if (!parse_json(text, nodes, completed_event_limits(options_))) event = nodes.root();
  const auto string_at = [&event](const std::vector<FieldPath>& fields, std::string_view fallback) {
    for (const FieldPath& field : fields)
      if (const auto found = event ? field.find(*event) : std::nullopt; found && found->is_string())
        return found->string();
    return std::string(fallback);
  };
  const std::string schema_uri = string_at(options_.schema_uri_field, group.schema->uri());
  const std::string stream = string_at(options_.stream_field, group.account->stream());
  FailedEvent failed{text, failure.message, error_type(FailureCause::record), event, schema_uri, stream};
  // The event as completed says who sent it.
  failed.has_details = self_events_.has_error_details();
  if (const auto http = event && event->is_object() ? event->find("http") : std::nullopt; http && http->is_object())
    failed.http = http->source();
  if (!error_events) error_events.emplace();
  self_events_.add_error_event(**error_events, failed, std::chrono::system_clock::now());
}

/// Settles hasty records whose request has ended.
class Settlement::HastyCompletion final : public CompletionHandler {
 public:
  /// The request and its results, kept if a sink or the live feed still reads the texts of its records.
  struct Request {
    std::unique_ptr<HastyRequest> request;
    MemoryLease memory;
    ProcessResult result;
  };

  /// `failure_cause` is that of the events that have no record.
  HastyCompletion(Settlement& settlement, RequestMemory& memory, HastyRequest& request, std::string_view failure_cause)
      : settlement_(settlement),
        record_count_(memory.records.size()),
        groups_(std::move(memory.groups)),
        held_(std::move(request.held)),
        on_outcome_(std::move(request.on_outcome)),
        failure_cause_(failure_cause) {}

  void keep(Request request) { kept_ = std::make_unique<Request>(std::move(request)); }

  /// Counting allocates. An exception from it must not end the process. The producer keeps its promise all the same,
  /// and events that are not counted stay in flight in the ledger.
  void handle_completion(DeliveryBatch& batch) noexcept override {
    try {
      ProcessResult counts;
      counts.failure_cause = failure_cause_;
      ProcessResult& result = kept_ ? kept_->result : counts;
      RequestMemory* const memory = kept_ ? &*kept_->memory : nullptr;
      const Records records{groups_, record_count_, Assurance::hasty, Origin::client, memory};
      settlement_.settle(records, batch, batch.handle(0).executor(), result);
      if (memory && settlement_.live_)
        report_live_events(*settlement_.live_, kept_->request->context, Assurance::hasty, *memory, result);
      if (on_outcome_) on_outcome_(result.failure_cause);
    } catch (const std::exception& exception) {
      log_settlement_failure(record_count_, exception.what());
    }
  }

 private:
  Settlement& settlement_;
  const std::size_t record_count_;
  const RecordGroups groups_;
  const std::shared_ptr<const void> held_;
  const std::function<void(std::string_view)> on_outcome_;
  const std::string_view failure_cause_;
  std::unique_ptr<Request> kept_;
};

void Settlement::settle_on_completion(DeliveryBatch& deliveries, std::unique_ptr<HastyRequest> request,
                                      MemoryLease memory, ProcessResult result) {
  auto completion = std::make_unique<HastyCompletion>(*this, *memory, *request, result.failure_cause);
  if (live_ || producer_.borrows_record_text()) {
    request->batch.release_values();
    completion->keep({std::move(request), std::move(memory), std::move(result)});
  }
  deliveries.on_complete(std::move(completion));
}

}  // namespace eventgate
