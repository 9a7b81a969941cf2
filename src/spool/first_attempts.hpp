#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>

#include "eventgate/delivery/sink.hpp"
#include "eventgate/spool/spool_sink.hpp"
#include "first_attempt.hpp"

namespace eventgate {

class SpoolInbox;
class SpoolState;

/// Hands records to Kafka's sink and waits for their reports. What Kafka does not take in time, or fails because of an
/// outage, is copied to the inbox of the spool's thread.
///
/// Thread-safe.
class FirstAttempts final : private DeliveryListener {
 public:
  using Clock = std::chrono::steady_clock;

  /// The references must outlive this.
  FirstAttempts(const SpoolOptions& options, Sink& kafka, SpoolInbox& inbox, const SpoolState& state,
                Telemetry& telemetry);

  /// Hands the records of `batch` to Kafka's sink, and sets their deadline.
  void hand_over(const AttemptBatchPointer& batch);

  /// Copies the attempts of `batch` that have no report, because their time is over. If a topic is still loading its
  /// metadata, sets another deadline instead. Call on the spool's thread. The copying runs on the batch's I/O thread,
  /// unless the batch owns its texts.
  void handle_deadline(AttemptBatchPointer batch);

  /// Returns the number of attempts whose clients wait.
  std::size_t in_flight() const { return in_flight_; }

 private:
  void handle_settled(DeliveryHandle& handle) noexcept override;
  void copy_failed(AttemptBatch& batch) { copy(batch, false); }
  void copy_unreported(AttemptBatch& batch) { copy(batch, true); }
  void copy(AttemptBatch& batch, bool include_in_flight);
  void expire(const AttemptBatchPointer& batch);
  bool prefetch_missing_metadata(const AttemptBatch& batch);

  const SpoolOptions& options_;
  const std::chrono::milliseconds guaranteed_limit_, hasty_limit_;  // for a report
  Sink& kafka_;
  SpoolInbox& inbox_;
  const SpoolState& state_;
  Telemetry& telemetry_;
  std::atomic<std::size_t> in_flight_{0};
};

}  // namespace eventgate
