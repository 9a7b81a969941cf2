#include "eventgate/telemetry/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventgate {
namespace {

TEST(Metrics, AnObservedValueIsReadForEachText) {
  Metrics metrics("gate");
  double value = 1;
  metrics.observe("eventgate_age", "age of it", [&] { return value; });
  const std::string before = metrics.text();
  value = 2;
  EXPECT_EQ(before, "# HELP eventgate_age age of it\n# TYPE eventgate_age gauge\neventgate_age{service=\"gate\"} 1\n");
  EXPECT_THAT(metrics.text(), testing::HasSubstr("eventgate_age{service=\"gate\"} 2\n"));
}

TEST(Metrics, ASecondObserverReplacesTheFirst) {
  Metrics metrics("gate");
  metrics.observe("eventgate_age", "age of it", [] { return 1; });
  metrics.observe("eventgate_age", "age of it", [] { return 2; });
  EXPECT_THAT(metrics.text(), testing::HasSubstr("eventgate_age{service=\"gate\"} 2\n"));
}

TEST(Metrics, AHostileServiceNameIsEscaped) {
  Metrics metrics("ga\"te\n");
  metrics.observe("eventgate_age", "age of it", [] { return 1; });
  EXPECT_THAT(metrics.text(), testing::HasSubstr(R"({service="ga\"te\n"} 1)"));
}

TEST(Metrics, TheServiceIsKept) { EXPECT_EQ(Metrics("gate").service(), "gate"); }

}  // namespace
}  // namespace eventgate
