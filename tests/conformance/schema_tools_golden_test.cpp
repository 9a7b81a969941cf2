#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/paths.hpp"
#include "support/shell.hpp"
#include "support/temporary_folder.hpp"

// What jsonschema-tools 1.3.0 did with 104 commands and 58 repositories: the same files and links, byte for byte, the
// same standard output, success or failure, and what git has staged. What differs on purpose is listed with its reason.

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::string kRecordings = shared_dir() + "/golden/schema-tools.jsonl";

/// Why a command comes out otherwise.
const std::map<std::string, std::string> kOtherwise = {
    {"option-short-L-S", "the short options do what the long ones do"},
    {"option-content-types-before-path", "a list takes no path"},
    {"overwrites-an-existing-version", "1: a published version is not written over"},
    {"modified-without-version-bump", "1: a published version is not written over"},
    {"allOf-boolean-false", "a version is an object"},
    {"all-base-path", "the folder is taken"},
    {"all-one-broken", "3: all files of a run or none"},
    {"ref-circular", "a circle is an error that says where"},
    {"ref-relative", "a relative URI begins at the document"},
    {"id-short-version", "5: a version is not guessed"},
    {"id-with-v-and-suffix", "5: a version is not guessed"},
    {"id-version-elsewhere", "5: $id is folder and version"},
    {"unknown-command", "an unknown command is an error"},
    {"no-command", "an unknown command is an error"},
    {"yaml-numbers", "7: an integer keeps its digits"},
    {"example-empty-list", "the words of an example are ours"},
    {"example-with-common", "the words of an example are ours"},
    {"modified-untracked", "2: new files are seen"},
    {"modified-staged-not-asked", "2: staged files are seen"},
    {"all", "1: a published version is not written over"},
};

/// Verdicts that are otherwise.
const std::map<std::string, std::string> kOtherVerdicts = {
    {"tests-enum-added", "11: events that were valid become invalid"},
    {"tests-maxLength-shrunk", "11: events that were valid become invalid"},
    {"tests-maxLength-added", "11: events that were valid become invalid"},
    {"tests-additionalProperties-false-added", "11: events that were valid become invalid"},
    {"tests-lookahead-pattern", "12: RE2 cannot take the pattern"},
};

std::vector<json> recordings(const std::string& kind) {
  std::vector<json> all;
  std::ifstream in(kRecordings);
  for (std::string line; std::getline(in, line);)
    if (json one = json::parse(line); one["kind"] == kind) all.push_back(std::move(one));
  return all;
}

void write_tree(const TemporaryFolder& folder, const json& files) {
  for (const auto& [name, entry] : files.items()) {
    const fs::path path = fs::path(folder.path()) / name;
    fs::create_directories(path.parent_path());
    fs::remove(path);
    if (entry.is_string())
      folder.write(name, entry.get<std::string>());
    else
      fs::create_symlink(entry["link"].get<std::string>(), path);
  }
}

json read_tree(const fs::path& root) {
  json files = json::object();
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator(); ++it) {
    const std::string name = it->path().lexically_relative(root).string();
    if (it->is_symlink())
      files[name] = {{"link", fs::read_symlink(it->path()).string()}};
    else if (it->is_regular_file())
      files[name] = file_content(it->path());
    else if (name == ".git")
      it.disable_recursion_pending();
  }
  return files;
}

/// Whether the files are the same up to their examples, which come last.
bool examples_differ_only(json written, json expected) {
  for (json* const files : {&written, &expected})
    for (json& entry : *files)
      if (entry.is_string()) entry = entry.get<std::string>().substr(0, entry.get<std::string>().find("\nexamples:"));
  return written == expected;
}

/// What differs from a recorded command; empty if nothing does.
std::string difference_of(const json& recorded) {
  const TemporaryFolder folder;
  Shell shell(folder.path());
  if (recorded.contains("git")) {
    // The first commit has the files but those that were modified later, which said something else or were not there.
    json first = recorded["input"];
    for (const auto& file : recorded["git"]["modified"]) {
      if (recorded["name"] == "modified-untracked")
        first.erase(file.get<std::string>());
      else
        first[file.get<std::string>()] = "title: before\n";
    }
    write_tree(folder, first);
    EXPECT_EQ(shell.run("git init -q . && git add -A && git commit -qm first"), 0) << shell.errors;
    write_tree(folder, recorded["input"]);
    for (const auto& file : recorded["git"]["staged"])
      EXPECT_EQ(shell.run("git add " + file.get<std::string>()), 0) << shell.errors;
  } else {
    write_tree(folder, recorded["input"]);
  }
  const json before = read_tree(folder.path());
  const int status = shell.run(recorded["command"], recorded.value("stdin", ""));
  const std::string output = shell.output;
  const std::string errors = shell.errors;
  json written = json::object();
  const json after = read_tree(folder.path());
  for (const auto& [name, entry] : after.items())
    if (!before.contains(name) || before[name] != entry) written[name] = entry;

  if ((status == 0) != (recorded["exit"] == 0)) return "exit status " + std::to_string(status) + ": " + errors;
  if (written != recorded["output"] && examples_differ_only(written, recorded["output"])) return "examples";
  if (written != recorded["output"]) return "files: " + json::diff(recorded["output"], written).dump().substr(0, 2000);
  if (status == 0 && recorded.contains("stdout") && recorded["stdout"] != output) return "standard output: " + output;
  if (recorded.contains("git_status_after")) {
    shell.run("git status --short");
    if (json(lines_in(shell.output)) != recorded["git_status_after"]) return "git: " + shell.output;
  }
  return {};
}

class SchemaToolsGolden : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kRecordings)) GTEST_SKIP() << "the recordings of jsonschema-tools are not here: " << kRecordings;
  }
};

TEST_F(SchemaToolsGolden, CommandsDoTheSame) {
  std::size_t same = 0;
  std::size_t otherwise = 0;
  for (const json& recorded : recordings("command")) {
    const std::string name = recorded["name"];
    const std::string differs = difference_of(recorded);
    const auto reason = kOtherwise.find(name);
    if (differs.empty()) {
      ++same;
    } else if (reason != kOtherwise.end() && (!name.starts_with("example-") || differs == "examples")) {
      ++otherwise;
      std::cout << "otherwise: " << name << ": " << reason->second << '\n';
    } else {
      ADD_FAILURE() << name << ": " << differs;
    }
  }
  std::cout << same << " commands do the same, " << otherwise << " otherwise on purpose\n";
  EXPECT_GT(same, 0U);
}

TEST_F(SchemaToolsGolden, RepositoriesGetTheSameVerdict) {
  const json good = recordings("repository").at(0)["files"];
  std::size_t same = 0;
  std::size_t otherwise = 0;
  for (const json& recorded : recordings("tests")) {
    const std::string name = recorded["name"];
    json files = good;
    files.update(recorded["changed"]);
    for (const auto& file : recorded["removed"]) files.erase(file.get<std::string>());
    const TemporaryFolder folder;
    write_tree(folder, files);
    Shell shell(folder.path());
    const bool passes = shell.run("jsonschema-tools test .") == 0;
    const bool passed = recorded["tests"].is_array() && recorded["tests"][2] == 0;
    const auto reason = kOtherVerdicts.find(name);
    if (passes == passed) {
      ++same;
    } else if (reason != kOtherVerdicts.end()) {
      ++otherwise;
      std::cout << "otherwise: " << name << ": " << reason->second << '\n';
    } else {
      ADD_FAILURE() << name << ": expected it to " << (passed ? "pass" : "fail") << ": " << shell.output
                    << shell.errors;
    }
  }
  std::cout << same << " verdicts are the same, " << otherwise << " otherwise on purpose\n";
  EXPECT_GT(same, 0U);
}

/// Wikimedia's primary repository, with its links.
class PrimaryMadeAnew : public testing::Test {
 protected:
  void SetUp() override {
    const std::string archive = shared_dir() + "/data/schema-repos/primary.tar.gz";
    if (!fs::exists(archive)) GTEST_SKIP() << "Wikimedia's primary repository is not here: " << archive;
    ASSERT_EQ(shell_.run("tar xzf " + archive), 0) << shell_.errors;
  }

  TemporaryFolder folder_;
  Shell shell_{folder_.path()};
};

TEST_F(PrimaryMadeAnew, EveryVersionIsTheSame) {
  EXPECT_EQ(shell_.run("jsonschema-tools build --all --check"), 0) << shell_.output;
  EXPECT_EQ(shell_.output, "");
}

TEST_F(PrimaryMadeAnew, HasTwoProblems) {
  EXPECT_EQ(shell_.run("jsonschema-tools test ."), 1);
  EXPECT_THAT(lines_in(shell_.output),
              testing::ElementsAre(testing::HasSubstr("webrequest/1.0.0.yaml:3: /$id: expected the $id"),
                                   testing::HasSubstr("common/1.1.0.yaml:6: /additionalProperties: is new: false")));
}

}  // namespace
}  // namespace eventgate
