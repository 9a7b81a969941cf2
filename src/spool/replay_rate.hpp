#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace eventgate {

/// Holds the records replayed to so many a second; a tenth of a second's worth may go at once.
///
/// One thread at a time.
class ReplayRate {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit ReplayRate(std::size_t a_second) : rate_(static_cast<double>(a_second)) {}

  /// How many may go now, of which `take` says how many went.
  std::size_t room(Time now) {
    const double most = std::max(1.0, rate_ / 10);
    if (now > last_) {
      saved_ =
          last_ == Time() ? most : std::min(most, saved_ + rate_ * std::chrono::duration<double>(now - last_).count());
      last_ = now;
    }
    return static_cast<std::size_t>(saved_);
  }

  void take(std::size_t count) { saved_ -= static_cast<double>(count); }

 private:
  double rate_;
  double saved_ = 0;
  Time last_{};
};

}  // namespace eventgate
