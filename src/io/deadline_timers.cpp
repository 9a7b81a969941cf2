#include "eventgate/io/deadline_timers.hpp"

namespace eventgate {

DeadlineTimers::DeadlineTimers(boost::asio::execution_context& context)
    : service(context), timer_(static_cast<boost::asio::io_context&>(context).get_executor()) {}

void DeadlineTimers::set(Deadline& deadline, std::chrono::steady_clock::duration from_now) {
  deadline.unlink();
  deadline.when_ = std::chrono::steady_clock::now() + from_now;
  deadlines_.push_back(deadline);
  if (!armed_) arm();
}

void DeadlineTimers::shutdown() noexcept { deadlines_.clear(); }

void DeadlineTimers::arm() {
  armed_ = true;
  timer_.expires_after(kSweep);
  timer_.async_wait([this](const boost::system::error_code& error) {
    armed_ = false;
    if (error) return;
    sweep();
    if (!deadlines_.empty()) arm();
  });
}

void DeadlineTimers::sweep() {
  const auto due = std::chrono::steady_clock::now() + kSweep;
  // A deadline that expires may cancel or set others, so the expired ones move to a list of their own first.
  List expired;
  for (auto it = deadlines_.begin(); it != deadlines_.end();) {
    Deadline& deadline = *it++;
    if (deadline.when_ > due) continue;
    deadline.unlink();
    expired.push_back(deadline);
  }
  while (!expired.empty()) {
    Deadline& deadline = expired.front();
    expired.pop_front();
    deadline.expire();
  }
}

}  // namespace eventgate
