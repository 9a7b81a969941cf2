#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eventgate/delivery/delivery_batch.hpp"
#include "eventgate/delivery/sink.hpp"

namespace eventgate {

class Telemetry;

/// The result of one record, over all sinks.
struct Outcome {
  std::optional<DeliveryFailure> failure;  ///< Nullopt: every sink has the record.
  bool spooled = false;                    ///< The spool has the record, and Kafka will get it later.
  std::int32_t partition = -1;             ///< Where Kafka has the record. Less than 0: not known.
  std::int64_t offset = -1;                ///< As `partition`.
};

/// Hands each record to every sink and merges the results. A record is delivered when every sink has it. If one sink
/// took it and another did not, the failure is `unknown`, and its message names the sink.
///
/// The gate uses it in this order: `hand_over`, `wait`, `collect_outcomes`, `DeliveryBatch::release`.
///
/// Thread-safe, but use a batch only on the I/O thread that handed it over.
class FanOut {
 public:
  /// `telemetry` must outlive this.
  FanOut(std::vector<std::unique_ptr<Sink>> sinks, std::chrono::milliseconds produce_timeout, Telemetry& telemetry);

  /// Hands `records` to every sink, and sets their `handle`s. If a sink `borrows_record_text`, the texts of the records
  /// must live until the batch is released.
  DeliveryBatch& hand_over(std::span<Record> records, Assurance assurance, const IoExecutor& executor);

  /// Await the result. Guaranteed records are waited for at most `produce_timeout`, hasty ones until all are settled.
  DeliveryBatch::Waiting wait(DeliveryBatch& batch, Assurance assurance) const;

  /// Call after `wait`. Writes the outcome of each of the `count` records of `batch` to `outcomes`, in order. A record
  /// without a report has failed as `unknown`.
  void collect_outcomes(DeliveryBatch& batch, std::size_t count, std::vector<Outcome>& outcomes);

  /// Returns true if any sink `borrows_record_text`.
  bool borrows_record_text() const;

  void prefetch_metadata(const std::string& topic);
  /// Returns the `not_ready_reason` of the first sink that has one.
  std::optional<std::string> not_ready_reason() const;

  /// Calls `reload` of every sink. The function it returns puts all of it to use.
  std::function<void()> reload();
  /// Returns the `degraded_reason` of each sink that has one.
  std::vector<std::string> degraded_reasons() const;
  /// Returns the `overload_reason` of the first sink that has one.
  std::optional<std::string> overload_reason() const;
  /// Stops every sink. Blocks until `deadline` at most.
  void stop(std::chrono::steady_clock::time_point deadline);

 private:
  std::vector<std::unique_ptr<Sink>> sinks_;
  std::chrono::milliseconds produce_timeout_;
  Telemetry& telemetry_;
};

}  // namespace eventgate
