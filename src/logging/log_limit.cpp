#include "eventgate/logging/log_limit.hpp"

#include <utility>

namespace eventgate {
namespace {

constexpr std::size_t kCauses = 256;

}  // namespace

std::optional<std::uint64_t> LogLimit::admit(std::string_view cause, std::chrono::steady_clock::time_point now) {
  const std::lock_guard lock(mutex_);
  auto found = causes_.find(cause);
  if (found == causes_.end()) {
    found = causes_.try_emplace(causes_.size() < kCauses ? std::string(cause) : std::string(), Cause{now, 0, 0}).first;
  }
  Cause& of = found->second;
  if (now - of.since >= std::chrono::seconds(1)) {
    of.since = now;
    of.written = 0;
  }
  if (of.written >= lines_) {
    ++of.left_out;
    return std::nullopt;
  }
  ++of.written;
  return std::exchange(of.left_out, 0);
}

}  // namespace eventgate
