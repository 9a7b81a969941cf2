#include "eventgate/logging/log_limit.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace eventgate {
namespace {

using Times = std::vector<std::optional<std::uint64_t>>;
using std::chrono::milliseconds;

Times admitted(LogLimit& limit, std::string_view cause, std::initializer_list<milliseconds> times) {
  Times result;
  for (const milliseconds time : times) {
    result.push_back(limit.admit(cause, std::chrono::steady_clock::time_point(time)));
  }
  return result;
}

TEST(LogLimit, LinesBeyondTheLimitAreLeftOutAndCountedInTheNextSecond) {
  LogLimit limit(2);
  EXPECT_EQ(admitted(limit, "broker",
                     {milliseconds(0), milliseconds(10), milliseconds(20), milliseconds(999), milliseconds(1000),
                      milliseconds(1001)}),
            (Times{0, 0, std::nullopt, std::nullopt, 2, 0}));
}

TEST(LogLimit, EachCauseHasItsOwnCount) {
  LogLimit limit(1);
  admitted(limit, "broker", {milliseconds(0), milliseconds(1)});
  EXPECT_EQ(admitted(limit, "topic", {milliseconds(2)}), Times{0});
}

TEST(LogLimit, CausesBeyondTheBoundShareOneCount) {
  LogLimit limit(1);
  for (int i = 0; i < 256; ++i) limit.admit(std::to_string(i), {});
  EXPECT_EQ(limit.admit("a", {}), 0);
  EXPECT_EQ(limit.admit("b", {}), std::nullopt);
}

}  // namespace
}  // namespace eventgate
