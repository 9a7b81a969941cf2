#include "eventgate/files/hour_partitions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::UnorderedElementsAre;

constexpr std::chrono::sys_days kDay = std::chrono::year(2026) / 11 / 22;

TEST(HourPartitions, PathOfAPartFileNamesTopicHourAndWriter) {
  EXPECT_EQ(part_file_path("events", "eqiad.test", kDay + 2h, "writer"),
            "events/eqiad.test/year=2026/month=11/day=22/hour=02/part-writer.ndjson");
}

TEST(HourPartitions, NameOfAWriterIsItsStartTimeAndARandomNumber) {
  const std::string name = unique_writer_name(kDay + 2h + 15min + 30s + 999ms);
  EXPECT_THAT(name, MatchesRegex("20261122T021530Z-[0-9a-f]{8}"));
  EXPECT_NE(name, unique_writer_name(kDay + 2h + 15min + 30s));
}

class Partitions : public testing::Test {
 protected:
  void make(const std::string& path) { fs::create_directories(path_of(path)); }
  fs::path path_of(const std::string& path) const { return fs::path(folder_.path()) / path; }

  TemporaryFolder folder_;
};

TEST_F(Partitions, OfATopic_HaveTheirHour) {
  for (const char* hour : {"01", "02"}) make("a/year=2026/month=11/day=22/hour=" + std::string(hour));
  std::vector<Hour> hours;
  for (const HourPartition& partition : hour_partitions(path_of("a"))) {
    EXPECT_EQ(partition.path, path_of("a") / hour_path(partition.hour));
    hours.push_back(partition.hour);
  }
  EXPECT_THAT(hours, UnorderedElementsAre(kDay + 1h, kDay + 2h));
}

TEST_F(Partitions, NamesThatAreNoDate_AreNotPartitions) {
  make("a/year=2026/month=13/day=22/hour=01");
  make("a/year=2026/month=02/day=30/hour=01");
  make("a/year=2026/month=02/day=20/hour=24");
  make("a/year=2026/month=02/day=20/hour=-1");
  make("a/year=2026/month=02/day=20x/hour=01");
  make("a/other");
  EXPECT_THAT(hour_partitions(path_of("a")), IsEmpty());
}

TEST_F(Partitions, ALinkToAPartition_IsNotFollowed) {
  make("elsewhere/hour=01");
  make("a/year=2026/month=01");
  fs::create_directory_symlink(path_of("elsewhere"), path_of("a/year=2026/month=01/day=01"));
  EXPECT_THAT(hour_partitions(path_of("a")), IsEmpty());
}

TEST_F(Partitions, DirectoryIsMissing_ReturnsNoPartitions) {
  EXPECT_THAT(hour_partitions(path_of("missing")), IsEmpty());
}

TEST(HourPartitions, PathOfAnHour_IsReadBack) {
  EXPECT_EQ(parse_hour_path("year=2026/month=11/day=22/hour=02"), kDay + 2h);
  for (const char* const wrong :
       {"", "year=2026", "year=2026/month=11/day=22/hour=24", "year=2026/month=11/day=22/hour=02/x",
        "year=2026/month=11/day=22/hour=../..", "/year=2026/month=11/day=22/hour=02"})
    EXPECT_EQ(parse_hour_path(wrong), std::nullopt) << wrong;
}

TEST_F(Partitions, Removed_EmptyDirectoriesAboveItAreRemovedToo) {
  make("a/year=2026/month=11/day=22/hour=01");
  make("a/year=2026/month=11/day=23/hour=01");
  EXPECT_FALSE(remove_partition(path_of("a/year=2026/month=11/day=22/hour=01")));
  EXPECT_FALSE(fs::exists(path_of("a/year=2026/month=11/day=22")));
  EXPECT_TRUE(fs::exists(path_of("a/year=2026/month=11/day=23/hour=01")));
  EXPECT_FALSE(remove_partition(path_of("a/year=2026/month=11/day=23/hour=01")));
  EXPECT_FALSE(fs::exists(path_of("a/year=2026")));
  EXPECT_TRUE(fs::exists(path_of("a")));
}

}  // namespace
}  // namespace eventgate
