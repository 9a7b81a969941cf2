#include "eventgate/files/retention.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eventgate/files/hour_partitions.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::chrono::sys_days kDay = std::chrono::year(2026) / 11 / 22;

class Retention : public testing::Test {
 protected:
  fs::path make(const std::string& topic, Hour hour) {
    const fs::path path = fs::path(folder_.path()) / topic / hour_path(hour);
    fs::create_directories(path);
    return path;
  }
  DuePartitions due(std::chrono::system_clock::time_point now) const {
    return due_partitions(
        folder_.path(),
        [](std::string_view topic) -> std::optional<std::chrono::hours> {
          if (topic == "kept") return std::nullopt;
          return topic == "short" ? 2h : 48h;
        },
        now);
  }

  TemporaryFolder folder_;
};

TEST_F(Retention, Due_HoursThatEndedBeforeTheTopicsTime_OldestLast) {
  const auto later = make("short", kDay + 1h), first = make("short", kDay);
  make("short", kDay + 2h);
  make("long", kDay);
  make("kept", kDay);
  const DuePartitions found = due(kDay + 4h);
  EXPECT_THAT(found.paths, ElementsAre(later, first));
  EXPECT_EQ(found.overdue, 1h);
  EXPECT_FALSE(found.is_suspicious());
  EXPECT_THAT(due(kDay + 3h - 1ns).paths, IsEmpty());
  EXPECT_EQ(due(kDay + 3h).overdue, 0h);
}

TEST_F(Retention, MoreThanSevenDaysAreDueAtOnce_IsSuspicious) {
  make("short", kDay);
  EXPECT_FALSE(due(kDay + 3h + std::chrono::days(7)).is_suspicious());
  const DuePartitions found = due(kDay + 4h + std::chrono::days(7));
  EXPECT_TRUE(found.is_suspicious());
  EXPECT_THAT(suspicion_text(found, "events"), HasSubstr("year=2026/month=11/day=22/hour=00' is 7 days past its time"));
}

TEST_F(Retention, FolderIsMissing_NothingIsDue) {
  EXPECT_THAT(due_partitions(
                  "/no/such/folder", [](std::string_view) { return 1h; }, kDay)
                  .paths,
              IsEmpty());
}

}  // namespace
}  // namespace eventgate
