#include "spool_state.hpp"

#include <chrono>
#include <utility>

namespace eventgate {

std::int64_t wall_clock_milliseconds() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool SpoolState::set_full_reason(const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    full_reason_ = reason;
  }
  return full_.exchange(!reason.empty()) != !reason.empty();
}

std::string SpoolState::full_reason() const {
  const std::lock_guard lock(mutex_);
  return full_reason_;
}

DeliveryFailure SpoolState::capacity_failure() const {
  std::string message = "The service is stopping";
  if (!stopping_) {
    message = "Kafka does not take it and the spool has no room";
    if (const std::string reason = full_reason(); !reason.empty()) message += ": " + reason;
  }
  return {Delivery::not_produced, std::move(message), FailureScope::capacity};
}

double SpoolState::oldest_age_seconds() const {
  const std::int64_t oldest = oldest_spooled_at;
  return oldest == 0 ? 0.0 : static_cast<double>(wall_clock_milliseconds() - oldest) / 1e3;
}

}  // namespace eventgate
