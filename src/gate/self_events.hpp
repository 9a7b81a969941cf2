#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "error_event.hpp"
#include "eventgate/gate/gate_types.hpp"
#include "eventgate/io/inflight_bytes.hpp"
#include "eventgate/io/task.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "request_scratch.hpp"

namespace eventgate {

/// Makes the events that the gate itself produces: error events and ledger events.
///
/// They pass through the gate as a hasty request does, and nothing waits for them. They reserve bytes of
/// `max_inflight_bytes` until they are delivered, and only while at most half of the bound is in use, so that the other
/// half is left to requests.
///
/// Thread-safe. A RequestMemory is used by one thread at a time.
class SelfEvents {
 public:
  /// Processes a batch of the gate's own events, hasty. The references must outlive the task.
  using Process = std::function<Task<ProcessResult>(EventBatch& batch, const RequestContext& context, Origin origin)>;

  /// The references and what `process` refers to must outlive this and every event in flight.
  SelfEvents(const GateOptions& options, Telemetry& telemetry, InflightBytes& inflight, Process process);

  /// Adds the error event of `failed` to `memory`. If the bytes in flight have no room, drops it, and counts and logs
  /// that. The caller has asked `GateOptions::makes_error_event`.
  void add_error_event(RequestMemory& memory, const FailedEvent& failed,
                       std::chrono::system_clock::time_point received_at);

  /// Returns false if it is known that the schema of error events declares none of kErrorDetails.
  bool has_error_details() const { return has_error_details_.load(std::memory_order_relaxed); }
  void set_has_error_details(bool has) { has_error_details_.store(has, std::memory_order_relaxed); }

  /// Produces the error events in `memory`, and empties that list.
  void produce_error_events(RequestMemory& memory, std::chrono::system_clock::time_point received_at,
                            const IoExecutor& executor);

  /// See EventGate::produce_ledger.
  void produce_ledger(std::chrono::system_clock::time_point now, const IoExecutor& executor);

  /// Batches that are not yet delivered or failed.
  std::size_t in_flight() const { return batches_in_flight_.load(); }

 private:
  class BatchCount;

  std::size_t max_reserved_bytes() const { return inflight_.max() / 2; }
  void produce(std::string texts, InflightReservation reservation, Origin origin,
               std::chrono::system_clock::time_point received_at, const IoExecutor& executor);
  Task<void> run(std::string texts, InflightReservation reservation, Origin origin,
                 std::chrono::system_clock::time_point received_at, BatchCount counted);
  void report_failure(Origin origin, std::string_view message);

  const GateOptions& options_;
  Telemetry& telemetry_;
  InflightBytes& inflight_;
  const Process process_;
  std::atomic<std::size_t> batches_in_flight_{0};
  std::atomic<bool> has_error_details_{true};
  // The bytes that the last ledger events reserved; at first those of one event without text.
  std::atomic<std::size_t> last_ledger_bytes_{inflight_weight(0, 1)};
};

}  // namespace eventgate
