#include "logging/terminal_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>

#include "support/log_file.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

/// A variable of the environment while this lives; null: it is not set.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    const char* const before = ::getenv(name);
    if (before) before_ = before;
    value ? ::setenv(name, value, 1) : ::unsetenv(name);
  }
  ~Variable() { before_.empty() ? ::unsetenv(name_) : ::setenv(name_, before_.c_str(), 1); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* const name_;
  std::string before_;
};

LoggingOptions readable() {
  LoggingOptions options;
  options.readable_on_terminal = true;
  return options;
}

TEST(TerminalLine, HasTimeLevelMessageAndFields) {
  const Variable plain("NO_COLOR", "1");
  const Variable forced("CLICOLOR_FORCE", "1");
  const LogFile file(readable());
  EXPECT_TRUE(log_is_readable());
  log(LogLevel::info, "Schema \"a\" loaded",
      {{"uri", "/a/1.0.0"}, {"n", 12LL}, {"s", 0.5}, {"ok", true}, {"why", "two words"}});
  EXPECT_THAT(
      file.texts().at(0),
      MatchesRegex("[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3} INFO  Schema \"a\" loaded  uri=/a/1\\.0\\.0 n=12 s=0\\.5 "
                   "ok=true why=\"two words\""));
}

TEST(TerminalLine, ColoursTheLevel) {
  const Variable coloured("NO_COLOR", nullptr);
  std::string line;
  TerminalLine().append(line, LogLevel::warn, "x", {}, {});
  EXPECT_THAT(line, HasSubstr("\x1b[33mWARN \x1b[0m x\n"));
}

// A client's text must not move the cursor, hide a line or begin another.
TEST(TerminalLine, EscapesWhatATerminalObeys) {
  const Variable plain("NO_COLOR", "1");
  std::string line;
  TerminalLine().append(line, LogLevel::info, "a\x1b[2J\r\nb", {{"text", "\u009b1m\xff"}}, {});
  EXPECT_THAT(line, HasSubstr(" INFO  a\\u001b[2J\\r\\nb  text=\\u009b1m\uFFFD\n"));
}

TEST(TerminalLine, AFileGetsJsonUnlessForced) {
  const Variable off("CLICOLOR_FORCE", "0");
  const LogFile file(readable());
  EXPECT_FALSE(log_is_readable());
  log(LogLevel::info, "x");
  EXPECT_EQ(file.line()["msg"], "x");
}

TEST(TerminalLine, WithoutTheOptionEveryOutputGetsJson) {
  const Variable forced("CLICOLOR_FORCE", "1");
  const LogFile file;
  log(LogLevel::info, "x");
  EXPECT_EQ(file.line()["msg"], "x");
}

}  // namespace
}  // namespace eventgate
