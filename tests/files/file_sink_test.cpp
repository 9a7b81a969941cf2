#include "eventgate/files/file_sink.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "eventgate/telemetry/telemetry.hpp"
#include "support/log_file.hpp"
#include "support/sink_driver.hpp"
#include "support/small_disk.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;
using Time = std::chrono::system_clock::time_point;

constexpr Time kTwoOClock =
    std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + std::chrono::minutes(2 * 60 + 15);

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> lines(const fs::path& path) {
  std::istringstream in(content(path));
  std::vector<std::string> found;
  for (std::string line; std::getline(in, line);) found.push_back(line);
  return found;
}

/// Returns the sorted paths of all files below `folder`, relative to it.
std::vector<std::string> files(const fs::path& folder) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) found.push_back(entry.path().lexically_relative(folder));
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<OwnRecord> records(std::initializer_list<std::string> values, const std::string& topic = "test.event") {
  std::vector<OwnRecord> made;
  for (const std::string& value : values) made.push_back({topic, value, std::nullopt, 0});
  return made;
}

class FileSink : public testing::Test {
 protected:
  std::unique_ptr<Sink> sink_at(const std::string& output_path, bool output_fsync = false) {
    FileSinkOptions options;
    options.output_path = output_path;
    options.output_fsync = output_fsync;
    options.now = [this] { return now_.load(); };
    return make_file_sink(std::move(options), telemetry_);
  }

  /// Returns how many files were opened again because of `cause`.
  int reopened(const std::string& cause) const {
    std::istringstream text(metrics_.text());
    for (std::string line; std::getline(text, line);)
      if (line.starts_with("eventgate_output_reopened_total{") && line.find("cause=\"" + cause) != std::string::npos)
        return std::stoi(line.substr(line.rfind(' ')));
    return 0;
  }

  std::string in_folder(const std::string& name) const { return folder_.path() + "/" + name; }

  TemporaryFolder folder_;
  Metrics metrics_{"test"};
  Telemetry telemetry_{metrics_};
  std::atomic<Time> now_{kTwoOClock};
  SinkDriver driver_;
};

TEST_F(FileSink, WritesOneEventALineInOrder) {
  const auto sink = sink_at(in_folder("events.ndjson"));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({"{\"a\":1}", "{\"a\":2}"}))), Each("success"));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({"{\"a\":3}"}, "other"))), Each("success"));
  EXPECT_EQ(content(in_folder("events.ndjson")), "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
  EXPECT_EQ(sink->not_ready_reason(), std::nullopt);
}

TEST_F(FileSink, LineEndsBetweenTokensBecomeSpaces) {
  const auto sink = sink_at(in_folder("events.ndjson"));
  driver_.produce(*sink, records({"{\r\n\"a\":\n\n1}\n", "{}"}));
  EXPECT_EQ(content(in_folder("events.ndjson")), "{  \"a\":  1} \n{}\n");
}

TEST_F(FileSink, FileExists_EventsAreAppended) {
  folder_.write("events.ndjson", "{\"old\":1}\n");
  const auto sink = sink_at(in_folder("events.ndjson"));
  driver_.produce(*sink, records({"{}"}));
  EXPECT_EQ(content(in_folder("events.ndjson")), "{\"old\":1}\n{}\n");
}

TEST_F(FileSink, LastLineIsTorn_NextEventBeginsANewLine) {
  folder_.write("events.ndjson", "{\"torn\":");
  const auto sink = sink_at(in_folder("events.ndjson"));
  driver_.produce(*sink, records({"{}"}));
  EXPECT_EQ(content(in_folder("events.ndjson")), "{\"torn\":\n{}\n");
}

TEST_F(FileSink, WritesToStdout) {
  testing::internal::CaptureStdout();
  {
    const auto sink = sink_at("stdout");
    driver_.produce(*sink, records({"{\"a\":1}"}));
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "{\"a\":1}\n");
}

TEST_F(FileSink, DirectoryIsATablePartitionedByHour) {
  const auto sink = sink_at(in_folder("out/"));
  driver_.produce(*sink, records({"{\"a\":1}"}));
  ASSERT_THAT(files(in_folder("out")), ElementsAre(MatchesRegex("test.event/year=2026/month=11/day=22/hour=02/"
                                                                "part-20261122T021500Z-[0-9a-f]+\\.ndjson")));
  EXPECT_EQ(content(in_folder("out/" + files(in_folder("out"))[0])), "{\"a\":1}\n");
}

TEST_F(FileSink, DirectoryExists_PathNeedsNoSlash) {
  fs::create_directory(in_folder("out"));
  const auto sink = sink_at(in_folder("out"));
  driver_.produce(*sink, records({"{}"}));
  EXPECT_THAT(files(in_folder("out")), ElementsAre(StartsWith("test.event/year=2026/")));
}

TEST_F(FileSink, EachHourHasAFileOfItsOwn) {
  const auto sink = sink_at(in_folder("out/"));
  driver_.produce(*sink, records({"{}"}));
  now_ = kTwoOClock + std::chrono::hours(22);
  driver_.produce(*sink, records({"{}"}));
  EXPECT_THAT(files(in_folder("out")), ElementsAre(HasSubstr("day=22/hour=02/"), HasSubstr("day=23/hour=00/")));
}

TEST_F(FileSink, TwoRuns_EachHasAFileOfItsOwn) {
  for (int run = 0; run < 2; ++run) driver_.produce(*sink_at(in_folder("out/")), records({"{}"}));
  EXPECT_EQ(files(in_folder("out")).size(), 2u);
}

TEST_F(FileSink, MoreTopicsThanOpenFiles_EachTopicGetsItsEvents) {
  const auto sink = sink_at(in_folder("out/"), true);
  for (int round = 0; round < 2; ++round) {
    std::vector<OwnRecord> many;
    for (int topic = 0; topic < 300; ++topic)
      many.push_back({"topic" + std::to_string(topic), std::to_string(topic), std::nullopt, 0});
    EXPECT_THAT(outcome_texts(driver_.produce(*sink, many)), Each("success"));
  }
  EXPECT_EQ(files(in_folder("out")).size(), 300u);
  for (const std::string& file : files(in_folder("out"))) {
    const std::string topic = file.substr(5, file.find('/') - 5);
    EXPECT_EQ(content(in_folder("out/" + file)), topic + "\n" + topic + "\n");
  }
}

TEST_F(FileSink, TopicNameIsInvalid_NoDirectoryIsCreated) {
  const auto sink = sink_at(in_folder("out/"));
  for (const std::string topic : {"..", "../up", "a/b", "", "ünï"})
    EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({"{}"}, topic))),
                ElementsAre(StartsWith("not_produced: Broker: Invalid topic: expected 1 to 249")));
  EXPECT_THAT(files(folder_.path()), ElementsAre());
}

TEST_F(FileSink, FsyncWithAFileAndADirectory_EventsAreWritten) {
  const auto file = sink_at(in_folder("events.ndjson"), true);
  EXPECT_THAT(outcome_texts(driver_.produce(*file, records({"{}", "{}"}))), Each("success"));
  const auto directory = sink_at(in_folder("out/"), true);
  EXPECT_THAT(outcome_texts(driver_.produce(*directory, records({"{}", "{}"}))), Each("success"));
  EXPECT_EQ(content(in_folder("events.ndjson")), "{}\n{}\n");
}

TEST_F(FileSink, ThreadsWriteAtOnce_LinesAreWhole) {
  std::vector<SinkDriver> drivers(4);
  const auto sink = sink_at(in_folder("events.ndjson"));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&sink, &driver = drivers[static_cast<std::size_t>(t)], t] {
      for (int i = 0; i < 100; ++i) {
        const std::string value = std::to_string(t * 1000 + i) + std::string(2000, 'x');
        ASSERT_THAT(outcome_texts(driver.produce(*sink, records({value}))), Each("success"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto found = lines(in_folder("events.ndjson"));
  std::vector<std::string> sorted(found);
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(found.size(), 400u);
  EXPECT_EQ(std::unique(sorted.begin(), sorted.end()), sorted.end());
  EXPECT_THAT(found, Each(MatchesRegex("[0-9]+x+")));
}

/// Limits the size of files during a test.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_;
};

TEST_F(FileSink, FileSizeLimit_LineThatDoesNotFitFailsAndSinkIsReadyLater) {
  const auto sink = sink_at(in_folder("events.ndjson"));
  const std::string value(3000, 'x');
  {
    const FileSizeLimit limit(10000);
    EXPECT_THAT(
        outcome_texts(driver_.produce(*sink, records({value, value, value, value, value}))),
        ElementsAre("success", "success", "success",
                    "not_produced: Writing to the output '" + in_folder("events.ndjson") + "' failed: File too large",
                    StartsWith("not_produced: Writing to the output")));
    EXPECT_EQ(content(in_folder("events.ndjson")), value + "\n" + value + "\n" + value + "\n");
    EXPECT_THAT(sink->not_ready_reason().value_or(""), HasSubstr("File too large"));
  }
  EXPECT_TRUE(becomes([&] { return !sink->not_ready_reason(); }));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({"{}"}))), ElementsAre("success"));
  EXPECT_THAT(lines(in_folder("events.ndjson")), ElementsAre(value, value, value, "{}"));
}

TEST_F(FileSink, DiskIsFull_LinesThatFitAreWrittenAndLaterOnesOnceItHasSpace) {
  const SmallDisk disk(in_folder("disk"));
  if (!disk.mounted()) GTEST_SKIP() << "a small file system can be mounted by root only";
  const std::string filler = folder_.write("disk/filler", std::string(40 * 1024, 'f'));
  {
    const auto sink = sink_at(in_folder("disk/out/"));
    const std::string value(3000, 'x');
    std::vector<OwnRecord> many(20, {"test.event", value, std::nullopt, 0});
    const auto outcomes = outcome_texts(driver_.produce(*sink, many));
    const auto kept = static_cast<std::size_t>(std::count(outcomes.begin(), outcomes.end(), "success"));
    EXPECT_GT(kept, 0u);
    EXPECT_LT(kept, 20u);
    EXPECT_THAT(outcomes.back(), MatchesRegex("not_produced: .*No space left on device"));
    std::string file;
    for (const std::string& name : files(in_folder("disk/out"))) file = in_folder("disk/out/" + name);
    EXPECT_EQ(lines(file), std::vector<std::string>(kept, value));
    EXPECT_THAT(sink->not_ready_reason().value_or(""), HasSubstr("No space left on device"));
    fs::remove(filler);
    EXPECT_TRUE(becomes([&] { return !sink->not_ready_reason(); }));
    EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({"{}"}))), ElementsAre("success"));
    EXPECT_EQ(lines(file).size(), kept + 1);
  }
}

TEST_F(FileSink, DeviceIsFull_EveryEventFails) {
  const auto sink = sink_at("/dev/full");
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({"{}", "{}"}))),
              Each("not_produced: Writing to the output '/dev/full' failed: No space left on device"));
}

TEST_F(FileSink, FileIsMoved_ItIsCreatedAgain) {
  const auto sink = sink_at(in_folder("events.ndjson"));
  driver_.produce(*sink, records({"{\"n\":0}"}));
  fs::rename(in_folder("events.ndjson"), in_folder("moved.ndjson"));
  std::size_t produced = 1;
  EXPECT_TRUE(becomes([&] {
    driver_.produce(*sink, records({"{\"n\":1}"}));
    ++produced;
    return fs::exists(in_folder("events.ndjson"));
  }));
  EXPECT_EQ(lines(in_folder("events.ndjson")).size() + lines(in_folder("moved.ndjson")).size(), produced);
}

TEST_F(FileSink, OutputRetention_DeletesOlderPartitions) {
  const std::string old_part = "out/a/year=2026/month=11/day=19/hour=23/part-1.ndjson";
  const std::string older_part = "out/b/year=2026/month=11/day=15/hour=00/part-1.ndjson";
  const std::string kept_part = "out/a/year=2026/month=11/day=20/hour=02/part-1.ndjson";
  const std::string no_part = "out/a/year=2020/readme";
  const std::string no_hour = "out/a/year=2020/month=13/day=40/hour=99/part-1.ndjson";
  for (const std::string& name : {old_part, older_part, kept_part, no_part, no_hour}) folder_.write(name, "{}\n");
  FileSinkOptions options;
  options.output_path = in_folder("out/");
  options.output_retention = std::chrono::hours(48);
  options.now = [this] { return now_.load(); };
  const auto sink = make_file_sink(std::move(options), telemetry_);
  const std::string old_day = "out/a/year=2026/month=11/day=19";
  EXPECT_TRUE(becomes([&] { return !fs::exists(in_folder("out/b/year=2026")) && !fs::exists(in_folder(old_day)); }));
  for (const std::string& name : {kept_part, no_part, no_hour}) EXPECT_TRUE(fs::exists(in_folder(name))) << name;

  now_ = kTwoOClock + std::chrono::hours(1);
  driver_.produce(*sink, records({"{}"}));
  EXPECT_TRUE(becomes([&] { return !fs::exists(in_folder(kept_part)); }));
}

TEST_F(FileSink, Retention_OfTheTopicCountsBeforeOutputRetention) {
  const std::string due_part = "out/short/year=2026/month=11/day=21/hour=20/part-1.ndjson";
  const std::string kept_part = "out/kept/year=2020/month=01/day=01/hour=00/part-1.ndjson";
  for (const std::string& name : {due_part, kept_part}) folder_.write(name, "{}\n");
  FileSinkOptions options;
  options.output_path = in_folder("out/");
  options.output_retention = std::chrono::hours(1);
  options.retention = [](std::string_view topic) {
    return topic == "short" ? std::optional(std::chrono::hours(2)) : std::nullopt;
  };
  options.now = [this] { return now_.load(); };
  const auto sink = make_file_sink(std::move(options), telemetry_);
  EXPECT_TRUE(becomes([&] { return !fs::exists(in_folder(due_part)); }));
  EXPECT_TRUE(becomes([&] {
    return metrics_.text().find("eventgate_purged_partitions_total{service=\"test\"} 1") != std::string::npos;
  }));
  EXPECT_TRUE(fs::exists(in_folder(kept_part)));
}

TEST_F(FileSink, MoreThanSevenDaysAreDueAtOnce_NothingIsDeletedAndAnErrorSaysSo) {
  const LogFile log;
  const std::string due_part = "out/a/year=2026/month=11/day=19/hour=23/part-1.ndjson";
  const std::string old_part = "out/b/year=2026/month=10/day=01/hour=00/part-1.ndjson";
  for (const std::string& name : {due_part, old_part}) folder_.write(name, "{}\n");
  FileSinkOptions options;
  options.output_path = in_folder("out/");
  options.output_retention = std::chrono::hours(48);
  options.now = [this] { return now_.load(); };
  const auto sink = make_file_sink(std::move(options), telemetry_);
  EXPECT_TRUE(becomes(
      [&] { return metrics_.text().find("eventgate_purge_stopped{service=\"test\"} 1") != std::string::npos; }));
  sink->stop(std::chrono::steady_clock::now() + std::chrono::seconds(10));
  for (const std::string& name : {due_part, old_part}) EXPECT_TRUE(fs::exists(in_folder(name))) << name;
  EXPECT_THAT(log.texts(), testing::Contains(AllOf(HasSubstr("Retention deletes nothing"), HasSubstr("purge --yes"))));
}

TEST_F(FileSink, OutputCannotBeOpened_ThrowsWithItsPath) {
  EXPECT_THAT([&] { sink_at(in_folder("nowhere/events.ndjson")); },
              testing::ThrowsMessage<std::runtime_error>(
                  AllOf(HasSubstr("output_path '" + in_folder("nowhere/events.ndjson") + "'"),
                        HasSubstr("No such file or directory"))));
  folder_.write("file", "");
  EXPECT_THAT([&] { sink_at(in_folder("file/")); },
              testing::ThrowsMessage<std::runtime_error>(HasSubstr("output_path '" + in_folder("file/") + "'")));
}

TEST_F(FileSink, Stop_WaitingEventsAreWrittenAndLaterOnesFail) {
  const auto sink = sink_at(in_folder("events.ndjson"));
  auto waiting = driver_.start(*sink, records({"{}", "{}"}));
  driver_.produce(*sink, records({"{}"}));
  sink->stop(std::chrono::steady_clock::now() + std::chrono::seconds(10));
  EXPECT_THAT(outcome_texts(waiting.get()), Each("success"));
  EXPECT_EQ(lines(in_folder("events.ndjson")).size(), 3u);
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({"{}"}))),
              ElementsAre("not_produced: The output is being closed"));
}

TEST_F(FileSink, StopWithAStuckReader_EndsAtTheDeadline) {
  ASSERT_EQ(::mkfifo(in_folder("pipe").c_str(), 0600), 0);
  const int reader = ::open(in_folder("pipe").c_str(), O_RDONLY | O_NONBLOCK);
  const auto sink = sink_at(in_folder("pipe"));
  std::vector<OwnRecord> many(1000, {"test.event", std::string(1000, 'x'), std::nullopt, 0});
  auto waiting = driver_.start(*sink, many);
  sink->stop(std::chrono::steady_clock::now() + std::chrono::milliseconds(50));
  const auto outcomes = outcome_texts(waiting.get());
  std::string read(4 << 20, '\0');
  std::size_t size = 0;
  for (ssize_t got; (got = ::read(reader, read.data() + size, read.size() - size)) > 0;)
    size += static_cast<std::size_t>(got);
  const auto delivered = std::count(outcomes.begin(), outcomes.end(), "success");
  EXPECT_EQ(delivered, std::count(read.begin(), read.begin() + static_cast<long>(size), '\n'));
  EXPECT_LT(delivered, 1000);
  ::close(reader);
}

TEST_F(FileSink, FifoHasNoReader_Throws) {
  ASSERT_EQ(::mkfifo(in_folder("pipe").c_str(), 0600), 0);
  EXPECT_THROW(sink_at(in_folder("pipe")), std::runtime_error);
}

TEST_F(FileSink, FileIsRemoved_EachEventAnsweredIsInAFile) {
  for (const bool fsync : {false, true}) {
    const std::string path = in_folder(fsync ? "synced.ndjson" : "events.ndjson");
    const auto sink = sink_at(path, fsync);
    for (int i = 0; i < 5; ++i) {
      const std::string value = "{\"n\":" + std::to_string(i) + "}";
      EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({value, value}))), Each("success"));
      EXPECT_EQ(content(path), value + "\n" + value + "\n");
      fs::remove(path);
    }
  }
  EXPECT_EQ(reopened("removed"), 8);
}

TEST_F(FileSink, FileIsReplaced_EventsAreInTheNewOne) {
  const auto sink = sink_at(in_folder("events.ndjson"));
  driver_.produce(*sink, records({"{\"n\":0}"}));
  folder_.write("new", "{\"new\":1}\n");
  fs::rename(in_folder("new"), in_folder("events.ndjson"));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({"{\"n\":1}"}))), Each("success"));
  EXPECT_EQ(content(in_folder("events.ndjson")), "{\"new\":1}\n{\"n\":1}\n");
}

TEST_F(FileSink, FileIsMoved_NextEventsAreInANewOne) {
  const auto sink = sink_at(in_folder("events.ndjson"));
  driver_.produce(*sink, records({"{\"n\":0}"}));
  fs::rename(in_folder("events.ndjson"), in_folder("events.ndjson.1"));
  driver_.produce(*sink, records({"{\"n\":1}"}));
  driver_.produce(*sink, records({"{\"n\":2}"}));
  const std::string moved = content(in_folder("events.ndjson.1"));
  EXPECT_EQ(moved + content(in_folder("events.ndjson")), "{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n");
  EXPECT_THAT(content(in_folder("events.ndjson")), HasSubstr("{\"n\":2}\n"));
  EXPECT_EQ(reopened("moved"), 1);
}

TEST_F(FileSink, FolderOfTheFileIsRemoved_EventsFail) {
  fs::create_directory(in_folder("logs"));
  const auto sink = sink_at(in_folder("logs/events.ndjson"));
  driver_.produce(*sink, records({"{}"}));
  fs::remove_all(in_folder("logs"));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({"{}"}))),
              Each(HasSubstr("Opening the output '" + in_folder("logs/events.ndjson") + "' failed")));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({"{}"}))), Each(StartsWith("not_produced: ")));
  fs::create_directory(in_folder("logs"));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({"{\"n\":1}"}))), Each("success"));
  EXPECT_EQ(content(in_folder("logs/events.ndjson")), "{\"n\":1}\n");
}

TEST_F(FileSink, PartFilesAndFoldersAreRemoved_EachIsMadeAgain) {
  const auto sink = sink_at(in_folder("out/"));
  driver_.produce(*sink, records({"{\"n\":0}"}));
  const std::vector<std::function<void()>> removals{
      [&] { fs::remove(in_folder("out/" + files(in_folder("out"))[0])); },
      [&] { fs::remove_all(in_folder("out/test.event/year=2026/month=11")); },
      [&] { fs::remove_all(in_folder("out/test.event")); },
      [&] { fs::remove_all(in_folder("out")); },
  };
  for (const auto& remove : removals) {
    remove();
    EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({"{\"n\":1}"}))), Each("success"));
    ASSERT_EQ(files(in_folder("out")).size(), 1u);
    EXPECT_EQ(content(in_folder("out/" + files(in_folder("out"))[0])), "{\"n\":1}\n");
  }
  EXPECT_EQ(reopened("removed"), 4);
}

TEST_F(FileSink, FolderOfPartFilesIsMoved_NextEventsAreInANewOne) {
  const auto sink = sink_at(in_folder("out/"));
  driver_.produce(*sink, records({"{}"}));
  fs::rename(in_folder("out/test.event"), in_folder("old"));
  driver_.produce(*sink, records({"{}"}));
  driver_.produce(*sink, records({"{}"}));
  ASSERT_EQ(files(in_folder("out")).size(), 1u);
  EXPECT_EQ(lines(in_folder("out/" + files(in_folder("out"))[0])).size() +
                lines(in_folder("old/" + files(in_folder("old"))[0])).size(),
            3u);
}

TEST_F(FileSink, MoreTopicsThanOpenFilesAndAllAreRemoved_EachIsCreatedAgain) {
  const auto sink = sink_at(in_folder("out/"));
  std::vector<OwnRecord> many;
  for (int i = 0; i < 150; ++i) many.push_back({"topic" + std::to_string(i), "{}", std::nullopt, 0});
  driver_.produce(*sink, many);
  fs::remove_all(in_folder("out"));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, many)), Each("success"));
  EXPECT_EQ(files(in_folder("out")).size(), 150u);
}

TEST_F(FileSink, Reloaded_FileIsOpenedAgain) {
  const auto sink = sink_at(in_folder("events.ndjson"));
  driver_.produce(*sink, records({"{\"n\":0}"}));
  fs::rename(in_folder("events.ndjson"), in_folder("moved.ndjson"));
  sink->reload()();
  EXPECT_TRUE(becomes([&] { return fs::exists(in_folder("events.ndjson")); }));
  driver_.produce(*sink, records({"{\"n\":1}"}));
  EXPECT_EQ(content(in_folder("events.ndjson")), "{\"n\":1}\n");
  EXPECT_EQ(content(in_folder("moved.ndjson")), "{\"n\":0}\n");
  EXPECT_EQ(reopened("sighup"), 1);
}

TEST_F(FileSink, PathIsADevice_IsNeverOpenedAgain) {
  const auto sink = sink_at("/dev/null");
  sink->reload()();
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({"{}"}))), Each("success"));
  EXPECT_EQ(reopened("sighup"), 0);
}

/// A FIFO whose reader reads on request.
class FileSinkPipe : public FileSink {
 protected:
  FileSinkPipe() {
    EXPECT_EQ(::mkfifo(in_folder("pipe").c_str(), 0600), 0);
    reader_ = ::open(in_folder("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  }
  ~FileSinkPipe() override { ::close(reader_); }

  std::unique_ptr<Sink> sink(std::chrono::milliseconds produce_timeout) {
    FileSinkOptions options;
    options.output_path = in_folder("pipe");
    options.produce_timeout = produce_timeout;
    return make_file_sink(std::move(options), telemetry_);
  }

  std::string read_all() {
    std::string text, part(64 * 1024, '\0');
    for (ssize_t size; (size = ::read(reader_, part.data(), part.size())) > 0;)
      text.append(part, 0, static_cast<std::size_t>(size));
    return text;
  }

  int reader_ = -1;
};

TEST_F(FileSinkPipe, ReaderIsStuck_LinesFailInTimeAndNoneComesLater) {
  const auto sink = this->sink(std::chrono::seconds(2));
  const std::vector<OwnRecord> many(1000, {"test.event", std::string(1000, 'x'), std::nullopt, 0});
  const auto outcomes = outcome_texts(driver_.produce(*sink, many));
  const auto delivered = std::count(outcomes.begin(), outcomes.end(), "success");
  EXPECT_GT(delivered, 0);
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(),
                       "not_produced: The output '" + in_folder("pipe") + "' did not take it within produce_timeout"),
            1000 - delivered);
  EXPECT_THAT(sink->not_ready_reason().value_or(""), HasSubstr("did not take it within produce_timeout"));
  std::string read = read_all();
  EXPECT_EQ(std::count(read.begin(), read.end(), '\n'), delivered);
  EXPECT_TRUE(becomes([&] { return !sink->not_ready_reason(); }));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({"{}"}))), Each("success"));
  EXPECT_EQ(read_all(), "{}\n");
}

TEST_F(FileSinkPipe, ReaderIsStuckWithinALine_ItIsUnknownAndTheNextBeginsALine) {
  const auto sink = this->sink(std::chrono::seconds(2));
  const auto outcomes = driver_.produce(
      *sink, {{"test.event", std::string(1 << 20, 'x'), std::nullopt, 0}, {"test.event", "{}", std::nullopt, 0}});
  EXPECT_THAT(outcome_texts(outcomes), ElementsAre(StartsWith("unknown: "), StartsWith("not_produced: ")));
  const std::string torn = read_all();
  EXPECT_EQ(torn, std::string(torn.size(), 'x'));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({"{\"n\":1}"}))), Each("success"));
  EXPECT_EQ(read_all(), "\n{\"n\":1}\n");
}

TEST_F(FileSinkPipe, ReaderIsSlow_WrittenLinesAreAnswered) {
  const auto sink = this->sink(std::chrono::minutes(10));
  // More lines than a pipe takes: only the first are sent.
  auto first = driver_.start(*sink, records({"{\"n\":0}"}));
  EXPECT_THAT(outcome_texts(first.get()), Each("success"));
  auto rest =
      driver_.start(*sink, std::vector<OwnRecord>(1000, {"test.event", std::string(1000, 'x'), std::nullopt, 0}));
  std::string read;
  while (rest.wait_for(std::chrono::milliseconds(1)) == std::future_status::timeout) read += read_all();
  read += read_all();
  EXPECT_THAT(outcome_texts(rest.get()), Each("success"));
  EXPECT_EQ(std::count(read.begin(), read.end(), '\n'), 1001);
}

TEST_F(FileSinkPipe, ReaderIsGone_LinesFailAtOnce) {
  const auto sink = this->sink(std::chrono::minutes(10));
  ::close(reader_);
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({"{}", "{}"}))),
              Each(MatchesRegex("not_produced: Writing to the output .* failed: Broken pipe")));
  reader_ = ::open(in_folder("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  EXPECT_TRUE(becomes([&] { return !sink->not_ready_reason(); }));
  EXPECT_THAT(outcome_texts(driver_.produce(*sink, records({"{}"}))), Each("success"));
}

}  // namespace
}  // namespace eventgate
