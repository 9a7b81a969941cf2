#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace eventgate {

/// Limits the log lines of each cause in a second, and counts the suppressed ones.
///
/// Thread-safe.
class LogLimit {
 public:
  /// Admits `lines` lines of each cause in a second.
  explicit LogLimit(unsigned lines) : lines_(lines) {}

  /// Returns the number of lines about `cause` that were suppressed since the last admitted one, if a line may be
  /// written at `now`. Returns nullopt if it is suppressed. Causes after the first 256 share one count.
  std::optional<std::uint64_t> admit(std::string_view cause,
                                     std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now());

 private:
  struct Cause {
    std::chrono::steady_clock::time_point second_begun;
    unsigned admitted = 0;  ///< In this second.
    std::uint64_t suppressed = 0;
  };

  const unsigned lines_;
  std::mutex mutex_;
  std::map<std::string, Cause, std::less<>> causes_;
};

}  // namespace eventgate
