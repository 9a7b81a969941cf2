#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "eventgate/fetch/object_reader.hpp"
#include "support/gzip_lines.hpp"
#include "support/paths.hpp"

// Every file of Wikimedia's primary schema repository reads as js-yaml 3 reads it. primary_repository.jsonl.gz was made
// once with js-yaml 3.15.2's safeLoad: a line `[path, object]` for each file, null where it gives no object.

namespace eventgate {
namespace {

using nlohmann::ordered_json;

const std::string kRoot = shared_dir() + "/data/schema-repos/primary/jsonschema";

TEST(PrimaryRepository, EveryFileReadsAsJsYamlReadsIt) {
  if (!std::filesystem::exists(kRoot)) GTEST_SKIP() << "Wikimedia's primary repository is not here: " << kRoot;
  std::set<std::string> paths;
  std::size_t objects = 0;
  for (const std::string& line : gzip_lines(source_dir() + "/tests/conformance/primary_repository.jsonl.gz")) {
    const auto expected = ordered_json::parse(line);
    const auto path = expected[0].get<std::string>();
    std::ifstream file(kRoot + "/" + path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto found = parse_object_text(text);
    // ordered_json compares the order of members too.
    EXPECT_EQ(found ? *found : ordered_json(), expected[1]) << path;
    paths.insert(path);
    if (found) ++objects;
  }
  std::set<std::string> on_disk;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kRoot))
    if (entry.is_regular_file()) on_disk.insert(std::filesystem::relative(entry.path(), kRoot));
  EXPECT_EQ(paths, on_disk);
  EXPECT_EQ(objects, 136u);
}

}  // namespace
}  // namespace eventgate
