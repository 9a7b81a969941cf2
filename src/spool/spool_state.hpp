#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

#include "eventgate/delivery/delivery_failure.hpp"

namespace eventgate {

/// Returns the wall clock in milliseconds since the epoch.
std::int64_t wall_clock_milliseconds();

/// Whether the spool takes records, and the numbers for its metrics. The spool's thread writes it, all threads read it.
///
/// Thread-safe.
class SpoolState {
 public:
  bool is_full() const { return full_; }
  /// Sets why the store has no room. An empty `reason` means that it has. Returns true if `is_full` has changed.
  bool set_full_reason(const std::string& reason);
  std::string full_reason() const;

  bool is_stopping() const { return stopping_; }
  void set_stopping() { stopping_ = true; }

  /// Returns the failure of a record that neither Kafka nor the store takes.
  DeliveryFailure capacity_failure() const;

  /// Returns the age of the oldest record that will be replayed, or 0 without one.
  double oldest_age_seconds() const;

  std::atomic<std::size_t> records{0};             ///< Records that will be replayed.
  std::atomic<std::size_t> bytes{0};               ///< Used bytes of the store's file.
  std::atomic<std::size_t> set_aside{0};           ///< Records that Kafka will never take.
  std::atomic<std::int64_t> oldest_spooled_at{0};  ///< Milliseconds since the epoch. 0 without a record.

 private:
  std::atomic<bool> full_{false};
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::string full_reason_;
};

}  // namespace eventgate
