#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace eventgate {

/// Threads that run jobs of requests. The requests take turns, so that one with many jobs delays the others by one job
/// for each of theirs; the jobs of one request run in their order.
///
/// Thread-safe.
class LoaderPool {
 public:
  /// `max_waiting`: jobs that may wait for a thread.
  LoaderPool(std::size_t threads, std::size_t max_waiting);
  /// Runs the jobs that still wait.
  ~LoaderPool();
  LoaderPool(const LoaderPool&) = delete;
  LoaderPool& operator=(const LoaderPool&) = delete;

  /// False, and the job is not taken, if too many wait. `request` says whose job it is.
  bool post(std::uint64_t request, std::function<void()> job);

 private:
  void run();

  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::uint64_t, std::deque<std::function<void()>>> jobs_;  ///< Of each request that has one waiting.
  std::deque<std::uint64_t> turns_;                                  ///< These requests, the next one first.
  std::size_t waiting_ = 0;                                          ///< Jobs.
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace eventgate
