#include "self_events.hpp"

#include <algorithm>
#include <utility>

#include "event_pipeline.hpp"
#include "ledger_event.hpp"

namespace eventgate {

/// Counts a batch as in flight for as long as it exists.
class SelfEvents::BatchCount {
 public:
  explicit BatchCount(std::atomic<std::size_t>& count) : count_(&count) { count.fetch_add(1); }
  BatchCount(BatchCount&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  BatchCount& operator=(BatchCount&&) = delete;
  ~BatchCount() {
    if (count_) count_->fetch_sub(1);
  }

 private:
  std::atomic<std::size_t>* count_;
};

SelfEvents::SelfEvents(const GateOptions& options, Telemetry& telemetry, InflightBytes& inflight, Process process)
    : options_(options), telemetry_(telemetry), inflight_(inflight), process_(std::move(process)) {}

void SelfEvents::add_error_event(RequestMemory& memory, const FailedEvent& failed,
                                 std::chrono::system_clock::time_point received_at) {
  std::optional<InflightReservation>& reservation = memory.error_events_reservation;
  if (!reservation) reservation.emplace(inflight_, max_reserved_bytes());
  // The room is reserved before the text is made. Escapes make the text longer, so the exact size is set afterwards.
  const std::size_t least = std::min(failed.raw_event.size(), options_.max_raw_event) + failed.message.size() +
                            failed.http.size() + failed.query.size();
  if (!reservation->resize(inflight_weight(memory.error_events.size() + least, memory.error_event_count + 1))) {
    telemetry_.error_event_failed(
        "no room for it: expected that bytes in flight stay within half of max_inflight_bytes, " +
        std::to_string(inflight_.max()));
    return;
  }
  memory.error_events += memory.error_events.empty() ? '[' : ',';
  append_error_event(memory.error_events, failed, options_.user_agent, options_.max_raw_event, received_at);
  reservation->resize_anyway(inflight_weight(memory.error_events.size(), ++memory.error_event_count));
}

void SelfEvents::produce_error_events(RequestMemory& memory, std::chrono::system_clock::time_point received_at,
                                      const IoExecutor& executor) {
  if (memory.error_events.empty()) {
    memory.error_events_reservation.reset();
    return;
  }
  memory.error_events += ']';
  InflightReservation reservation = *std::move(memory.error_events_reservation);
  memory.error_events_reservation.reset();
  produce(std::move(memory.error_events), std::move(reservation), Origin::error_events, received_at, executor);
}

void SelfEvents::produce_ledger(std::chrono::system_clock::time_point now, const IoExecutor& executor) {
  if (options_.ledger_stream.empty()) return;
  InflightReservation reservation(inflight_, max_reserved_bytes());
  if (!reservation.resize(last_ledger_bytes_)) return telemetry_.ledger_events_deferred(inflight_.max());
  std::string texts;
  std::size_t row_count = 0;
  for (const LedgerRow& row : telemetry_.ledger().take_rows(now)) {
    if (row.stream == options_.ledger_stream) continue;
    texts += texts.empty() ? '[' : ',';
    append_ledger_event(texts, row, options_.user_agent);
    ++row_count;
  }
  if (texts.empty()) return;
  texts += ']';
  reservation.resize_anyway(inflight_weight(texts.size(), row_count));
  last_ledger_bytes_ = reservation.size();
  produce(std::move(texts), std::move(reservation), Origin::ledger, now, executor);
}

void SelfEvents::produce(std::string texts, InflightReservation reservation, Origin origin,
                         std::chrono::system_clock::time_point received_at, const IoExecutor& executor) {
  spawn(executor, run(std::move(texts), std::move(reservation), origin, received_at, BatchCount(batches_in_flight_)));
}

/// `texts` is a JSON array of events. The reservation and the count end with the coroutine.
Task<void> SelfEvents::run(std::string texts, InflightReservation reservation, Origin origin,
                           std::chrono::system_clock::time_point received_at, BatchCount counted) {
  const BatchCount in_flight(std::move(counted));
  const InflightReservation held(std::move(reservation));
  auto batch = EventBatch::parse(std::move(texts), completed_event_limits(options_));
  if (!batch) {
    report_failure(origin, "expected " + batch.error().expected + " at byte " + std::to_string(batch.error().offset));
    co_return;
  }
  RequestContext context;
  context.received_at = received_at;
  const ProcessResult result = co_await process_(*batch, context, origin);
  for (const EventStatus& status : result.invalid) report_failure(origin, errors_text(status.errors));
  for (const EventStatus& status : result.error) report_failure(origin, status.message);
}

void SelfEvents::report_failure(Origin origin, std::string_view message) {
  if (origin == Origin::ledger) {
    telemetry_.ledger_event_failed(message);
  } else {
    telemetry_.error_event_failed(message);
  }
}

}  // namespace eventgate
