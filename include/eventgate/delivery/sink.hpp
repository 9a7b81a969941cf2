#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "eventgate/delivery/delivery.hpp"

namespace eventgate {

/// `guaranteed`: the client waits for the delivery. `hasty`: it was answered before.
enum class Assurance : std::uint8_t { guaranteed, hasty };

/// What is handed to a sink. The texts are the caller's: a sink copies what it needs before `produce` returns, or, if
/// it `borrows_record_text`, on the slot's I/O thread while the slot is neither settled nor abandoned.
struct Record {
  std::string_view topic;
  std::optional<std::string_view> message_key;  ///< JSON text.
  std::string_view value;                       ///< The event's JSON text.
  std::int64_t timestamp = 0;                   ///< Milliseconds since the epoch.
  DeliveryHandle* slot = nullptr;               ///< To be settled exactly once.
  bool already_answered = false;                ///< Its client was answered 202: it waits where a queue is full.
};

/// Where records go.
///
/// Thread-safe.
class Sink {
 public:
  virtual ~Sink() = default;

  /// `kafka` or `file`: a label.
  virtual std::string_view name() const = 0;

  /// Takes `records` in order. Settles the slot of each exactly once, on any thread, perhaps before this returns. Does
  /// not block.
  virtual void produce(std::span<const Record> records, Assurance assurance) = 0;

  /// Whether it reads texts of records after `produce`.
  virtual bool borrows_record_text() const { return false; }

  /// Makes ready for `topic`, so that its first record is not slow. Does not block.
  virtual void prefetch_metadata(const std::string& topic) = 0;

  /// Why it cannot produce now, or nothing.
  virtual std::optional<std::string> not_ready_reason() const = 0;

  /// What is amiss although it takes records, or nothing.
  virtual std::optional<std::string> degraded_reason() const { return std::nullopt; }

  /// Why new records would only be refused, so that whoever sends them is to come back later; or nothing.
  virtual std::optional<std::string> overload_reason() const { return std::nullopt; }

  /// Whether `topic` is made ready for.
  virtual bool has_metadata(const std::string& /*topic*/) const { return true; }

  /// How long it keeps records back to send them together.
  virtual std::chrono::milliseconds linger(Assurance) const { return std::chrono::milliseconds(0); }

  /// Reads the files that its options name again, as far as they have changed. What it returns puts them to use: to be
  /// called at most once. Throws std::invalid_argument with what is wrong with them. Blocks a little.
  virtual std::function<void()> reload() {
    return [] {};
  }

  /// Waits until every record handed over is settled, or until `deadline`; then settles the rest as failed (`unknown`
  /// unless it is certain). Blocks: not on an I/O thread. Nothing may be produced any more.
  virtual void stop(std::chrono::steady_clock::time_point deadline) = 0;
};

}  // namespace eventgate
