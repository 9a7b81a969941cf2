#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "log_output.hpp"

namespace eventgate {

/// Log lines that wait for the thread that writes them. Lines beyond 10,000, or beyond 8 MB, are dropped and counted.
///
/// Thread-safe. It is never destroyed, because its thread may wait for the output for ever.
class LogQueue {
 public:
  /// `output` returns the destination of each write. `dropped` gets the number of dropped lines, on the thread, when
  /// the output takes lines again, at most once a second.
  LogQueue(std::function<std::shared_ptr<const LogOutput>()> output, std::function<void(std::uint64_t)> dropped);

  /// Starts the thread, which blocks all signals. Does nothing if it runs already.
  void start();

  /// Adds `line`, which ends in a line end, or drops it. Returns false without a thread: the caller has to write it.
  bool push(std::string& line);

  /// Waits until the lines added so far are written or lost, at most until `until`. Returns true if they are.
  bool flush(std::chrono::steady_clock::time_point until);

  /// Returns the number of lines that were dropped, or that the output refused.
  std::uint64_t dropped() const;

  /// Handlers of a fork: before it, and after it in the parent and in the child. A child has no thread and no lines.
  void before_fork() { mutex_.lock(); }
  void after_fork_in_parent() { mutex_.unlock(); }
  void after_fork_in_child();

 private:
  void run();

  const std::function<std::shared_ptr<const LogOutput>()> output_;
  const std::function<void(std::uint64_t)> dropped_handler_;
  mutable std::mutex mutex_;
  std::condition_variable pushed_;
  std::condition_variable written_;
  std::deque<std::string> lines_;
  std::size_t waiting_ = 0;             ///< Lines in `lines_`, and lines being written.
  std::size_t waiting_bytes_ = 0;       ///< Their bytes.
  std::uint64_t added_ = 0;             ///< Lines added so far.
  std::uint64_t settled_ = 0;           ///< Lines written or lost so far, in the order they were added.
  std::uint64_t dropped_ = 0;           ///< Lines dropped or refused so far.
  std::uint64_t reported_dropped_ = 0;  ///< Those of them that the handler got.
  std::chrono::steady_clock::time_point dropped_reported_at_{};
  std::chrono::steady_clock::time_point refusal_reported_at_{};
  bool threaded_ = false;
};

}  // namespace eventgate
