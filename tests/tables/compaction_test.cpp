#include "eventgate/tables/compaction.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>

#include "support/shell.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

constexpr std::chrono::sys_days kDay = std::chrono::year(2026) / 11 / 22;
const std::string kHour = "a.b/year=2026/month=11/day=22/hour=02";

class Compaction : public testing::Test {
 protected:
  fs::path path(const std::string& name) const { return fs::path(folder_.path()) / name; }
  std::vector<Hour> due() const { return hours_to_compact(path("events"), path("parquet"), "a.b", kDay + 10h); }
  void age(const std::string& name, std::chrono::hours by) const {
    fs::last_write_time(path(name), fs::last_write_time(path(name)) - by);
  }

  TemporaryFolder folder_;
};

TEST_F(Compaction, DueAreHoursThatAreOverAndHaveNoParquetOrAnOlderOne) {
  for (const char* const hour : {"02", "03", "04", "05", "10"})
    folder_.write("events/a.b/year=2026/month=11/day=22/hour=" + std::string(hour) + "/part-1.ndjson", "{}\n");
  fs::create_directories(path("events/a.b/year=2026/month=11/day=22/hour=06"));
  folder_.write("parquet/a.b/year=2026/month=11/day=22/hour=03/data.parquet", "");
  age("events/a.b/year=2026/month=11/day=22/hour=03/part-1.ndjson", 1h);
  folder_.write("parquet/a.b/year=2026/month=11/day=22/hour=04/data.parquet", "");
  age("parquet/a.b/year=2026/month=11/day=22/hour=04/data.parquet", 1h);
  fs::create_directories(path("parquet/a.b/year=2026/month=11/day=22/hour=05"));
  age("events/a.b/year=2026/month=11/day=22/hour=05/part-1.ndjson", 1h);
  EXPECT_THAT(due(), ElementsAre(kDay + 2h, kDay + 4h, kDay + 5h));
}

TEST_F(Compaction, Publish_ReplacesOlderFilesAndRemovesEarlierRuns) {
  folder_.write("parquet/" + kHour + "/data.parquet", "older");
  folder_.write("parquet/a.b/year=2026/month=11/day=22/hour=03/data.parquet", "kept");
  folder_.write("parquet/.new-0/" + kHour + "/data.parquet", "killed");
  age("parquet/.new-0", 1h);
  folder_.write("parquet/.new-1/" + kHour + "/data.parquet", "newer");
  folder_.write("parquet/.new-1/partitions.csv", kHour + "\na.b/year=2026/month=11/day=22/hour=03\n");
  const Published published = publish_run(path("parquet"), "1");
  EXPECT_EQ(published.partitions, 1u);
  EXPECT_EQ(published.empty, 1u);
  EXPECT_EQ(published.leftovers, 1u);
  EXPECT_THAT(published.problems, IsEmpty());
  EXPECT_EQ(file_content(path("parquet/" + kHour + "/data.parquet")), "newer");
  EXPECT_EQ(file_content(path("parquet/a.b/year=2026/month=11/day=22/hour=03/data.parquet")), "kept");
  EXPECT_FALSE(fs::exists(path("parquet/.new-0")));
  EXPECT_FALSE(fs::exists(path("parquet/.new-1")));
}

TEST_F(Compaction, Publish_ARunThatHasNotFinished_ChangesNothing) {
  folder_.write("parquet/.new-1/" + kHour + "/data.parquet", "");
  EXPECT_THAT([&] { publish_run(path("parquet"), "1"); },
              ThrowsMessage<std::runtime_error>(HasSubstr("has not finished")));
  EXPECT_THAT([&] { publish_run(path("parquet"), "2"); },
              ThrowsMessage<std::runtime_error>(HasSubstr("expected the folder of a run")));
  EXPECT_FALSE(fs::exists(path("parquet/a.b")));
  EXPECT_TRUE(fs::exists(path("parquet/.new-1")));
}

TEST_F(Compaction, Publish_APartitionThatLeavesTheFolder_IsRefused) {
  for (const char* const line : {"../a/year=2026/month=11/day=22/hour=02", "a",
                                 "a.b/year=2026/month=11/day=22/hour=../x", "/year=2026/month=11/day=22/hour=02", ""}) {
    folder_.write("parquet/.new-1/partitions.csv", std::string(line) + "\n");
    EXPECT_THAT([&] { publish_run(path("parquet"), "1"); },
                ThrowsMessage<std::runtime_error>(HasSubstr("expected TOPIC/")))
        << line;
  }
}

TEST_F(Compaction, Publish_APartitionThatCannotBePlaced_IsNamedAndTheRunStays) {
  folder_.write("parquet/a.b", "a file");
  folder_.write("parquet/.new-1/" + kHour + "/data.parquet", "");
  folder_.write("parquet/.new-1/partitions.csv", kHour + "\n");
  EXPECT_THAT(publish_run(path("parquet"), "1").problems, ElementsAre(HasSubstr(kHour)));
  EXPECT_TRUE(fs::exists(path("parquet/.new-1/" + kHour + "/data.parquet")));
}

TEST(RunName, IsShortAndNoPath) {
  EXPECT_TRUE(is_run_name("20261122T021530Z-5f3a90c1"));
  for (const std::string& wrong : {std::string(), std::string("a/b"), std::string(".."), std::string(65, 'a')})
    EXPECT_FALSE(is_run_name(wrong)) << wrong;
}

TEST(ParquetFolder, IsBesideTheFolderOfEvents) {
  EXPECT_EQ(parquet_folder("/var/lib/events/"), "/var/lib/events-parquet");
  EXPECT_EQ(parquet_folder("./events"), "events-parquet");
}

}  // namespace
}  // namespace eventgate
