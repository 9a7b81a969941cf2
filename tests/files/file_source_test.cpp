#include "eventgate/files/file_source.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "eventgate/base/timestamp.hpp"
#include "eventgate/files/hour_partitions.hpp"
#include "support/becomes.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

constexpr std::int64_t kHour = std::int64_t{490'000};  // hours since 1970: a day in 2025
constexpr std::int64_t kMillis = kHour * 3'600'000;
constexpr std::int64_t kBegin = kHour << 33;
const auto kSoon = RecordSource::Deadline::max();

/// A folder as the file sink writes it, and a source of it.
class FileSourceTest : public testing::Test {
 protected:
  void append(const std::string& text, std::int64_t hour = kHour,
              const std::string& writer = "20251124T160000Z-00000001") {
    const fs::path path = part_file_path(folder_.path(), "t", Hour(std::chrono::hours(hour)), writer);
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::app | std::ios::binary) << text;
  }

  FetchedRecords fetch(std::int64_t offset, std::size_t max_bytes = 1 << 20) {
    return *source_->fetch({"t", 0}, offset, max_bytes, kSoon);
  }

  PartitionBounds bounds() {
    const std::string topics[] = {"t"};
    return source_->bounds(topics, kSoon)->front().partitions.front();
  }

  static std::vector<std::string> values(const std::vector<SourceRecord>& records) {
    std::vector<std::string> found;
    for (const SourceRecord& record : records) found.push_back(record.value.value_or("(null)"));
    return found;
  }

  TemporaryFolder folder_;
  std::unique_ptr<RecordSource> source_ = make_file_source({folder_.path() + "/", FieldPath("dt")});
};

TEST_F(FileSourceTest, Topic_WithoutFiles_IsAnEmptyPartition) {
  EXPECT_EQ(bounds().begin, 0);
  EXPECT_EQ(bounds().end, 0);
  EXPECT_TRUE(fetch(0).at_end);
  EXPECT_FALSE(fetch(0).gap);
}

TEST_F(FileSourceTest, Offset_IsThatOfTheLineEnd_SoTheNextLineBeginsBehindIt) {
  append("{\"a\":1}\n{}\n");
  const FetchedRecords fetched = fetch(kBegin);
  ASSERT_EQ(fetched.records.size(), 2u);
  EXPECT_EQ(fetched.records[0].offset, kBegin + 7);
  EXPECT_EQ(fetched.records[1].offset, kBegin + 10);
  EXPECT_EQ(fetched.next, kBegin + 11);
  EXPECT_EQ(values(fetch(fetched.records[0].offset + 1).records), std::vector<std::string>{"{}"});
  EXPECT_EQ(bounds().end, fetched.next);
  EXPECT_LT(fetched.next, std::int64_t{1} << 53);
}

TEST_F(FileSourceTest, LineWithoutItsEnd_IsNotReadYet) {
  append("{}\n{\"half\":");
  const FetchedRecords fetched = fetch(kBegin);
  EXPECT_THAT(values(fetched.records), ElementsAre("{}"));
  EXPECT_EQ(bounds().end, kBegin + 3);
  append("1}\n");
  EXPECT_THAT(values(fetch(fetched.next).records), ElementsAre("{\"half\":1}"));
}

TEST_F(FileSourceTest, SecondWriterOfAnHour_ContinuesTheOffsetsOfTheFirst) {
  append("{\"n\":1}\n");
  append("{\"n\":2}\n", kHour, "20251124T161500Z-00000000");
  const FetchedRecords fetched = fetch(kBegin);
  EXPECT_THAT(values(fetched.records), ElementsAre("{\"n\":1}", "{\"n\":2}"));
  EXPECT_EQ(fetched.records[1].offset, kBegin + 15);
}

TEST_F(FileSourceTest, TornEndOfAnEarlierWriter_IsPassedOver) {
  append("{\"n\":1}\n{\"to");
  append("{\"n\":2}\n", kHour, "20251124T161500Z-00000000");
  EXPECT_THAT(values(fetch(kBegin).records), ElementsAre("{\"n\":1}", "{\"n\":2}"));
}

TEST_F(FileSourceTest, Fetch_GoesOnInTheNextHourThatThereIs) {
  append("{\"n\":1}\n");
  append("{\"n\":2}\n", kHour + 30);
  const FetchedRecords first = fetch(kBegin);
  EXPECT_FALSE(first.at_end);
  const FetchedRecords second = fetch(first.next);
  EXPECT_THAT(values(second.records), ElementsAre("{\"n\":2}"));
  EXPECT_FALSE(second.gap);
  EXPECT_TRUE(fetch(second.next).at_end);
}

TEST_F(FileSourceTest, DeletedPartition_IsAGapAndOffsetsStay) {
  append("{\"n\":1}\n");
  append("{\"n\":2}\n", kHour + 1);
  const std::int64_t kept = fetch(kBegin + (std::int64_t{1} << 33)).records.front().offset;
  ASSERT_FALSE(remove_partition(fs::path(folder_.path()) / "t" / hour_path(Hour(std::chrono::hours(kHour)))));
  const FetchedRecords fetched = fetch(kBegin + 3);
  ASSERT_TRUE(fetched.gap);
  EXPECT_EQ(fetched.gap->from, kBegin + 3);
  EXPECT_EQ(fetched.gap->to, (kHour + 1) << 33);
  EXPECT_EQ(fetched.records.front().offset, kept);
}

TEST_F(FileSourceTest, OffsetBeyondTheEnd_IsAGapToTheEnd) {
  append("{}\n");
  const FetchedRecords fetched = fetch(kBegin + 1000);
  ASSERT_TRUE(fetched.gap);
  EXPECT_EQ(fetched.gap->to, kBegin + 3);
  EXPECT_TRUE(fetched.at_end);
}

TEST_F(FileSourceTest, Bytes_BoundAFetchButOneRecordComesAlways) {
  const std::string large = "{\"x\":\"" + std::string(300'000, 'x') + "\"}";
  append(large + "\n" + large + "\n");
  EXPECT_THAT(values(fetch(kBegin, 1).records), ElementsAre(large));
}

TEST_F(FileSourceTest, Time_IsThatOfTheFieldElseTheStartOfTheHour) {
  append("{\"dt\":\"" + format_timestamp(TimeMilliseconds(std::chrono::milliseconds(kMillis + 5000))) +
         "\"}\n{\"dt\":7}\nno json\n");
  const FetchedRecords fetched = fetch(kBegin);
  EXPECT_EQ(fetched.records[0].timestamp, kMillis + 5000);
  EXPECT_EQ(fetched.records[1].timestamp, kMillis);
  EXPECT_EQ(fetched.records[2].timestamp, kMillis);
}

TEST_F(FileSourceTest, OffsetsAt_IsTheFirstRecordNotBeforeTheTime) {
  append("{}\n");
  append("{\"n\":1}\n{\"n\":2}\n", kHour + 5);
  const PartitionTime times[] = {
      {{"t", 0}, kMillis + 1}, {{"t", 0}, 0}, {{"t", 0}, kMillis + 6 * 3'600'000}, {{"t", 1}, 0}};
  EXPECT_THAT(*source_->offsets_at(times, kSoon),
              ElementsAre(std::optional<std::int64_t>(((kHour + 5) << 33) + 7), std::optional<std::int64_t>(kBegin + 2),
                          std::nullopt, std::nullopt));
}

TEST_F(FileSourceTest, RecordsAt_FindsTheRecordBeforeAPosition) {
  append("{\"n\":1}\n{}\n");
  const PartitionOffset offsets[] = {{{"t", 0}, kBegin + 7}, {{"t", 0}, kBegin + 8}, {{"t", 0}, kBegin + 11}};
  const auto found = *source_->records_at(offsets, kSoon);
  EXPECT_EQ(found[0]->offset, kBegin + 7);
  EXPECT_EQ(found[1]->offset, kBegin + 10);
  EXPECT_FALSE(found[2]);
}

TEST_F(FileSourceTest, Tail_HearsOfEachLineAndOfNewHours) {
  std::atomic<int> readable{0};
  const auto tail = source_->tail("t", {}, [&] { ++readable; });
  TailRead read;
  tail->read(read, 1 << 20);
  ASSERT_EQ(read.started.size(), 1u);
  std::vector<std::string> seen;
  for (int n = 1; n <= 3; ++n) {
    append("{\"n\":" + std::to_string(n) + "}\n", kHour + n / 2);
    ASSERT_TRUE(becomes([&] {
      read.clear();
      tail->read(read, 1 << 20);
      for (std::string& value : values(read.records)) seen.push_back(std::move(value));
      return seen.size() == static_cast<std::size_t>(n);
    }));
  }
  EXPECT_THAT(seen, ElementsAre("{\"n\":1}", "{\"n\":2}", "{\"n\":3}"));
  const int before = readable;
  read.clear();
  tail->read(read, 1 << 20);
  append("{\"n\":4}\n", kHour + 1);
  EXPECT_TRUE(becomes([&] { return readable > before; }));
}

TEST_F(FileSourceTest, Tail_HearsOfAFileThatIsMadeStepByStep) {
  std::atomic<int> readable{0};
  const auto tail = source_->tail("t", {}, [&] { ++readable; });
  TailRead read;
  const auto read_again = [&] {
    const int before = readable;
    read.clear();
    tail->read(read, 1 << 20);
    return before;
  };
  read_again();
  fs::path path = fs::path(folder_.path()) / "t";
  const fs::path hour(hour_path(Hour(std::chrono::hours(kHour))));
  std::vector<fs::path> steps{path};
  for (const fs::path& part : hour) steps.push_back(path /= part);
  for (const fs::path& step : steps) {
    const int before = read_again();
    fs::create_directory(step);
    ASSERT_TRUE(becomes([&] { return readable > before; })) << step;
  }
  const int before = read_again();
  append("{}\n");
  EXPECT_TRUE(becomes([&] { return readable > before; }));
}

TEST_F(FileSourceTest, HourIsDeletedThatATailHasReadToItsEnd_IsNoGap) {
  append("{\"n\":1}\n{\"n\":2}\n");
  const auto read_all = [&](std::size_t max_bytes, std::size_t reads) {
    const auto tail = source_->tail("t", {}, [] {});
    TailRead read;
    for (std::size_t i = 0; i < reads; ++i) tail->read(read, max_bytes);
    fs::remove_all(fs::path(folder_.path()) / "t" / hour_path(Hour(std::chrono::hours(kHour))));
    append("{\"n\":3}\n", kHour + 3);
    for (int i = 0; i < 3; ++i) tail->read(read, 1 << 20);
    EXPECT_EQ(values(read.records).back(), "{\"n\":3}");
    return read.gaps.size();
  };
  EXPECT_EQ(read_all(1 << 20, 3), 0u);
  append("{\"n\":1}\n{\"n\":2}\n");
  EXPECT_EQ(read_all(1, 1), 1u);
}

TEST_F(FileSourceTest, StoppedSource_Fails) {
  source_->stop();
  EXPECT_EQ(source_->fetch({"t", 0}, 0, 1, kSoon).error().kind, SourceFailure::Kind::stopped);
}

}  // namespace
}  // namespace eventgate
