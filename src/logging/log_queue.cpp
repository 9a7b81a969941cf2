#include "log_queue.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace eventgate {
namespace {

using std::chrono::steady_clock;

/// Lines and bytes that may wait.
constexpr std::size_t kMaxLines = 10'000;
constexpr std::size_t kMaxBytes = 8 * 1024 * 1024;
/// Bytes that are written at a time, so that the queue is emptied with few system calls.
constexpr std::size_t kMaxWriteSize = 64 * 1024;
/// The shortest time between two reports of lost lines.
constexpr std::chrono::seconds kReportInterval{1};

/// Reports `error` on standard error, unless that blocks.
void report_refusal(int error) {
  const std::string text = "Log lines are lost: " + std::generic_category().message(error) + "\n";
  pollfd ready{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0) [[maybe_unused]]
    const ssize_t ignored = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

LogQueue::LogQueue(std::function<std::shared_ptr<const LogOutput>()> output, std::function<void(std::uint64_t)> dropped)
    : output_(std::move(output)), dropped_handler_(std::move(dropped)) {}

void LogQueue::start() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(threaded_, true)) return;
  }
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread([this] { run(); }).detach();
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    const std::lock_guard lock(mutex_);
    threaded_ = false;
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

bool LogQueue::push(std::string& line) {
  {
    const std::lock_guard lock(mutex_);
    if (!threaded_) return false;
    if (waiting_ >= kMaxLines || waiting_bytes_ + line.size() > kMaxBytes) {
      ++dropped_;
      return true;
    }
    lines_.push_back(std::move(line));
    ++waiting_;
    ++added_;
    waiting_bytes_ += lines_.back().size();
  }
  pushed_.notify_one();
  return true;
}

bool LogQueue::flush(steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  if (!threaded_) return true;
  return written_.wait_until(lock, until, [this, last = added_] { return settled_ >= last; });
}

std::uint64_t LogQueue::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

void LogQueue::after_fork_in_child() {
  lines_.clear();
  waiting_ = waiting_bytes_ = 0;
  threaded_ = false;
  mutex_.unlock();
}

void LogQueue::run() {
  std::string text;
  for (;;) {
    std::size_t count = 0;
    text.clear();
    {
      std::unique_lock lock(mutex_);
      pushed_.wait(lock, [this] { return !lines_.empty(); });
      while (!lines_.empty() && (count == 0 || text.size() + lines_.front().size() <= kMaxWriteSize)) {
        text += lines_.front();
        lines_.pop_front();
        ++count;
      }
    }
    std::string_view left = text;
    const int error = output_()->write(left);
    const auto lost = static_cast<std::uint64_t>(std::count(left.begin(), left.end(), '\n'));
    const steady_clock::time_point now = steady_clock::now();
    std::uint64_t unreported = 0;
    {
      const std::lock_guard lock(mutex_);
      waiting_ -= count;
      waiting_bytes_ -= text.size();
      settled_ += count;
      dropped_ += lost;
      if (error == 0 && dropped_ > reported_dropped_ && now - dropped_reported_at_ >= kReportInterval) {
        unreported = dropped_ - reported_dropped_;
        reported_dropped_ = dropped_;
        dropped_reported_at_ = now;
      }
    }
    written_.notify_all();
    if (unreported > 0) dropped_handler_(unreported);
    if (error != 0 && now - refusal_reported_at_ >= kReportInterval) {
      refusal_reported_at_ = now;
      report_refusal(error);
    }
  }
}

}  // namespace eventgate
