#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace eventgate {

/// Limits the records replayed per second (a token bucket). Up to a tenth of a second's records may go at once.
///
/// Use on one thread.
class ReplayRate {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit ReplayRate(std::size_t records_per_second) : rate_(static_cast<double>(records_per_second)) {}

  /// Returns how many records may go now. Call `use` with the number that went.
  std::size_t room(Time now) {
    const double capacity = std::max(1.0, rate_ / 10);
    if (now > last_) {
      const double earned = rate_ * std::chrono::duration<double>(now - last_).count();
      tokens_ = last_ == Time() ? capacity : std::min(capacity, tokens_ + earned);
      last_ = now;
    }
    return static_cast<std::size_t>(tokens_);
  }

  void use(std::size_t count) { tokens_ -= static_cast<double>(count); }

 private:
  const double rate_;  // records a second
  double tokens_ = 0;
  Time last_{};
};

}  // namespace eventgate
