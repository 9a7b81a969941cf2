#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "event_outcome.hpp"
#include "eventgate/delivery/fan_out.hpp"
#include "eventgate/gate/gate_types.hpp"
#include "eventgate/gate/live_feed.hpp"
#include "eventgate/io/task.hpp"
#include "request_scratch.hpp"
#include "self_events.hpp"

namespace eventgate {

/// Hands the records of a request to delivery, and settles them: when their deliveries are known, records the outcome
/// of each event and reports what was not produced.
///
/// Thread-safe. Settle a batch on the I/O thread that handed it over.
class Settlement {
 public:
  /// The references must outlive this and every record in flight. `live` may be null.
  Settlement(const GateOptions& options, FanOut& producer, OutcomeRecorder& outcomes, SelfEvents& self_events,
             LiveFeed* live);

  /// Counts the records of `memory` as received and hands them to every sink.
  DeliveryBatch& hand_over(RequestMemory& memory, std::chrono::system_clock::time_point received_at,
                           Assurance assurance, Origin origin, const IoExecutor& executor);

  /// Settles the records of a request that waited for `deliveries`. Adds a status to `result` for each record that was
  /// not produced.
  void settle(RequestMemory& memory, DeliveryBatch& deliveries, Assurance assurance, Origin origin,
              const IoExecutor& executor, ProcessResult& result);

  /// Settles the records of a hasty request when `deliveries` are complete. Keeps only what that needs of the request,
  /// because there may be as many such records as the sinks have room for.
  void settle_on_completion(DeliveryBatch& deliveries, std::unique_ptr<HastyRequest> request, MemoryLease memory,
                            ProcessResult result);

 private:
  class HastyCompletion;

  /// The records to settle.
  struct Records {
    const RecordGroups& groups;
    std::size_t count;
    Assurance assurance;
    Origin origin;
    RequestMemory* memory;  ///< Null: the texts of the records are gone.
  };

  void settle(const Records& records, DeliveryBatch& deliveries, const IoExecutor& executor, ProcessResult& result);
  void settle_failed(const Records& records, const RecordGroup& group, std::size_t record,
                     const DeliveryFailure& failure, std::optional<MemoryLease>& error_events, ProcessResult& result);
  void add_record_error_event(std::optional<MemoryLease>& error_events, const RecordGroup& group,
                              std::string_view value, const DeliveryFailure& failure);

  const GateOptions& options_;
  FanOut& producer_;
  OutcomeRecorder& outcomes_;
  SelfEvents& self_events_;
  LiveFeed* const live_;
};

}  // namespace eventgate
