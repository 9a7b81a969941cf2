#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eventgate/sinks/sink.hpp"

namespace eventgate {

class IntakeEvents;

/// Hands records to every sink and brings their deliveries together: a record is delivered when every sink has it. If
/// one took it and another did not, what is known is `unknown` and the message names the sink.
///
/// Thread-safe; `produce` on an I/O thread.
class Producer {
 public:
  Producer(std::vector<std::unique_ptr<Sink>> sinks, std::chrono::milliseconds produce_timeout, IntakeEvents& events);

  /// The outcomes of `records` in order: null-like (nothing) for a delivered one. Their `slot`s are set here, and in
  /// the end which are `spooled`. Guaranteed: within `produce_timeout`, what has no report by then is `unknown`. Hasty:
  /// when all are settled, however long that takes. `records` and what they refer to must live until it returns.
  Task<std::vector<std::optional<DeliveryFailure>>> produce(std::span<Record> records, Assurance assurance);

  void warm(const std::string& topic);
  std::optional<std::string> unready() const;

  /// As Sink::renew, of all sinks.
  std::function<void()> renew();
  /// What is amiss with sinks that take records all the same.
  std::vector<std::string> degraded() const;
  /// Why a sink would only refuse new records, or nothing.
  std::optional<std::string> no_room() const;
  void stop(std::chrono::steady_clock::time_point deadline);

 private:
  std::vector<std::unique_ptr<Sink>> sinks_;
  std::chrono::milliseconds produce_timeout_;
  IntakeEvents& events_;
};

}  // namespace eventgate
