#include "loader_pool.hpp"

#include <utility>

namespace eventgate {

LoaderPool::LoaderPool(std::size_t threads, std::size_t max_waiting) : max_waiting_(max_waiting) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

LoaderPool::~LoaderPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool LoaderPool::post(std::uint64_t request, std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_ >= max_waiting_) return false;
    auto& jobs = jobs_[request];
    if (jobs.empty()) turns_.push_back(request);
    jobs.push_back(std::move(job));
    ++waiting_;
  }
  wake_.notify_one();
  return true;
}

void LoaderPool::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || waiting_ > 0; });
    if (waiting_ == 0) return;
    const std::uint64_t request = turns_.front();
    turns_.pop_front();
    const auto jobs = jobs_.find(request);
    const std::function<void()> job = std::move(jobs->second.front());
    jobs->second.pop_front();
    --waiting_;
    if (jobs->second.empty())
      jobs_.erase(jobs);
    else
      turns_.push_back(request);
    lock.unlock();
    job();
    lock.lock();
  }
}

}  // namespace eventgate
