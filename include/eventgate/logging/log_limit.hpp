#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace eventgate {

/// Limits the log lines of each cause in a second, or another period, and counts the suppressed ones.
///
/// Thread-safe.
class LogLimit {
 public:
  /// Admits `lines` lines of each cause in a `period`.
  explicit LogLimit(unsigned lines, std::chrono::steady_clock::duration period = std::chrono::seconds(1))
      : lines_(lines), period_(period) {}

  /// Returns the number of lines about `cause` that were suppressed since the last admitted one, if a line may be
  /// written at `now`. Returns nullopt if it is suppressed. Causes after the first 256 share one count.
  std::optional<std::uint64_t> admit(std::string_view cause,
                                     std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now());

 private:
  struct Cause {
    std::chrono::steady_clock::time_point period_begun;
    unsigned admitted = 0;  ///< In this period.
    std::uint64_t suppressed = 0;
  };

  const unsigned lines_;
  const std::chrono::steady_clock::duration period_;
  std::mutex mutex_;
  std::map<std::string, Cause, std::less<>> causes_;
};

}  // namespace eventgate
