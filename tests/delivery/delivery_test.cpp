#include "eventgate/delivery/delivery.hpp"

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

Task<void> wait_and_tell(DeliveryBatch* batch, milliseconds timeout, std::vector<std::string>* told) {
  co_await batch->wait(timeout);
  for (std::size_t i = 0; i < batch->size(); ++i) {
    const DeliveryFailure* failure = batch->failure(i, kTimedOut);
    told->push_back(failure == nullptr ? "success" : failure->message);
  }
  batch->release();
}

/// A batch being waited for on this thread's context.
struct WaitedFor {
  explicit WaitedFor(std::size_t slots, milliseconds timeout = milliseconds(0))
      : batch(DeliveryBatch::make(io.get_executor(), slots)) {
    spawn(io.get_executor(), wait_and_tell(batch, timeout, &told), [this](std::exception_ptr) { done = true; });
  }
  void run_until_done() {
    while (!done) io.run_one();
  }

  boost::asio::io_context io;
  DeliveryBatch* batch;
  std::vector<std::string> told;
  bool done = false;
};

TEST(DeliveryBatch, TellsEachSlotsFateInItsPlace) {
  WaitedFor waited(3);
  waited.batch->slot(1).fail({Delivery::not_produced, "refused"});
  waited.batch->slot(0).succeed();
  waited.batch->slot(2).succeed();
  waited.run_until_done();
  EXPECT_THAT(waited.told, ElementsAre("success", "refused", "success"));
}

TEST(DeliveryBatch, WithoutSlotsIsDoneAtOnce) {
  WaitedFor waited(0);
  waited.run_until_done();
  EXPECT_THAT(waited.told, ElementsAre());
}

TEST(DeliveryBatch, SettledWhileItIsWaitedForWakesTheWaiter) {
  WaitedFor waited(1);
  waited.io.poll();
  ASSERT_FALSE(waited.done);
  waited.batch->slot(0).succeed();
  waited.run_until_done();
  EXPECT_THAT(waited.told, ElementsAre("success"));
}

TEST(DeliveryBatch, MayBeSettledFromManyThreads) {
  for (int round = 0; round < 50; ++round) {
    WaitedFor waited(40);
    std::vector<std::thread> settlers;
    for (std::size_t first = 0; first < 4; ++first) {
      settlers.emplace_back([&waited, first] {
        for (std::size_t i = first; i < 40; i += 4) {
          if (i % 8 == 0)
            waited.batch->slot(i).fail({Delivery::unknown, std::to_string(i)});
          else
            waited.batch->slot(i).succeed();
        }
      });
    }
    waited.run_until_done();
    for (std::thread& settler : settlers) settler.join();
    for (std::size_t i = 0; i < 40; ++i) ASSERT_EQ(waited.told[i], i % 8 == 0 ? std::to_string(i) : "success");
  }
}

TEST(DeliveryBatch, AtTheDeadlineWhatHasNoReportIsUnknown) {
  WaitedFor waited(2, milliseconds(150));
  DeliveryHandle& late = waited.batch->slot(1);
  waited.batch->slot(0).succeed();
  EXPECT_FALSE(late.timed_out());
  waited.run_until_done();
  EXPECT_THAT(waited.told, ElementsAre("success", "no report in time"));
  EXPECT_TRUE(late.timed_out());
  late.succeed();
  waited.io.poll();
}

TEST(DeliveryBatch, LivesUntilTheLateReportOfAnotherThread) {
  WaitedFor waited(2, milliseconds(101));
  waited.run_until_done();
  EXPECT_THAT(waited.told, ElementsAre("no report in time", "no report in time"));
  std::thread reporter([&waited] {
    waited.batch->slot(0).fail({Delivery::not_produced, "late"});
    waited.batch->slot(1).succeed();
  });
  reporter.join();
  waited.io.poll();
}

TEST(DeliveryBatch, AnAbandonedSlotStaysUnknown) {
  boost::asio::io_context io;
  DeliveryBatch* batch = DeliveryBatch::make(io.get_executor(), 1);
  EXPECT_EQ(batch->failure(0, kTimedOut), &kTimedOut);
  batch->slot(0).succeed();
  EXPECT_EQ(batch->failure(0, kTimedOut), &kTimedOut);
  spawn(
      io.get_executor(), [](DeliveryBatch* waited) -> Task<void> { co_await waited->wait(milliseconds(0)); }(batch),
      [batch](std::exception_ptr) { batch->release(); });
  io.run();
}

/// Writes down what it is told.
class Told final : public CompletionHandler {
 public:
  Told(std::vector<std::string>& told, std::shared_ptr<int> held) : told_(told), held_(std::move(held)) {}
  void settled(DeliveryBatch& batch) noexcept override {
    const bool at_home = std::this_thread::get_id() == made_on_;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const DeliveryFailure* failure = batch.failure(i, kTimedOut);
      told_.push_back(!at_home ? "on another thread" : failure == nullptr ? "success" : failure->message);
    }
  }

 private:
  std::vector<std::string>& told_;
  std::shared_ptr<int> held_;
  const std::thread::id made_on_ = std::this_thread::get_id();
};

TEST(DeliveryBatch, TellsItsFollowerOnceWhenAllIsSettled) {
  boost::asio::io_context io;
  DeliveryBatch* batch = DeliveryBatch::make(io.get_executor(), 2);
  std::vector<std::string> told;
  const auto held = std::make_shared<int>();
  batch->on_complete(std::make_unique<Told>(told, held));
  std::thread reporter([batch] {
    batch->slot(1).fail({Delivery::not_produced, "refused"});
    batch->slot(0).succeed();
  });
  io.run();  // it is at work until then
  reporter.join();
  EXPECT_THAT(told, ElementsAre("success", "refused"));
  EXPECT_EQ(held.use_count(), 1);
}

TEST(DeliveryBatch, TellsItsFollowerAtOnceOfWhatIsSettledAlready) {
  boost::asio::io_context io;
  DeliveryBatch* batch = DeliveryBatch::make(io.get_executor(), 1);
  batch->slot(0).succeed();
  std::vector<std::string> told;
  const auto held = std::make_shared<int>();
  batch->on_complete(std::make_unique<Told>(told, held));
  EXPECT_THAT(told, ElementsAre("success"));
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_EQ(io.run(), 0u);
}

TEST(DeliveryBatch, ReportsRacingTheDeadlineAreEitherReportsOrUnknown) {
  for (int round = 0; round < 5; ++round) {
    WaitedFor waited(200, milliseconds(100));
    std::thread reporter([&waited] {
      for (std::size_t i = 0; i < 200; ++i) {
        waited.batch->slot(i).succeed();
        std::this_thread::sleep_for(std::chrono::microseconds(300));
      }
    });
    waited.run_until_done();
    reporter.join();
    for (const std::string& told : waited.told) ASSERT_TRUE(told == "success" || told == kTimedOut.message) << told;
    waited.io.poll();
  }
}

}  // namespace
}  // namespace eventgate
