#include "eventgate/io/deadline_timers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace eventgate {
namespace {

using namespace std::chrono_literals;

/// Writes its name into a list when it expires.
struct NamedDeadline : Deadline {
  NamedDeadline(std::string deadline_name, std::vector<std::string>& list)
      : name(std::move(deadline_name)), expired(list) {}
  void expire() override {
    expired.push_back(name);
    if (then) then();
  }
  std::string name;
  std::vector<std::string>& expired;
  std::function<void()> then;
};

class DeadlinesTest : public testing::Test {
 protected:
  boost::asio::io_context io{1};
  DeadlineTimers& deadlines = boost::asio::use_service<DeadlineTimers>(io);
  std::vector<std::string> expired;
};

TEST_F(DeadlinesTest, Expired_ContextRunsOutOfWork) {
  NamedDeadline deadline("a", expired);
  deadlines.set(deadline, 1ms);
  io.run();
  EXPECT_THAT(expired, testing::ElementsAre("a"));
}

TEST_F(DeadlinesTest, Expires_AtMostOneSweepEarly) {
  NamedDeadline deadline("a", expired);
  const auto begun = std::chrono::steady_clock::now();
  deadlines.set(deadline, 3 * DeadlineTimers::kSweep);
  io.run();
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 2 * DeadlineTimers::kSweep);
}

TEST_F(DeadlinesTest, Cancelled_DoesNotExpire) {
  NamedDeadline kept("kept", expired);
  NamedDeadline cancelled("cancelled", expired);
  deadlines.set(kept, 1ms);
  deadlines.set(cancelled, 1ms);
  cancelled.cancel();
  cancelled.cancel();
  io.run();
  EXPECT_THAT(expired, testing::ElementsAre("kept"));
}

TEST_F(DeadlinesTest, SetAgain_ExpiresAtTheNewTime) {
  NamedDeadline later("later", expired);
  NamedDeadline sooner("sooner", expired);
  deadlines.set(later, 1ms);
  deadlines.set(sooner, 1ms);
  deadlines.set(later, 4 * DeadlineTimers::kSweep);
  io.run();
  EXPECT_THAT(expired, testing::ElementsAre("sooner", "later"));
}

TEST_F(DeadlinesTest, Destroyed_DoesNotExpire) {
  NamedDeadline kept("kept", expired);
  auto destroyed = std::make_unique<NamedDeadline>("destroyed", expired);
  deadlines.set(*destroyed, 1ms);
  deadlines.set(kept, 1ms);
  destroyed.reset();
  io.run();
  EXPECT_THAT(expired, testing::ElementsAre("kept"));
}

TEST_F(DeadlinesTest, ExpireDestroysItselfAndAnotherDueOne_OtherDoesNotExpire) {
  auto first = std::make_unique<NamedDeadline>("first", expired);
  auto second = std::make_unique<NamedDeadline>("second", expired);
  first->then = [&] {
    second.reset();
    first.reset();
  };
  deadlines.set(*first, 1ms);
  deadlines.set(*second, 1ms);
  io.run();
  EXPECT_THAT(expired, testing::ElementsAre("first"));
}

TEST_F(DeadlinesTest, SetAgainWhileExpiring_ExpiresAgain) {
  NamedDeadline deadline("a", expired);
  deadline.then = [&] {
    if (expired.size() < 3) deadlines.set(deadline, 1ms);
  };
  deadlines.set(deadline, 1ms);
  io.run();
  EXPECT_THAT(expired, testing::ElementsAre("a", "a", "a"));
}

TEST_F(DeadlinesTest, ContextIsDestroyed_PendingDeadlineDoesNotExpire) {
  NamedDeadline deadline("a", expired);
  {
    boost::asio::io_context short_lived{1};
    boost::asio::use_service<DeadlineTimers>(short_lived).set(deadline, 1ms);
  }
  deadline.cancel();
  EXPECT_THAT(expired, testing::IsEmpty());
}

}  // namespace
}  // namespace eventgate
