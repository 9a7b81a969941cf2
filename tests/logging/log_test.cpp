#include "eventgate/logging/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <regex>
#include <thread>
#include <vector>

#include "support/log_file.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

TEST(Logging, ALineHasBunyansFieldsThenItsOwn) {
  const LogFile file;
  log(LogLevel::info, "schema loaded", {{"uri", "/test/event/1.0.0"}, {"bytes", 12LL}, {"seconds", 0.5}, {"ok", true}});
  Json line = file.line();
  std::string host(256, '\0');
  gethostname(host.data(), host.size());
  EXPECT_TRUE(
      std::regex_match(line["time"].get<std::string>(), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ)")));
  line["time"] = "T";
  EXPECT_EQ(line.dump(), Json({{"name", "eventgate"},
                               {"hostname", host.c_str()},
                               {"pid", getpid()},
                               {"level", 30},
                               {"msg", "schema loaded"},
                               {"time", "T"},
                               {"v", 0},
                               {"uri", "/test/event/1.0.0"},
                               {"bytes", 12},
                               {"seconds", 0.5},
                               {"ok", true}})
                             .dump());
}

TEST(Logging, LevelsAreBunyansNumbers) {
  const LogFile file(LogLevel::trace);
  for (int i = 0; i < 6; ++i) log(static_cast<LogLevel>(i), "x");
  std::vector<int> levels;
  for (const Json& line : file.lines()) levels.push_back(line["level"]);
  EXPECT_THAT(levels, testing::ElementsAre(10, 20, 30, 40, 50, 60));
}

TEST(Logging, NamedLevelsAreWords) {
  LoggingOptions options = LogFile::at_level(LogLevel::trace);
  options.named_levels = true;
  const LogFile file(options);
  for (int i = 0; i < 6; ++i) log(static_cast<LogLevel>(i), "x");
  std::vector<std::string> levels;
  for (const Json& line : file.lines()) levels.push_back(line["level"]);
  EXPECT_THAT(levels, testing::ElementsAre("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"));
}

TEST(Logging, LinesBelowTheLevelAreNotWritten) {
  const LogFile file(LogLevel::warn);
  log(LogLevel::info, "below");
  log(LogLevel::warn, "at");
  set_log_level(LogLevel::debug);
  log(LogLevel::debug, "now at");
  std::vector<std::string> msgs;
  for (const Json& line : file.lines()) msgs.push_back(line["msg"]);
  EXPECT_THAT(msgs, testing::ElementsAre("at", "now at"));
}

TEST(Logging, HostileTextIsEscapedAndStaysOneLine) {
  const LogFile file;
  const std::string text("a\"b\\c\n\r\t\x01\x7F\0d", 12);
  log(LogLevel::info, text, {{"na\"me\n", text}});
  EXPECT_EQ(file.texts().size(), 1u);
  EXPECT_EQ(file.line()["msg"], text);
  EXPECT_EQ(file.line()["na\"me\n"], text);
}

TEST(Logging, InvalidUtf8BecomesReplacementCharacters) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"\x80z", "\uFFFDz"},                                     // no start
      {"\xC3", "\uFFFD"},                                       // cut off
      {"\xC0\xAF", "\uFFFD\uFFFD"},                             // overlong
      {"\xE0\x80\xAF", "\uFFFD\uFFFD\uFFFD"},                   // overlong
      {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},                   // surrogate
      {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},         // beyond U+10FFFF
      {"\xF5z", "\uFFFDz"},                                     // no such byte
      {"\u00E9 \u20AC \U0001F600", "\u00E9 \u20AC \U0001F600"}  // good ones
  };
  for (const auto& [sent, written] : cases) {
    const LogFile file;
    log(LogLevel::info, sent);
    EXPECT_EQ(file.line()["msg"], written);
  }
}

TEST(Logging, ALongTextIsCutBetweenCharactersAndSaysSo) {
  const LogFile file;
  std::string text(8191, 'a');
  for (int i = 0; i < 1000; ++i) text += "\u20AC";
  log(LogLevel::info, text);
  EXPECT_EQ(file.line()["msg"], std::string(8191, 'a') + " ... (cut, 11191 bytes in all)");
}

TEST(Logging, ANumberThatJsonDoesNotHaveIsNull) {
  const LogFile file;
  log(LogLevel::info, "x",
      {{"a", std::numeric_limits<double>::quiet_NaN()}, {"b", std::numeric_limits<double>::infinity()}});
  EXPECT_TRUE(file.line()["a"].is_null());
  EXPECT_TRUE(file.line()["b"].is_null());
}

TEST(Logging, LinesOfManyThreadsAreWhole) {
  const LogFile file;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 250; ++i) log(LogLevel::info, std::string(200, 'x'));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(file.lines().size(), 1000u);
}

TEST(Logging, AChildProcessWritesItsOwnPid) {
  const LogFile file;
  const pid_t child = fork();
  if (child == 0) {
    log(LogLevel::info, "child");
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(file.line()["pid"], child);
}

TEST(Logging, AFileThatCannotBeOpenedIsNamed) {
  LoggingOptions options;
  options.output = "/dev/null/log";
  EXPECT_THAT([&] { start_logging(options); },
              testing::ThrowsMessage<std::runtime_error>(testing::HasSubstr("'/dev/null/log'")));
}

TEST(Logging, AControlCharacterOfEitherSetIsEscaped) {
  const LogFile file;
  log(LogLevel::info, "a\x1b[2J\x7f\u009b1m");
  EXPECT_THAT(file.texts().at(0), testing::HasSubstr(R"("msg":"a\u001b[2J\u007f\u009b1m")"));
}

TEST(Logging, LevelNamesAreThoseOfBunyan) {
  LogLevel level = LogLevel::info;
  EXPECT_TRUE(parse_log_level("fatal", level));
  EXPECT_EQ(level, LogLevel::fatal);
  EXPECT_FALSE(parse_log_level("warning", level));
  EXPECT_FALSE(parse_log_level("", level));
  EXPECT_EQ(level, LogLevel::fatal);
}

}  // namespace
}  // namespace eventgate
