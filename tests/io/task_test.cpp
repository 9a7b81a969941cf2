#include "eventgate/io/task.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace eventgate {
namespace {

Task<int> number(int value) { co_return value; }

Task<int> sum_to(int last) {
  int sum = 0;
  for (int i = 1; i <= last; ++i) sum += co_await number(i);
  co_return sum;
}

/// Waits until it is resumed through `place`.
Task<std::string> wait_in(std::optional<ResumeHandle>& place, std::shared_ptr<int> held) {
  co_await suspend_with([&place](ResumeHandle suspended) { place.emplace(std::move(suspended)); });
  co_return "held " + std::to_string(*held);
}

Task<void> tell_waited(std::optional<ResumeHandle>& place, std::shared_ptr<int> held, std::vector<std::string>& told) {
  told.push_back("waits");
  told.push_back(co_await wait_in(place, std::move(held)));
}

Task<int> fail() {
  co_await number(1);
  throw std::runtime_error("as expected");
}

class TaskTest : public testing::Test {
 protected:
  boost::asio::io_context io{1};
  std::vector<std::string> told;
};

TEST_F(TaskTest, SixtyThousandAwaitsThatDoNotSuspend_StackDoesNotGrow) {
  int sum = 0;
  spawn(io.get_executor(), sum_to(60000), [&](std::exception_ptr, int result) { sum = result; });
  io.run();
  EXPECT_EQ(sum, 60000 / 2 * 60001);
}

TEST_F(TaskTest, Resumed_TaskAndItsAwaiterContinue) {
  std::optional<ResumeHandle> place;
  spawn(io.get_executor(), tell_waited(place, std::make_shared<int>(7), told));
  io.poll();
  ASSERT_THAT(told, testing::ElementsAre("waits"));
  place->resume();
  EXPECT_THAT(told, testing::ElementsAre("waits", "held 7"));
}

TEST_F(TaskTest, Suspended_ContextHasWork) {
  std::optional<ResumeHandle> place;
  spawn(io.get_executor(), tell_waited(place, std::make_shared<int>(7), told));
  io.poll();
  EXPECT_FALSE(io.stopped());
  place->resume();
  io.poll();
  EXPECT_TRUE(io.stopped());
}

TEST_F(TaskTest, ResumeHandleIsDestroyed_TaskIsDestroyed) {
  const auto held = std::make_shared<int>(7);
  {
    std::optional<ResumeHandle> place;
    spawn(io.get_executor(), tell_waited(place, held, told));
    io.poll();
    ASSERT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_THAT(told, testing::ElementsAre("waits"));
}

TEST_F(TaskTest, ContextIsDestroyedBeforeItRuns_TaskIsDestroyed) {
  const auto held = std::make_shared<int>(7);
  std::optional<ResumeHandle> place;
  {
    boost::asio::io_context short_lived{1};
    spawn(short_lived.get_executor(), tell_waited(place, held, told));
  }
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_THAT(told, testing::IsEmpty());
}

TEST_F(TaskTest, TaskThrows_HandlerGetsTheException) {
  std::exception_ptr failure;
  spawn(io.get_executor(), fail(), [&](std::exception_ptr caught, int) { failure = caught; });
  io.run();
  ASSERT_TRUE(failure);
  EXPECT_THAT([&] { std::rethrow_exception(failure); }, testing::ThrowsMessage<std::runtime_error>("as expected"));
}

TEST_F(TaskTest, TaskWithoutHandlerThrows_OnlyThisTaskEnds) {
  const auto run = [](std::vector<std::string>& list) -> Task<void> {
    list.push_back("begun");
    co_await fail();
    list.push_back("not reached");
  };
  spawn(io.get_executor(), run(told));
  io.run();
  EXPECT_THAT(told, testing::ElementsAre("begun"));
}

TEST_F(TaskTest, Spawned_BeginsOnTheThreadOfItsExecutor) {
  std::thread::id begun;
  const auto run = [](std::thread::id& at) -> Task<void> {
    at = std::this_thread::get_id();
    co_return;
  };
  spawn(io.get_executor(), run(begun));
  EXPECT_EQ(begun, std::thread::id());
  std::thread thread([this] { io.run(); });
  const std::thread::id expected = thread.get_id();
  thread.join();
  EXPECT_EQ(begun, expected);
}

/// A chain of `depth` tasks that await one another, the last of which waits in `place`.
Task<int> chain(int depth, std::optional<ResumeHandle>& place) {
  if (depth > 1) co_return 1 + co_await chain(depth - 1, place);
  co_await suspend_with([&place](ResumeHandle suspended) { place.emplace(std::move(suspended)); });
  co_return 1;
}

TEST_F(TaskTest, ChainOfAThousandTasksIsResumed_EachReturnsToItsAwaiter) {
  std::optional<ResumeHandle> place;
  int ended = 0;
  spawn(io.get_executor(), chain(1000, place), [&](std::exception_ptr, int result) { ended = result; });
  io.poll();
  ASSERT_TRUE(place);
  place->resume();
  io.run();
  EXPECT_EQ(ended, 1000);
}

TEST_F(TaskTest, TenThousandSuspensions_StackDoesNotGrow) {
  std::optional<ResumeHandle> place;
  std::uintptr_t first = 0;
  std::size_t most = 0;
  const auto wait_often = [&]() -> Task<int> {
    int sum = 0;
    for (int i = 0; i < 10000; ++i) {
      sum += co_await chain(3, place);
      const auto at = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
      if (first == 0) first = at;
      most = std::max<std::size_t>(most, first > at ? first - at : at - first);
    }
    co_return sum;
  };
  int sum = 0;
  spawn(io.get_executor(), wait_often(), [&](std::exception_ptr, int result) { sum = result; });
  io.poll();
  for (int i = 0; i < 10000; ++i) {
    ASSERT_TRUE(place);
    ResumeHandle waiting = *std::exchange(place, std::nullopt);
    waiting.resume();
  }
  io.run();
  EXPECT_EQ(sum, 30000);
  EXPECT_LT(most, 4096u);
}

TEST_F(TaskTest, ThisExecutor_IsKnownInNestedTasks) {
  const auto inner = []() -> Task<bool> {
    const IoExecutor executor = co_await ThisExecutor();
    co_return executor.running_in_this_thread();
  };
  const auto outer = [&inner]() -> Task<bool> { co_return co_await inner(); };
  bool found = false;
  spawn(io.get_executor(), outer(), [&](std::exception_ptr, bool result) { found = result; });
  io.run();
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace eventgate
