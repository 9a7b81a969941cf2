#include "repository/document_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

const Json kDocument = Json::parse(R"({"title":"a","é":[1,{"z":null,"a":2.5}]})");

std::vector<fs::path> files(const TemporaryFolder& folder) {
  std::vector<fs::path> result;
  for (const auto& entry : fs::directory_iterator(folder.path())) result.push_back(entry.path());
  return result;
}

TEST(DocumentCache, WhatIsWrittenIsReadByAnother) {
  const TemporaryFolder folder;
  EXPECT_EQ(DocumentCache(folder.path() + "/new/folder").write("http://h/a", kDocument), "");
  const DocumentCache documents(folder.path() + "/new/folder");
  EXPECT_EQ(documents.read("http://h/a")->dump(), kDocument.dump());
  EXPECT_EQ(documents.read("http://h/b"), std::nullopt);
}

TEST(DocumentCache, DocumentsOfAnyDepthAndOfManyKeysAreRead) {
  const TemporaryFolder folder;
  DocumentCache documents(folder.path());
  Json deep = Json::object();
  for (int level = 1; level < 64; ++level) deep = Json{{"a", deep}};
  EXPECT_EQ(documents.write("http://h/deep", deep), "");
  EXPECT_EQ(documents.read("http://h/deep"), deep);
  Json many = Json::object();
  for (int i = 0; i < 80'000; ++i) many.get_ref<Json::object_t&>().emplace_back("key-" + std::to_string(i), i);
  EXPECT_EQ(documents.write("http://h/many", many), "");
  EXPECT_EQ(documents.read("http://h/many")->size(), 80'000U);
}

TEST(DocumentCache, FileNamesAreSafeWhateverThePlace) {
  const TemporaryFolder folder;
  DocumentCache documents(folder.path());
  const std::string place = "http://h/../../../" + std::string(2000, 'x') + "\n%00";
  EXPECT_EQ(documents.write(place, kDocument), "");
  EXPECT_EQ(documents.write(place, kDocument), "");
  ASSERT_EQ(files(folder).size(), 1U);
  EXPECT_THAT(files(folder)[0].filename().string(), testing::MatchesRegex("schema-[0-9a-f]+\\.json"));
  EXPECT_TRUE(documents.read(place));
}

TEST(DocumentCache, ABrokenFileOrOneOfAnotherPlaceIsNoDocument) {
  const TemporaryFolder folder;
  DocumentCache documents(folder.path());
  documents.write("http://h/a", kDocument);
  for (const char* text : {"", "{\"uri\":\"http://h/a\",\"docu", "[]", R"({"uri":"http://h/a","document":[]})",
                           R"({"uri":"http://h/b","document":{}})", R"({"uri":7,"document":{}})"}) {
    std::ofstream(files(folder)[0]) << text;
    EXPECT_EQ(documents.read("http://h/a"), std::nullopt) << text;
  }
}

TEST(DocumentCache, TheOldestGoBeyondTheMaximum) {
  const TemporaryFolder folder;
  DocumentCache documents(folder.path(), 8 * 4096);
  const auto now = fs::file_time_type::clock::now();
  for (int i = 0; i < 100; ++i) {
    const auto before = files(folder);
    documents.write("http://h/" + std::to_string(i), kDocument);
    // Younger by a second each: the clock of files may be coarse.
    for (const fs::path& file : files(folder)) {
      if (std::find(before.begin(), before.end(), file) == before.end()) {
        fs::last_write_time(file, now - std::chrono::seconds(1000 - i));
      }
    }
    EXPECT_LE(files(folder).size(), 8U);
  }
  EXPECT_GE(files(folder).size(), 7U);
  EXPECT_FALSE(documents.read("http://h/90"));
  EXPECT_TRUE(documents.read("http://h/98"));
}

TEST(DocumentCache, WhatIsNotOursIsLeftAlone) {
  const TemporaryFolder folder;
  folder.write("stream-configs-1.json", std::string(100000, ' '));
  DocumentCache documents(folder.path(), 4096);
  for (int i = 0; i < 5; ++i) documents.write("http://h/" + std::to_string(i), kDocument);
  EXPECT_TRUE(fs::exists(folder.path() + "/stream-configs-1.json"));
  EXPECT_LE(files(folder).size(), 2U);
}

}  // namespace
}  // namespace eventgate
