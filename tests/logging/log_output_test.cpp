#include "logging/log_output.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(LogOutput, FileIsAppendedTo) {
  const TemporaryFolder folder;
  const std::string path = folder.write("log", "before\n");
  std::string_view lines = "one\ntwo\n";
  EXPECT_EQ(LogOutput(path).write(lines), 0);
  EXPECT_EQ(lines, "");
  EXPECT_EQ(text_of(path), "before\none\ntwo\n");
}

TEST(LogOutput, FileThatCannotBeOpenedIsNamed) {
  const TemporaryFolder folder;
  try {
    const LogOutput output(folder.path() + "/none/log");
    FAIL() << "expected an exception";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("none/log"));
  }
}

TEST(LogOutput, FifoWithoutAReaderIsAnErrorAndDoesNotBlock) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THROW(LogOutput{path}, std::runtime_error);
}

TEST(LogOutput, RefusedLinesStay) {
  std::string_view lines = "lost\n";
  EXPECT_EQ(LogOutput("/dev/full").write(lines), ENOSPC);
  EXPECT_EQ(lines, "lost\n");
}

}  // namespace
}  // namespace eventgate
