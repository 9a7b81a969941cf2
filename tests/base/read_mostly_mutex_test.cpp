#include "eventgate/base/read_mostly_mutex.hpp"

#include <gtest/gtest.h>

#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

namespace eventgate {
namespace {

TEST(ReadMostlyMutex, ThreadsReadDuringWrites_NoneSeesAPartialWrite) {
  ReadMostlyMutex mutex;
  int first = 0;
  int second = 0;
  std::atomic<int> torn{0};
  std::vector<std::thread> threads;
  for (int reader = 0; reader < 20; ++reader) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        const std::shared_lock lock(mutex);
        if (first != second) ++torn;
      }
    });
  }
  for (int writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const std::lock_guard lock(mutex);
        ++first;
        ++second;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(first, 400);
}

}  // namespace
}  // namespace eventgate
