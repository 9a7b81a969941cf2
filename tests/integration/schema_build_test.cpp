// `eventgate schema build`, `new`, `diff` and `test`, as a person calls them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>

#include "support/becomes.hpp"
#include "support/gate_process.hpp"
#include "support/http_test_server.hpp"
#include "support/shell.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

/// A repository of schemas with a config, and a shell in it.
class SchemaBuild : public testing::Test {
 protected:
  SchemaBuild() {
    write(".jsonschema-tools.yaml", "schemaBasePath: jsonschema\ncontentTypes: [yaml]\n");
    write("jsonschema/common/current.yaml", current("common", "1.0.0", "properties: {dt: {type: string}}\n"));
    write("jsonschema/a/current.yaml", current("a", "1.0.0", "allOf: [{$ref: /common/1.0.0}]\n"));
  }

  static std::string current(const std::string& title, const std::string& version, const std::string& rest) {
    return "title: " + title + "\n$id: /" + title + "/" + version +
           "\n$schema: https://json-schema.org/draft-07/schema#\ntype: object\n" + rest;
  }

  void write(const std::string& name, const std::string& text) const { folder_.write(name, text); }
  std::string text(const std::string& name) const { return file_content(path(name)); }
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  bool exists(const std::string& name) const { return fs::exists(path(name)); }
  void commit() { ASSERT_EQ(shell_.run("git init -q . && git add -A && git commit -qm first"), 0) << shell_.errors; }

  TemporaryFolder folder_;
  Shell shell_{folder_.path()};
};

TEST_F(SchemaBuild, MakesAVersionOnOneThatIsMadeInTheSameRun) {
  EXPECT_EQ(shell_.run("eventgate schema build --all"), 0) << shell_.errors;
  EXPECT_EQ(text("jsonschema/a/1.0.0.yaml"),
            "title: a\n$id: /a/1.0.0\n$schema: 'https://json-schema.org/draft-07/schema#'\ntype: object\nproperties:\n"
            "  dt:\n    type: string\n");
  EXPECT_EQ(fs::read_symlink(path("jsonschema/a/latest.yaml")), "1.0.0.yaml");
  EXPECT_EQ(shell_.run("eventgate schema build --all --check"), 0) << shell_.output;
  EXPECT_EQ(shell_.run("eventgate schema test ."), 0) << shell_.output;
}

TEST_F(SchemaBuild, WritesNothingIfOneIsBroken) {
  write("jsonschema/b/current.yaml", current("b", "1.0.0", "properties:\n  x: {$ref: '#/properties/y'}\n"));
  EXPECT_EQ(shell_.run("eventgate schema build --all"), 1);
  EXPECT_EQ(
      shell_.errors,
      "jsonschema/b/current.yaml:6: /properties/x: expected '#/properties/y' to lead to a value, but this document "
      "has no /properties/y\nnothing is written\n");
  EXPECT_FALSE(exists("jsonschema/a/1.0.0.yaml"));
}

// Neither branch's keyword stands in the schema itself.
TEST_F(SchemaBuild, WhatDoesNotGoTogetherHasTheLineOfItsAllOf) {
  write("jsonschema/b/current.yaml",
        current("b", "1.0.0", "properties:\n  x:\n    allOf:\n      - {format: date}\n      - {format: time}\n"));
  EXPECT_EQ(shell_.run("eventgate schema build b"), 1);
  EXPECT_THAT(shell_.errors, HasSubstr("jsonschema/b/current.yaml:7: /properties/x/format: expected values of `format` "
                                       "in allOf that go together, found \"date\" and \"time\"\n"));
}

TEST_F(SchemaBuild, SaysWhatItWouldWrite) {
  EXPECT_EQ(shell_.run("eventgate schema build common --dry-run"), 0);
  EXPECT_THAT(shell_.output, HasSubstr("would write jsonschema/common/1.0.0.yaml\n"));
  EXPECT_EQ(shell_.run("eventgate schema build jsonschema/common --check"), 1);
  EXPECT_THAT(shell_.output, HasSubstr("jsonschema/common/1.0.0.yaml: expected what its current makes\n"));
  EXPECT_FALSE(exists("jsonschema/common/1.0.0.yaml"));
}

TEST_F(SchemaBuild, WritesOverNoPublishedVersion) {
  ASSERT_EQ(shell_.run("eventgate schema build --all"), 0) << shell_.errors;
  const std::string published = text("jsonschema/common/1.0.0.yaml");
  write("jsonschema/common/current.yaml",
        current("common", "1.0.0", "properties: {dt: {type: string}, more: {type: string}}\n"));
  EXPECT_EQ(shell_.run("eventgate schema build common"), 1);
  EXPECT_THAT(shell_.errors, HasSubstr("the next is /common/1.1.0"));
  write("jsonschema/common/current.yaml", current("common", "1.0.0", "properties: {dt: {type: integer}}\n"));
  EXPECT_EQ(shell_.run("eventgate schema build common"), 1);
  EXPECT_THAT(shell_.errors, HasSubstr("the next is /common/2.0.0"));
  EXPECT_EQ(text("jsonschema/common/1.0.0.yaml"), published);
  write("jsonschema/common/1.0.0.yaml", "# by hand\n" + published);
  write("jsonschema/common/current.yaml", current("common", "1.0.0", "properties: {dt: {type: string}}\n"));
  EXPECT_EQ(shell_.run("eventgate schema build common"), 1);
  EXPECT_THAT(shell_.errors, HasSubstr("says the same in others"));
  EXPECT_EQ(shell_.run("eventgate schema build common --overwrite"), 0) << shell_.errors;
  EXPECT_EQ(text("jsonschema/common/1.0.0.yaml"), published);
}

TEST_F(SchemaBuild, WritesOverAVersionThatGitHasNotCommitted) {
  ASSERT_EQ(shell_.run("eventgate schema build common"), 0) << shell_.errors;
  commit();
  ASSERT_EQ(shell_.run("eventgate schema build a"), 0) << shell_.errors;
  write("jsonschema/a/current.yaml", current("a", "1.0.0", "properties: {x: {type: string}}\n"));
  write("jsonschema/common/current.yaml", current("common", "1.0.0", "properties: {x: {type: string}}\n"));
  EXPECT_EQ(shell_.run("eventgate schema build a"), 0) << shell_.errors;
  EXPECT_EQ(shell_.run("eventgate schema build common"), 1);
}

TEST_F(SchemaBuild, FindsWhatChangedAndWhoRefersToIt) {
  ASSERT_EQ(shell_.run("eventgate schema build --all"), 0) << shell_.errors;
  commit();
  EXPECT_EQ(shell_.run("eventgate schema build"), 0);
  EXPECT_EQ(shell_.errors, "");
  write("jsonschema/common/current.yaml",
        current("common", "1.1.0", "properties: {dt: {type: string}, more: {type: string}}\n"));
  EXPECT_EQ(shell_.run("eventgate schema build --git-add"), 0) << shell_.errors;
  EXPECT_THAT(shell_.errors, HasSubstr("note: jsonschema/a/current.yaml refers to /common/1.0.0; common is now 1.1.0"));
  shell_.run("git diff --cached --name-only");
  EXPECT_EQ(shell_.output,
            "jsonschema/common/1.1.0\njsonschema/common/1.1.0.yaml\njsonschema/common/latest\n"
            "jsonschema/common/latest.yaml\n");
}

TEST_F(SchemaBuild, TheHookStagesAVersionThatWasMadeBefore) {
  ASSERT_EQ(shell_.run("eventgate schema build common"), 0) << shell_.errors;
  commit();
  write(".git/hooks/pre-commit", "#!/bin/sh\nexec eventgate schema build --staged --git-add\n");
  fs::permissions(path(".git/hooks/pre-commit"), fs::perms::owner_all);
  write("jsonschema/common/current.yaml", current("common", "1.1.0", "properties: {x: {type: string}}\n"));
  write("jsonschema/a/current.yaml", current("a", "2.0.0", "properties: {x: {type: string}}\n"));
  ASSERT_EQ(
      shell_.run("eventgate schema build common && git add jsonschema/common/current.yaml && git commit -qm second"), 0)
      << shell_.errors;
  shell_.run("git show --name-only --format= HEAD");
  EXPECT_EQ(shell_.output,
            "jsonschema/common/1.1.0\njsonschema/common/1.1.0.yaml\njsonschema/common/current.yaml\n"
            "jsonschema/common/latest\njsonschema/common/latest.yaml\n");
  EXPECT_FALSE(exists("jsonschema/a/2.0.0.yaml"));
  // In a folder below, and for a part of the changes.
  ASSERT_EQ(shell_.run("cd jsonschema/a && git commit -qm third current.yaml"), 0) << shell_.errors;
  shell_.run("git show --name-only --format= HEAD");
  EXPECT_THAT(shell_.output, HasSubstr("jsonschema/a/2.0.0.yaml\n"));
}

TEST_F(SchemaBuild, WithoutGitWantsAPath) {
  EXPECT_EQ(shell_.run("GIT_CEILING_DIRECTORIES=/ eventgate schema build"), 1);
  EXPECT_THAT(shell_.errors, AllOf(HasSubstr("PATH"), HasSubstr("--all")));
}

TEST_F(SchemaBuild, LeavesAllFilesOrNoneWhenItIsKilled) {
  constexpr int kSchemas = 60;
  write("kill.yaml", "schemaBasePath: " + path("jsonschema") + "\ncontentTypes: [yaml]\n");
  for (int i = 0; i < kSchemas; ++i) {
    const std::string title = "many/s" + std::to_string(i);
    write("jsonschema/" + title + "/current.yaml", current(title, "1.0.0", "properties: {x: {type: string}}\n"));
  }
  const auto written = [&] {
    int files = 0;
    for (auto it = fs::recursive_directory_iterator(path("jsonschema")); it != fs::recursive_directory_iterator(); ++it)
      if (!it->is_directory() && it->path().filename() != "current.yaml") ++files;
    return files;
  };
  constexpr int kAll = 4 * (kSchemas + 2);
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  int none = 0;
  for (int round = 0; round < 40; ++round) {
    const pid_t pid = start_gate({"schema", "build", "--all", "-C", path("kill.yaml")}, path("log"));
    std::this_thread::sleep_for(std::chrono::microseconds(500 * round));
    ::kill(pid, SIGKILL);
    // What writes the files goes on without it, and becomes a child of this process.
    while (::waitpid(-1, nullptr, 0) > 0) continue;
    EXPECT_TRUE(written() == 0 || written() == kAll) << written();
    none += written() == 0 ? 1 : 0;
    for (int i = 0; i < kSchemas; ++i)
      for (const char* const file : {"1.0.0.yaml", "1.0.0", "latest", "latest.yaml"})
        fs::remove(path("jsonschema/many/s" + std::to_string(i) + "/" + file));
    for (const char* const title : {"a", "common"})
      for (const char* const file : {"1.0.0.yaml", "1.0.0", "latest", "latest.yaml"})
        fs::remove(path(std::string("jsonschema/") + title + "/" + file));
  }
  EXPECT_GT(none, 0);
}

TEST_F(SchemaBuild, WritesNothingIntoAFolderThatCannotBeWritten) {
  if (::geteuid() == 0) {
    // Root may write anywhere; a folder in the place of a link stops it, too.
    fs::create_directories(path("jsonschema/common/latest"));
    EXPECT_EQ(shell_.run("eventgate schema build --all"), 1);
    EXPECT_THAT(shell_.errors, HasSubstr("jsonschema/common/latest: expected a file, found a folder"));
  } else {
    fs::permissions(path("jsonschema/common"), fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_EQ(shell_.run("eventgate schema build --all"), 1);
    EXPECT_THAT(shell_.errors, HasSubstr("jsonschema/common/1.0.0.yaml: expected a place to write to"));
    fs::permissions(path("jsonschema/common"), fs::perms::owner_all);
  }
  EXPECT_FALSE(exists("jsonschema/a/1.0.0.yaml"));
}

TEST_F(SchemaBuild, ASilentHostIsAnErrorInTime) {
  const HttpTestServer server([](const ServedRequest&) { return std::nullopt; });
  write("jsonschema/a/current.yaml",
        current("a", "1.0.0", "allOf: [{$ref: 'http://127.0.0.1:" + std::to_string(server.port()) + "/x/1.0.0'}]\n"));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(shell_.run("eventgate schema build --all"), 1);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  EXPECT_THAT(shell_.errors, AllOf(HasSubstr("jsonschema/a/current.yaml:5: /allOf/0: "), HasSubstr("fetch_timeout")));
  EXPECT_FALSE(exists("jsonschema/common/1.0.0.yaml"));
}

TEST_F(SchemaBuild, BuildsAtEachSave) {
  std::thread watcher([&] { shell_.run("eventgate schema build --watch common a & echo $! > pid; wait"); });
  EXPECT_TRUE(becomes([&] { return exists("jsonschema/a/1.0.0.yaml"); }));
  EXPECT_TRUE(becomes([&] { return exists("pid"); }));
  // A save over a version of its own, one that is broken, a new folder.
  write("jsonschema/a/current.yaml", current("a", "1.0.0", "properties: {x: {type: string}}\n"));
  EXPECT_TRUE(becomes([&] { return text("jsonschema/a/1.0.0.yaml").find("x:") != std::string::npos; }));
  write("jsonschema/a/current.yaml", "title: [\n");
  write("jsonschema/new/b/current.yaml", current("new/b", "1.0.0", "allOf: [{$ref: /late/1.0.0}]\n"));
  write("jsonschema/late/current.yaml", current("late", "1.0.0", "properties: {z: {type: string}}\n"));
  EXPECT_TRUE(becomes([&] { return text("jsonschema/new/b/1.0.0.yaml").find("z:") != std::string::npos; }));
  ::kill(std::stoi(text("pid")), SIGTERM);
  watcher.join();
  EXPECT_THAT(shell_.output, HasSubstr("jsonschema/a/current.yaml:"));
}

TEST_F(SchemaBuild, NewWritesACurrentThatBuildsAndTests) {
  write("event.json", R"({"meta": {"stream": "b.c"}, "dt": "2026-11-30T10:00:00Z", "n": 1, "list": [1.5], "map": {}})");
  EXPECT_EQ(shell_.run("eventgate schema new b/c --example event.json --with /none/1.0.0"), 1);
  EXPECT_EQ(shell_.run("eventgate schema new b/c --example event.json"), 0) << shell_.errors;
  EXPECT_EQ(shell_.run("eventgate schema build --all && eventgate schema test ."), 0) << shell_.output << shell_.errors;
  const std::string first = text("jsonschema/b/c/current.yaml");
  EXPECT_THAT(first, AllOf(HasSubstr("$id: /b/c/1.0.0"), HasSubstr("  'n':\n    type: integer")));
  EXPECT_EQ(shell_.run("eventgate schema new b/c"), 1);
  EXPECT_EQ(text("jsonschema/b/c/current.yaml"), first);
  EXPECT_EQ(shell_.run("eventgate schema new ../x"), 1);
}

TEST_F(SchemaBuild, NewIsMadeOnTheNewestCommonFragment) {
  write("jsonschema/fragment/common/current.yaml",
        current("fragment/common", "1.10.0", "properties: {$schema: {type: string}, meta: {type: object}}\n"));
  ASSERT_EQ(shell_.run("eventgate schema build fragment/common && sed -i s/1.10.0/1.9.0/ "
                       "jsonschema/fragment/common/current.yaml && eventgate schema build fragment/common"),
            0)
      << shell_.errors;
  EXPECT_EQ(shell_.run("eventgate schema new b"), 0) << shell_.errors;
  EXPECT_THAT(text("jsonschema/b/current.yaml"), HasSubstr("allOf:\n  - $ref: /fragment/common/1.10.0#\n"));
}

TEST_F(SchemaBuild, DiffSaysWhatChangedAndWhetherItMay) {
  ASSERT_EQ(shell_.run("eventgate schema build --all"), 0) << shell_.errors;
  write("jsonschema/common/current.yaml",
        current("common", "1.1.0", "properties: {dt: {type: integer}, more: {type: string}}\n"));
  ASSERT_EQ(shell_.run("eventgate schema build common"), 0) << shell_.errors;
  EXPECT_EQ(shell_.run("eventgate schema diff common"), 1);
  EXPECT_THAT(shell_.output,
              AllOf(HasSubstr("incompatible  /properties/dt/type: is \"integer\", it was \"string\"\n"),
                    HasSubstr("compatible    /properties/more: is new\n"), HasSubstr("1.0.0 to 1.1.0: ")));
  EXPECT_EQ(shell_.run("eventgate schema diff common 1.1.0 current ."), 0) << shell_.errors;
  EXPECT_EQ(shell_.output, "1.1.0 to current (1.1.0): compatible\n");
  EXPECT_EQ(shell_.run("eventgate schema diff none"), 1);
  EXPECT_EQ(shell_.run("eventgate schema diff common 1.0.0 1.1.0 . more"), 2);
}

TEST_F(SchemaBuild, ShowsWhatItWouldMake) {
  ASSERT_EQ(shell_.run("eventgate schema build common"), 0) << shell_.errors;
  EXPECT_EQ(shell_.run("eventgate schema show --merged --yaml /a/current"), 0) << shell_.errors;
  const std::string shown = shell_.output;
  EXPECT_EQ(shell_.run("eventgate schema show --merged --yaml - .",
                       current("a", "1.0.0", "allOf: [{$ref: /common/1.0.0}]\n")),
            0)
      << shell_.errors;
  EXPECT_EQ(shell_.output, shown);
  ASSERT_EQ(shell_.run("eventgate schema build a"), 0) << shell_.errors;
  EXPECT_EQ(shown, text("jsonschema/a/1.0.0.yaml"));
}

TEST_F(SchemaBuild, TestPrintsObjectsAndAnnotations) {
  ASSERT_EQ(shell_.run("eventgate schema build --all"), 0) << shell_.errors;
  write("jsonschema/common/1.1.0.yaml",
        current("common", "1.1.0", "properties:\n  dt: {type: string}\n  'a,b': {type: string}\n"));
  EXPECT_EQ(shell_.run("eventgate schema test . --json"), 1);
  std::vector<std::string> rules;
  for (const std::string& line : lines_in(shell_.output)) {
    const auto problem = nlohmann::json::parse(line);
    EXPECT_TRUE(problem.contains("file") && problem.contains("message") && problem.contains("pointer"));
    rules.push_back(problem["rule"]);
  }
  EXPECT_THAT(rules, testing::Contains("schema-snake-case-properties"));
  EXPECT_EQ(shell_.run("eventgate schema test . --github"), 1);
  EXPECT_THAT(shell_.output, HasSubstr("::error file=jsonschema/common/1.1.0.yaml,line=7::/properties/a,b: expected a "
                                       "field name in snake_case (schema-snake-case-properties)\n"));
  EXPECT_EQ(shell_.run("eventgate schema test . --github --json"), 2);
  EXPECT_THAT(shell_.errors, HasSubstr("Try: eventgate schema test --help\n"));
}

TEST_F(SchemaBuild, WarnsOfKeysThatNobodyKnows) {
  write(".jsonschema-tools.yaml", "schemaBasePath: jsonschema\ncontentType: [yaml]\n");
  EXPECT_EQ(shell_.run("eventgate schema build common"), 0);
  EXPECT_THAT(shell_.errors,
              HasSubstr("warning: .jsonschema-tools.yaml: unknown key 'contentType'; did you mean 'contentTypes'?"));
}

TEST_F(SchemaBuild, FindsTheConfigInAFolderAbove) {
  EXPECT_EQ(shell_.run("cd jsonschema/common && eventgate schema build current.yaml"), 0) << shell_.errors;
  EXPECT_TRUE(exists("jsonschema/common/1.0.0.yaml"));
  EXPECT_FALSE(exists("jsonschema/common/1.0.0.json"));
}

}  // namespace
}  // namespace eventgate
