#include "eventgate/base/atomic_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(AtomicFile, ReplacesTheFileAndLeavesNoPart) {
  const TemporaryFolder folder;
  const fs::path file = fs::path(folder.path()) / "new" / "file.json";
  EXPECT_EQ(write_file_atomically(file, "one"), "");
  EXPECT_EQ(write_file_atomically(file, "two"), "");
  EXPECT_EQ(content(file), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(file.parent_path()), fs::directory_iterator()), 1);
}

TEST(AtomicFile, FailureSaysWhyAndLeavesNoPart) {
  const TemporaryFolder folder;
  const fs::path file = fs::path(folder.path()) / "not-a-file";
  fs::create_directories(file / "inside");
  EXPECT_THAT(write_file_atomically(file, "x"), testing::StartsWith("expected to write " + file.string() + ": "));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
  std::ofstream(fs::path(folder.path()) / "file") << "x";
  EXPECT_THAT(write_file_atomically(fs::path(folder.path()) / "file" / "below", "x"),
              testing::EndsWith(": Not a directory"));
}

TEST(AtomicFile, CacheFileIsNamedByItsKey) {
  EXPECT_EQ(cache_file_path("/cache", "schema-", ""), "/cache/schema-cbf29ce484222325.json");
  EXPECT_EQ(cache_file_path("/cache", "schema-", "a"), "/cache/schema-af63dc4c8601ec8c.json");
}

}  // namespace
}  // namespace eventgate
