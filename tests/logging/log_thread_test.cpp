// With a log thread no line is waited for, however little the output takes.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eventgate/logging/log.hpp"
#include "support/log_file.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;
using testing::Ge;

/// The log goes to a FIFO, from which nothing is read before `lines`.
class LogThread : public testing::Test {
 protected:
  LogThread() {
    EXPECT_EQ(::mkfifo(path().c_str(), 0600), 0);
    reader_ = ::open(path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    LoggingOptions options;
    options.output = path();
    start_logging(options);
    start_log_thread();
  }

  ~LogThread() override {
    lines();
    start_logging({});
    ::close(reader_);
  }

  std::string path() const { return folder_.path() + "/pipe"; }

  /// Reads all that was logged.
  std::vector<Json> lines() {
    std::string text;
    std::string part(64 * 1024, '\0');
    for (;;) {
      const bool all = flush_log(milliseconds(1));
      for (ssize_t size; (size = ::read(reader_, part.data(), part.size())) > 0;)
        text.append(part, 0, static_cast<std::size_t>(size));
      if (all) break;
    }
    std::vector<Json> found;
    for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
      found.push_back(Json::parse(text.substr(begin, end - begin)));
    return found;
  }

  TemporaryFolder folder_;
  int reader_ = -1;
};

/// How many of `all` have this message.
std::size_t count(const std::vector<Json>& all, const std::string& msg) {
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const Json& line) { return line["msg"] == msg; }));
}

TEST_F(LogThread, LinesAreWrittenInOrder) {
  for (int i = 0; i < 1000; ++i) log(LogLevel::info, "line", {{"n", static_cast<long long>(i)}});
  const std::vector<Json> all = lines();
  ASSERT_EQ(all.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)]["n"], i);
}

TEST_F(LogThread, OutputTakesNothing_TenThousandLinesWaitAndOthersAreCounted) {
  const std::uint64_t before = log_lines_dropped();
  constexpr std::uint64_t kLines = 20'000;
  for (std::uint64_t i = 0; i < kLines; ++i) log(LogLevel::info, "line");
  EXPECT_FALSE(flush_log(milliseconds(10)));
  const std::uint64_t dropped = log_lines_dropped() - before;
  EXPECT_GT(dropped, 9'000u);
  EXPECT_LE(dropped, kLines - 10'000);
  const std::vector<Json> all = lines();
  EXPECT_EQ(count(all, "line"), kLines - dropped);
}

TEST_F(LogThread, OutputTakesNothing_EightMegabytesWait) {
  const std::uint64_t before = log_lines_dropped();
  const std::string text(8000, 'x');
  for (int i = 0; i < 3000; ++i) log(LogLevel::info, text);
  const std::uint64_t dropped = log_lines_dropped() - before;
  EXPECT_GT(dropped, 1500u);
  EXPECT_EQ(count(lines(), text), 3000 - dropped);
}

TEST_F(LogThread, LinesWereDropped_TheLogSaysHowMany) {
  const std::uint64_t before = log_lines_dropped();
  for (int i = 0; i < 20'000; ++i) log(LogLevel::info, "line");
  const std::uint64_t dropped = log_lines_dropped() - before;
  std::vector<Json> notices;
  // A notice comes at most once a second.
  while (notices.empty()) {
    log(LogLevel::info, "line");
    for (Json& line : lines())
      if (line["msg"] == "Log lines were dropped because the output did not take them")
        notices.push_back(std::move(line));
  }
  EXPECT_EQ(notices.front()["level"], 40);
  EXPECT_THAT(notices.front()["lines"].get<std::uint64_t>(), Ge(dropped));
}

TEST_F(LogThread, OutputIsClosed_LinesAreCounted) {
  ::close(reader_);
  struct sigaction ignored {
  }, kept;
  ignored.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignored, &kept);
  const std::uint64_t before = log_lines_dropped();
  for (int i = 0; i < 10; ++i) log(LogLevel::info, "line");
  EXPECT_TRUE(flush_log(std::chrono::seconds(30)));
  EXPECT_EQ(log_lines_dropped() - before, 10u);
  ::sigaction(SIGPIPE, &kept, nullptr);
  reader_ = ::open(path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

TEST_F(LogThread, ForkedWhileTheOutputIsFull_ChildLogsWithoutTheThread) {
  for (int i = 0; i < 2000; ++i) log(LogLevel::info, "parent");
  const std::string own = folder_.write("own", "");
  const pid_t child = fork();
  if (child == 0) {
    LoggingOptions options;
    options.output = own;
    start_logging(options);
    log(LogLevel::info, "child");
    _exit(flush_log(milliseconds(0)) ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  std::ifstream in(own);
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(Json::parse(line)["msg"], "child");
  EXPECT_EQ(count(lines(), "parent"), 2000u);
}

TEST_F(LogThread, OutputIsReplaced_WhatWaitsFollows) {
  log(LogLevel::info, "before");
  EXPECT_EQ(count(lines(), "before"), 1u);
  const LogFile file;
  log(LogLevel::info, "after");
  EXPECT_EQ(file.line()["msg"], "after");
}

}  // namespace
}  // namespace eventgate
