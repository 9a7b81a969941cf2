#include "eventgate/io/inflight_bytes.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace eventgate {
namespace {

TEST(InflightBytes, ReservationBeyondTheBoundIsRefusedAndUnchanged) {
  InflightBytes all(100);
  InflightReservation first(all);
  EXPECT_TRUE(first.resize(60));
  InflightReservation second(all);
  EXPECT_FALSE(second.resize(41));
  EXPECT_EQ(second.size(), 0u);
  EXPECT_TRUE(second.resize(40));
  EXPECT_EQ(all.size(), 100u);
  EXPECT_TRUE(first.resize(10));
  EXPECT_EQ(all.size(), 50u);
}

TEST(InflightBytes, ResizeAnywayExceedsTheBound) {
  InflightBytes all(100);
  {
    InflightReservation large(all);
    large.resize_anyway(150);
    EXPECT_EQ(all.size(), 150u);
    InflightReservation other(all);
    EXPECT_FALSE(other.resize(1));
  }
  EXPECT_EQ(all.size(), 0u);
}

TEST(InflightBytes, OwnBoundLeavesTheRestToOthers) {
  InflightBytes all(100);
  InflightReservation half(all, 50);
  EXPECT_FALSE(half.resize(51));
  EXPECT_TRUE(half.resize(50));
  InflightReservation other(all);
  EXPECT_TRUE(other.resize(50));
}

TEST(InflightBytes, MovedReservationIsReleasedOnce) {
  InflightBytes all(100);
  {
    InflightReservation first(all);
    EXPECT_TRUE(first.resize(30));
    const InflightReservation second(std::move(first));
    EXPECT_EQ(second.size(), 30u);
    EXPECT_EQ(all.size(), 30u);
  }
  EXPECT_EQ(all.size(), 0u);
}

TEST(InflightBytes, WeightCountsTextTwiceAndEachEvent) {
  EXPECT_EQ(inflight_weight(10, 0), 20u);
  EXPECT_EQ(inflight_weight(10, 2), 620u);
}

}  // namespace
}  // namespace eventgate
