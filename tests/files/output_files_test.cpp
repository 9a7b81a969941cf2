#include "files/output_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>

#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::chrono::sys_days kDay = std::chrono::year(2026) / 11 / 22;

class OutputFilesTest : public testing::Test {
 protected:
  OutputFiles directory() {
    OutputFiles files(folder_.path() + "/events/", false, kDay);
    files.start_hour(kDay);
    return files;
  }
  std::string single() const { return folder_.path() + "/events.ndjson"; }

  TemporaryFolder folder_;
  std::string error_;
};

TEST_F(OutputFilesTest, Directory_EachTopicHasAFile) {
  OutputFiles files = directory();
  OutputFile* const a = files.open("a", error_);
  OutputFile* const b = files.open("b", error_);
  ASSERT_TRUE(a != nullptr && b != nullptr) << error_;
  EXPECT_NE(a, b);
  EXPECT_EQ(files.open("a", error_), a);
  EXPECT_THAT(a->path(), HasSubstr("/events/a/year=2026/month=11/day=22/hour=00/part-"));
}

TEST_F(OutputFilesTest, NextHour_AnotherFileIsOpened) {
  OutputFiles files = directory();
  files.open("a", error_);
  EXPECT_FALSE(files.start_hour(kDay + 59min));
  EXPECT_TRUE(files.start_hour(kDay + 60min));
  EXPECT_THAT(files.open("a", error_)->path(), HasSubstr("hour=01"));
  EXPECT_THAT(files.take_reopened(), IsEmpty());
}

TEST_F(OutputFilesTest, SingleFile_EachHourAndTopicUsesIt) {
  OutputFiles files(single(), false, kDay);
  EXPECT_FALSE(files.start_hour(kDay + 1h));
  EXPECT_EQ(files.open("", error_)->path(), single());
}

TEST_F(OutputFilesTest, SingleFile_AnotherProcessHasItOpen_IsShared) {
  OutputFiles first(single(), false, kDay);
  EXPECT_FALSE(first.is_shared());
  OutputFiles second(single(), false, kDay);
  EXPECT_TRUE(second.is_shared());
}

TEST_F(OutputFilesTest, ReopenAll_FileIsOpenedAgainAndReportedOnce) {
  OutputFiles files(single(), false, kDay);
  fs::rename(single(), single() + ".1");
  EXPECT_TRUE(files.reopen_all());
  ASSERT_NE(files.open("", error_), nullptr) << error_;
  EXPECT_TRUE(fs::exists(single()));
  const auto reopened = files.take_reopened();
  ASSERT_EQ(reopened.size(), 1u);
  EXPECT_EQ(reopened[0].path, single());
  EXPECT_EQ(reopened[0].cause, "sighup");
  EXPECT_THAT(files.take_reopened(), IsEmpty());
}

TEST_F(OutputFilesTest, FileCannotBeOpened_ErrorNamesItsPath) {
  OutputFiles files = directory();
  std::ofstream(folder_.path() + "/events/a") << "no directory";
  EXPECT_EQ(files.open("a", error_), nullptr);
  EXPECT_THAT(error_, HasSubstr("/events/a/year=2026"));
}

TEST_F(OutputFilesTest, OutputPathCannotBeOpened_ThrowsWithItsName) {
  EXPECT_THROW(OutputFiles(folder_.path() + "/missing/events.ndjson", false, kDay), std::runtime_error);
}

}  // namespace
}  // namespace eventgate
