#include "spool/spool_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventgate {
namespace {

TEST(SpoolState, ReasonIsSet_IsFullUntilItIsEmptyAgain) {
  SpoolState state;
  EXPECT_FALSE(state.is_full());
  EXPECT_TRUE(state.set_full_reason("no space"));
  EXPECT_FALSE(state.set_full_reason("still no space"));
  EXPECT_TRUE(state.is_full());
  EXPECT_EQ(state.full_reason(), "still no space");
  EXPECT_TRUE(state.set_full_reason(""));
  EXPECT_FALSE(state.is_full());
}

TEST(SpoolState, CapacityFailureNamesTheReason) {
  SpoolState state;
  state.set_full_reason("no space");
  const DeliveryFailure failure = state.capacity_failure();
  EXPECT_EQ(failure.delivery, Delivery::not_produced);
  EXPECT_EQ(failure.scope, FailureScope::capacity);
  EXPECT_EQ(failure.message, "Kafka does not take it and the spool has no room: no space");
  state.set_stopping();
  EXPECT_EQ(state.capacity_failure().message, "The service is stopping");
}

TEST(SpoolState, AgeIsThatOfTheOldestRecord) {
  SpoolState state;
  EXPECT_EQ(state.oldest_age_seconds(), 0);
  state.oldest_spooled_at = wall_clock_milliseconds() - 5000;
  EXPECT_THAT(state.oldest_age_seconds(), testing::AllOf(testing::Ge(5), testing::Lt(60)));
}

}  // namespace
}  // namespace eventgate
