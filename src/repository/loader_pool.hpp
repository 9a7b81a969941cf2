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

/// Threads that run the jobs of requests. Requests take turns, so that a request with many jobs delays another by only
/// one job for each of its own. The jobs of one request start in their order.
///
/// Thread-safe.
class LoaderPool {
 public:
  /// `max_waiting` is the limit of the jobs that wait for a thread.
  LoaderPool(std::size_t threads, std::size_t max_waiting);
  /// Runs the waiting jobs and joins the threads.
  ~LoaderPool();
  LoaderPool(const LoaderPool&) = delete;
  LoaderPool& operator=(const LoaderPool&) = delete;

  /// Adds a job of `request`. Returns false and drops the job if too many wait.
  bool post(std::uint64_t request, std::function<void()> job);

 private:
  void run();

  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::uint64_t, std::deque<std::function<void()>>> jobs_;  ///< The waiting jobs of each request.
  std::deque<std::uint64_t> turns_;  ///< The requests with waiting jobs. The next one is first.
  std::size_t waiting_ = 0;          ///< Number of waiting jobs.
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace eventgate
