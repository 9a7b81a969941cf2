#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eventgate/delivery/sink.hpp"

namespace eventgate {

class Telemetry;

/// What became of a record.
struct Outcome {
  std::optional<DeliveryFailure> failure;  ///< Nothing: every sink has it.
  bool spooled = false;                    ///< Delivered to the spool, and to Kafka later.
};

/// Hands records to every sink and brings their deliveries together: a record is delivered when every sink has it. If
/// one took it and another did not, what is known is `unknown` and the message names the sink.
///
/// Thread-safe; what is about a batch on the I/O thread that handed it over.
class FanOut {
 public:
  FanOut(std::vector<std::unique_ptr<Sink>> sinks, std::chrono::milliseconds produce_timeout, Telemetry& events);

  /// Hands `records` to every sink, and sets their `slot`s. The batch of their deliveries is to be waited for, asked
  /// for its `outcomes` and released; what the records refer to must live until then if a sink `borrows_record_text`.
  DeliveryBatch& hand_over(std::span<Record> records, Assurance assurance, const IoExecutor& executor);

  /// To be awaited. Guaranteed: within `produce_timeout`. Hasty: until all are settled, however long that takes.
  DeliveryBatch::Waiting wait(DeliveryBatch& batch, Assurance assurance) const;

  /// Once `batch`, of `count` records, was waited for: what became of them, in order. What has no report is `unknown`.
  void outcomes(DeliveryBatch& batch, std::size_t count, std::vector<Outcome>& outcomes);

  /// Whether a sink reads texts of records after they were handed over.
  bool borrows_record_text() const;

  void prefetch_metadata(const std::string& topic);
  std::optional<std::string> not_ready_reason() const;

  /// As Sink::renew, of all sinks.
  std::function<void()> reload();
  /// What is amiss with sinks that take records all the same.
  std::vector<std::string> degraded_reason() const;
  /// Why a sink would only refuse new records, or nothing.
  std::optional<std::string> overload_reason() const;
  void stop(std::chrono::steady_clock::time_point deadline);

 private:
  std::vector<std::unique_ptr<Sink>> sinks_;
  std::chrono::milliseconds produce_timeout_;
  Telemetry& events_;
};

}  // namespace eventgate
