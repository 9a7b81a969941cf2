#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace eventgate {

/// Keeps one cause from flooding the log: at most `lines` lines of each cause in a second, with a count of those left
/// out.
///
/// Thread-safe.
class LogLimit {
 public:
  explicit LogLimit(unsigned lines) : lines_(lines) {}

  /// Whether a line about `cause` may be written at `now`: nothing if not, else how many were left out since the last
  /// one that was written. Causes beyond the first 256 share one count.
  std::optional<std::uint64_t> admit(std::string_view cause,
                                     std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now());

 private:
  struct Cause {
    std::chrono::steady_clock::time_point since;
    unsigned written = 0;
    std::uint64_t left_out = 0;
  };

  const unsigned lines_;
  std::mutex mutex_;
  std::map<std::string, Cause, std::less<>> causes_;
};

}  // namespace eventgate
