#include "eventgate/logging/log_limit.hpp"

#include <utility>

namespace eventgate {
namespace {

/// Causes with a count of their own, which bounds the memory.
constexpr std::size_t kMaxCauses = 256;

}  // namespace

std::optional<std::uint64_t> LogLimit::admit(std::string_view cause, std::chrono::steady_clock::time_point now) {
  const std::lock_guard lock(mutex_);
  auto found = causes_.find(cause);
  if (found == causes_.end()) {
    found =
        causes_.try_emplace(causes_.size() < kMaxCauses ? std::string(cause) : std::string(), Cause{now, 0, 0}).first;
  }
  Cause& count = found->second;
  if (now - count.period_begun >= period_) {
    count.period_begun = now;
    count.admitted = 0;
  }
  if (count.admitted >= lines_) {
    ++count.suppressed;
    return std::nullopt;
  }
  ++count.admitted;
  return std::exchange(count.suppressed, 0);
}

}  // namespace eventgate
