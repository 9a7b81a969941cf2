#include "eventgate/fetch/object_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "read_object.hpp"
#include "support/paths.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using testing::HasSubstr;
using Json = nlohmann::ordered_json;

TEST(ObjectReader, ReadsPathsAndFileUris) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a b/1.0.0.yaml", "title: a");
  EXPECT_EQ(read(path), R"({"title":"a"})");
  EXPECT_EQ(read("file://" + path), R"({"title":"a"})");
  EXPECT_EQ(read("file://localhost" + folder.path() + "/a%20b/1.0.0.yaml"), R"({"title":"a"})");
}

TEST(ObjectReader, RelativePath_BeginsAtTheWorkingDirectory) {
  const TemporaryFolder folder;
  const std::string path = folder.write("x.json", R"({"a":1})");
  const std::string relative = std::filesystem::relative(path).string();
  EXPECT_EQ(read(relative), R"({"a":1})");
  EXPECT_EQ(read("file://" + relative), R"({"a":1})");
}

TEST(ObjectReader, FollowsLinks) {
  const TemporaryFolder folder;
  folder.write("1.0.0.yaml", "title: a");
  std::filesystem::create_symlink("1.0.0.yaml", folder.path() + "/latest");
  EXPECT_EQ(read(folder.path() + "/latest"), R"({"title":"a"})");
}

TEST(ObjectReader, LinkIsAFileWithTheTargetsName_IsFollowed) {
  const TemporaryFolder folder;
  folder.write("1.0.0.yaml", "title: a");
  folder.write("sub/x.yaml", "title: b");
  folder.write("y.yaml", "title: y");
  EXPECT_EQ(read(folder.write("latest", "1.0.0.yaml")), R"({"title":"a"})");
  EXPECT_EQ(read(folder.write("line", "1.0.0.yaml\n")), R"({"title":"a"})");
  // Only a file beside it that is there, and only one step.
  const std::string scalar = "invalid: expected a JSON or YAML object, found a string";
  EXPECT_EQ(read(folder.write("below", "sub/x.yaml")), scalar);
  EXPECT_EQ(read(folder.write("sub/above", "../y.yaml")), scalar);
  EXPECT_EQ(read(folder.write("nowhere", "2.0.0.yaml")), scalar);
  EXPECT_EQ(read(folder.write("again", "latest")), scalar);
  EXPECT_EQ(read(folder.write("self", "self")), scalar);
}

TEST(ObjectReader, PathHasNoFile_IsNotFound) {
  const TemporaryFolder folder;
  folder.write("file", "a: 1");
  EXPECT_EQ(read(folder.path() + "/nothing"), "not_found: no such file");
  EXPECT_EQ(read(folder.path() + "/file/below"), "not_found: no such file");
  EXPECT_EQ(read(folder.path()), "not_found: expected a file, found a directory");
  EXPECT_EQ(read(folder.path() + "/" + std::string(300, 'a')), "not_found: no such file");
  EXPECT_EQ(read(""), "not_found: no such file");
  EXPECT_EQ(read(std::string("/etc\0x", 6)), "not_found: no such file");
}

TEST(ObjectReader, DocumentIsNotAnObject_IsInvalid) {
  const TemporaryFolder folder;
  EXPECT_EQ(read(folder.write("empty", "")), "invalid: expected a JSON or YAML object, found nothing");
  EXPECT_EQ(read(folder.write("array", "[1]")), "invalid: expected a JSON or YAML object, found an array");
  EXPECT_THAT(read(folder.write("yaml", "a: [1, 2\nb: {")), HasSubstr("invalid: expected JSON or YAML"));
  EXPECT_EQ(read("ftp://127.0.0.1/x"), "invalid: expected a path or a file://, http:// or https:// URI");
}

TEST(ObjectReader, OnlyRegularFilesAreRead) {
  const TemporaryFolder folder;
  const std::string fifo = folder.path() + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(read(fifo), "invalid: expected a regular file");
  EXPECT_EQ(read("/dev/zero"), "invalid: expected a regular file");
}

TEST(ObjectReader, FileIsUnreadable_IsUnavailable) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads every file";
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "a: 1");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  EXPECT_EQ(read(path), "unavailable: expected a readable file: Permission denied");
}

TEST(ObjectReader, SizeIsBounded) {
  const TemporaryFolder folder;
  UriReaderOptions options;
  options.max_size = 10;
  EXPECT_EQ(read(folder.write("ten", "aaaa: bbbb"), options), R"({"aaaa":"bbbb"})");
  EXPECT_EQ(read(folder.write("eleven", "aaaa: bbbbb"), options), "invalid: expected at most 10 bytes");
}

TEST(ObjectReader, DepthIsBounded) {
  const TemporaryFolder folder;
  UriReaderOptions options;
  options.max_depth = 2;
  EXPECT_EQ(read(folder.write("two", "a: []"), options), R"({"a":[]})");
  EXPECT_THAT(read(folder.write("three", "a: [[]]"), options), HasSubstr("expected at most 2 levels"));
}

TEST(ObjectReader, EveryFileOfWikimediasRepositoryIsRead) {
  const std::filesystem::path root = shared_dir() + "/data/schema-repos/primary/jsonschema";
  if (!std::filesystem::exists(root)) GTEST_SKIP() << "no " << root;
  const auto reader = make_uri_reader({});
  int read_files = 0;
  int twins = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const std::filesystem::path path = entry.path();
    if (!entry.is_regular_file() || path.extension() == ".md") continue;
    const auto object = reader->read(path.string());
    ASSERT_TRUE(object) << path << ": " << object.error().message;
    EXPECT_TRUE(object->contains("title")) << path;
    ++read_files;
    const std::string yaml = path.string() + ".yaml";
    if (!std::filesystem::exists(yaml)) continue;
    const auto twin = reader->read("file://" + yaml);
    ASSERT_TRUE(twin) << yaml << ": " << twin.error().message;
    EXPECT_EQ(*object, *twin) << path;
    ++twins;
  }
  EXPECT_GT(read_files, 280);
  EXPECT_GT(twins, 130);
}

}  // namespace
}  // namespace eventgate
