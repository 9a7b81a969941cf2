#include "eventgate/repository/schema_titles.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stop_token>
#include <string>

#include "support/fake_object_reader.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

void write_schema(const std::string& file, const std::string& title) {
  std::filesystem::create_directories(std::filesystem::path(file).parent_path());
  std::ofstream(file) << "{\"title\": \"" << title << "\"}";
}

SchemaOptions options_of(std::vector<std::string> bases) {
  SchemaOptions options;
  options.schema_base_uris = std::move(bases);
  options.schema_file_extension = ".yaml";
  return options;
}

TEST(SchemaDirectory, OfAPathOrFileUriIsThePathAndOfAHostIsNone) {
  EXPECT_EQ(schema_directory("/schemas"), "/schemas");
  EXPECT_EQ(schema_directory("file:///schemas"), "/schemas");
  EXPECT_EQ(schema_directory("https://schemas.example/"), std::nullopt);
}

TEST(SchemaTitles, ContainsTheTitlesOfADirectoryWhereverTheyAre) {
  const TemporaryFolder folder;
  write_schema(folder.path() + "/test/event/1.0.0.yaml", "test/event");
  write_schema(folder.path() + "/elsewhere/1.0.0.yaml", "lost/event");
  FakeObjectReader reader;
  SchemaTitles titles(options_of({"file://" + folder.path()}), reader);
  EXPECT_EQ(titles.contains("test/event"), true);
  EXPECT_EQ(titles.contains("lost/event"), true);
  EXPECT_EQ(titles.contains("no/event"), false);
  EXPECT_EQ(titles.contains("no/event"), false) << "remembered";
}

TEST(SchemaTitles, ContainsTheTitleOfAHostsLatestSchema) {
  FakeObjectReader reader;
  reader.put("http://host/test/event/latest.yaml", R"({"title": "test/event"})");
  reader.put("http://host/other/latest.yaml", R"({"title": "not/other"})");
  SchemaTitles titles(options_of({"http://host"}), reader);
  EXPECT_EQ(titles.contains("test/event"), true);
  EXPECT_EQ(titles.contains("other"), false);
}

TEST(SchemaTitles, FindsTheNewestVersionUnderTheNameThatEventsUse) {
  const TemporaryFolder folder;
  for (const char* const file : {"1.2.0.yaml", "1.10.0.yaml", "1.9.0", "latest", "current.yaml"})
    write_schema(folder.path() + "/test/event/" + file, "test/event");
  write_schema(folder.path() + "/draft/current.yaml", "draft");
  FakeObjectReader reader;
  SchemaTitles titles(options_of({folder.path() + "/"}), reader);
  const auto found = titles.find("test/event");
  EXPECT_EQ(found->newest_uri, "/test/event/1.10.0");
  EXPECT_EQ(found->versions,
            (std::vector<std::string>{"/test/event/1.2.0", "/test/event/1.9.0", "/test/event/1.10.0"}));
  EXPECT_EQ(std::filesystem::path(found->newest_file).filename(), "1.10.0.yaml");
  const auto draft = titles.find("draft");
  EXPECT_EQ(draft->newest_uri, "");
  EXPECT_EQ(std::filesystem::path(draft->other_file).filename(), "current.yaml");
  EXPECT_EQ(titles.find("none"), std::nullopt);
}

TEST(SchemaTitles, FindsAVersionThatIsNotInTheFolderOfItsTitle) {
  const TemporaryFolder folder;
  write_schema(folder.path() + "/elsewhere/1.0.0.yaml", "lost/event");
  FakeObjectReader reader;
  SchemaTitles titles(options_of({folder.path()}), reader);
  EXPECT_EQ(titles.find("lost/event")->newest_uri, "/elsewhere/1.0.0");
}

TEST(SchemaTitles, FindsTheVersionThatLatestOfAHostIs) {
  FakeObjectReader reader;
  reader.put("http://host/test/event/latest.yaml", R"({"title": "test/event", "$id": "/test/event/2.0.0"})");
  SchemaTitles titles(options_of({"http://host"}), reader);
  EXPECT_EQ(titles.find("test/event")->newest_uri, "/test/event/2.0.0");
}

// It would be a path outside of the base.
TEST(SchemaTitles, ATitleWithALeadingSlashIsLookedForInTheBase) {
  const TemporaryFolder folder;
  write_schema(folder.path() + "/outside/1.0.0.yaml", "outside");
  write_schema(folder.path() + "/base/test/1.0.0.yaml", "test");
  FakeObjectReader reader;
  SchemaTitles titles(options_of({folder.path() + "/base"}), reader);
  EXPECT_EQ(titles.contains(folder.path() + "/outside"), false);
  EXPECT_EQ(titles.contains("/test"), false);
  EXPECT_EQ(titles.contains("outside"), false);
}

TEST(SchemaTitles, AfterAStop_TheAnswerIsUnknown) {
  const TemporaryFolder folder;
  write_schema(folder.path() + "/test/1.0.0.yaml", "test");
  FakeObjectReader reader;
  std::stop_source stop;
  SchemaTitles titles(options_of({folder.path()}), reader, stop.get_token());
  stop.request_stop();
  EXPECT_EQ(titles.contains("test"), std::nullopt);
}

}  // namespace
}  // namespace eventgate
