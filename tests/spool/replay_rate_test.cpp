#include "spool/replay_rate.hpp"

#include <gtest/gtest.h>

namespace eventgate {
namespace {

using std::chrono::milliseconds;

constexpr ReplayRate::Time kStart{std::chrono::hours(1)};

TEST(ReplayRate, LetsATenthOfASecondsWorthGoAtOnce) {
  ReplayRate rate(1000);
  EXPECT_EQ(rate.room(kStart), 100u);
  rate.use(100);
  EXPECT_EQ(rate.room(kStart), 0u);
  EXPECT_EQ(rate.room(kStart + milliseconds(50)), 50u);
  EXPECT_EQ(rate.room(kStart + std::chrono::hours(1)), 100u);
}

TEST(ReplayRate, HoldsManySmallStepsToTheRate) {
  ReplayRate rate(300);
  std::size_t gone = 0;
  for (int step = 0; step <= 10000; ++step) {
    const std::size_t room = rate.room(kStart + milliseconds(step));
    rate.use(room);
    gone += room;
  }
  EXPECT_GE(gone, 3000u);
  EXPECT_LE(gone, 3031u);
}

TEST(ReplayRate, BelowTenRecordsASecond_OneMayGo) {
  ReplayRate rate(2);
  EXPECT_EQ(rate.room(kStart), 1u);
  rate.use(1);
  EXPECT_EQ(rate.room(kStart + milliseconds(400)), 0u);
  EXPECT_EQ(rate.room(kStart + milliseconds(500)), 1u);
}

}  // namespace
}  // namespace eventgate
