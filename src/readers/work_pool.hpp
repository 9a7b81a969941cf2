#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace eventgate {

/// A few threads for calls that block.
///
/// Thread-safe.
class WorkPool {
 public:
  explicit WorkPool(std::size_t threads);
  /// As `stop`.
  ~WorkPool();

  /// Runs `work` on one of the threads, in the order added. After `stop` it is dropped.
  void add(std::function<void()> work);

  /// Drops the work that waits, and returns when what runs has ended.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace eventgate
