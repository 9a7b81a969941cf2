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

/// Log lines that wait for a thread which writes them, so that an output that takes nothing holds up no other thread.
/// Lines beyond 10,000, or beyond 8 MB, are dropped and counted.
///
/// Thread-safe. It lives as long as the process, because its thread may wait for the output for ever.
class LogQueue {
 public:
  /// `output` is called for each write. `dropped` is called on the thread with the number of lines dropped, at most
  /// once a second, once the output takes lines again.
  LogQueue(std::function<std::shared_ptr<const LogOutput>()> output, std::function<void(std::uint64_t)> dropped);

  /// Starts the thread. It blocks all signals. Does nothing if there is one.
  void start();

  /// Takes `line`, which ends in a line end, or drops it. False if there is no thread: the caller has to write it.
  bool push(std::string& line);

  /// Waits until the lines pushed so far are written or lost, at most until `until`. Whether they are.
  bool flush(std::chrono::steady_clock::time_point until);

  /// Lines that were dropped, and lines that the output refused.
  std::uint64_t dropped() const;

  /// Before a fork, and after it in the parent and in the child. A child has no thread and none of the lines.
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
  std::size_t held_ = 0;            ///< Lines that are in `lines_` or being written.
  std::size_t held_bytes_ = 0;      ///< Their bytes.
  std::uint64_t taken_ = 0;         ///< Lines taken so far.
  std::uint64_t settled_ = 0;       ///< Lines written or lost so far, in the order they were taken.
  std::uint64_t dropped_ = 0;       ///< Lines dropped or refused so far.
  std::uint64_t dropped_told_ = 0;  ///< How many the handler has heard of.
  std::chrono::steady_clock::time_point told_at_{};
  std::chrono::steady_clock::time_point refusal_told_at_{};
  bool threaded_ = false;
};

}  // namespace eventgate
