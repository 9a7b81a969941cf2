#include "eventgate/delivery/delivery_batch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <thread>
#include <vector>

namespace eventgate {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

const DeliveryFailure kTimedOut{Delivery::unknown, "no report in time"};

Task<void> wait_and_collect(DeliveryBatch* batch, milliseconds timeout, std::vector<std::string>* results) {
  co_await batch->wait(timeout);
  for (std::size_t i = 0; i < batch->size(); ++i) {
    const DeliveryFailure* failure = batch->failure(i, kTimedOut);
    results->push_back(failure == nullptr ? "success" : failure->message);
  }
  batch->release();
}

/// A batch that a coroutine on this thread's context waits for.
struct WaitedBatch {
  explicit WaitedBatch(std::size_t size, milliseconds timeout = milliseconds(0))
      : batch(DeliveryBatch::make(io.get_executor(), size)) {
    spawn(io.get_executor(), wait_and_collect(batch, timeout, &results), [this](std::exception_ptr) { done = true; });
  }
  void run_until_done() {
    while (!done) io.run_one();
  }

  boost::asio::io_context io;
  DeliveryBatch* batch;
  std::vector<std::string> results;
  bool done = false;
};

TEST(DeliveryBatch, HandlesAreSettledOutOfOrder_EachResultIsAtItsIndex) {
  WaitedBatch waited(3);
  waited.batch->handle(1).fail({Delivery::not_produced, "refused"});
  waited.batch->handle(0).succeed();
  waited.batch->handle(2).succeed();
  waited.run_until_done();
  EXPECT_THAT(waited.results, ElementsAre("success", "refused", "success"));
}

TEST(DeliveryBatch, NoHandles_WaitEndsAtOnce) {
  WaitedBatch waited(0);
  waited.run_until_done();
  EXPECT_THAT(waited.results, ElementsAre());
}

TEST(DeliveryBatch, HandleIsSettledDuringWait_WaiterResumes) {
  WaitedBatch waited(1);
  waited.io.poll();
  ASSERT_FALSE(waited.done);
  waited.batch->handle(0).succeed();
  waited.run_until_done();
  EXPECT_THAT(waited.results, ElementsAre("success"));
}

TEST(DeliveryBatch, HandlesAreSettledByManyThreads_EachResultIsAtItsIndex) {
  for (int round = 0; round < 50; ++round) {
    WaitedBatch waited(40);
    std::vector<std::thread> settlers;
    for (std::size_t first = 0; first < 4; ++first) {
      settlers.emplace_back([&waited, first] {
        for (std::size_t i = first; i < 40; i += 4) {
          if (i % 8 == 0)
            waited.batch->handle(i).fail({Delivery::unknown, std::to_string(i)});
          else
            waited.batch->handle(i).succeed();
        }
      });
    }
    waited.run_until_done();
    for (std::thread& settler : settlers) settler.join();
    for (std::size_t i = 0; i < 40; ++i) ASSERT_EQ(waited.results[i], i % 8 == 0 ? std::to_string(i) : "success");
  }
}

TEST(DeliveryBatch, TimeoutPasses_HandleWithoutReportIsUnknown) {
  WaitedBatch waited(2, milliseconds(150));
  DeliveryHandle& late = waited.batch->handle(1);
  waited.batch->handle(0).succeed();
  EXPECT_FALSE(late.timed_out());
  waited.run_until_done();
  EXPECT_THAT(waited.results, ElementsAre("success", "no report in time"));
  EXPECT_TRUE(late.timed_out());
  late.succeed();
  waited.io.poll();
}

TEST(DeliveryBatch, ReportComesAfterRelease_HandleIsStillThere) {
  WaitedBatch waited(2, milliseconds(101));
  waited.run_until_done();
  EXPECT_THAT(waited.results, ElementsAre("no report in time", "no report in time"));
  std::thread reporter([&waited] {
    waited.batch->handle(0).fail({Delivery::not_produced, "late"});
    waited.batch->handle(1).succeed();
  });
  reporter.join();
  waited.io.poll();
}

TEST(DeliveryBatch, HandleIsSettledAfterItTimedOut_ResultStaysUnknown) {
  boost::asio::io_context io;
  DeliveryBatch* batch = DeliveryBatch::make(io.get_executor(), 1);
  EXPECT_EQ(batch->failure(0, kTimedOut), &kTimedOut);
  batch->handle(0).succeed();
  EXPECT_EQ(batch->failure(0, kTimedOut), &kTimedOut);
  spawn(
      io.get_executor(), [](DeliveryBatch* waited) -> Task<void> { co_await waited->wait(milliseconds(0)); }(batch),
      [batch](std::exception_ptr) { batch->release(); });
  io.run();
}

/// Collects the results of a batch. `held` shows whether the handler was destroyed.
class ResultCollector final : public CompletionHandler {
 public:
  ResultCollector(std::vector<std::string>& results, std::shared_ptr<int> held)
      : results_(results), held_(std::move(held)) {}
  void handle_completion(DeliveryBatch& batch) noexcept override {
    const bool on_own_thread = std::this_thread::get_id() == creator_;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const DeliveryFailure* failure = batch.failure(i, kTimedOut);
      results_.push_back(!on_own_thread ? "on another thread" : failure == nullptr ? "success" : failure->message);
    }
  }

 private:
  std::vector<std::string>& results_;
  std::shared_ptr<int> held_;
  const std::thread::id creator_ = std::this_thread::get_id();
};

TEST(DeliveryBatch, OnComplete_HandlerRunsOnceWhenAllHandlesAreSettled) {
  boost::asio::io_context io;
  DeliveryBatch* batch = DeliveryBatch::make(io.get_executor(), 2);
  std::vector<std::string> results;
  const auto held = std::make_shared<int>();
  batch->on_complete(std::make_unique<ResultCollector>(results, held));
  std::thread reporter([batch] {
    batch->handle(1).fail({Delivery::not_produced, "refused"});
    batch->handle(0).succeed();
  });
  io.run();  // an unfinished batch counts as work
  reporter.join();
  EXPECT_THAT(results, ElementsAre("success", "refused"));
  EXPECT_EQ(held.use_count(), 1);
}

TEST(DeliveryBatch, OnCompleteAfterAllHandlesAreSettled_HandlerRunsAtOnce) {
  boost::asio::io_context io;
  DeliveryBatch* batch = DeliveryBatch::make(io.get_executor(), 1);
  batch->handle(0).succeed();
  std::vector<std::string> results;
  const auto held = std::make_shared<int>();
  batch->on_complete(std::make_unique<ResultCollector>(results, held));
  EXPECT_THAT(results, ElementsAre("success"));
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(io.run(), 0u);
}

TEST(DeliveryBatch, ReportsRaceTheTimeout_EachResultIsTheReportOrUnknown) {
  for (int round = 0; round < 5; ++round) {
    WaitedBatch waited(200, milliseconds(100));
    std::thread reporter([&waited] {
      for (std::size_t i = 0; i < 200; ++i) {
        waited.batch->handle(i).succeed();
        std::this_thread::sleep_for(std::chrono::microseconds(300));
      }
    });
    waited.run_until_done();
    reporter.join();
    for (const std::string& result : waited.results)
      ASSERT_TRUE(result == "success" || result == kTimedOut.message) << result;
    waited.io.poll();
  }
}

}  // namespace
}  // namespace eventgate
