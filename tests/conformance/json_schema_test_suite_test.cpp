#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "support/paths.hpp"
#include "support/validated_event.hpp"

// JSON-Schema-Test-Suite, as Debian packages it (a state of 2018), without the filling in of defaults: every required
// test of drafts 04, 06 and 07 passes. Of the optional ones the table below names those that do not, and why. The
// folder `additional` has, in the suite's form, what that state lacks.

namespace eventgate {
namespace {

using nlohmann::ordered_json;

const std::filesystem::path kSuite = "/usr/share/json-schema-test-suite";

/// What is judged otherwise on purpose: the start of "draft/file: group: test", and the reason.
const std::map<std::string, std::string> kDifferences = {
    {"draft-04/zeroTerminatedFloats", "1.0 is an integer, as in AJV and in later drafts"},
    {"draft-07/content", "contentMediaType and contentEncoding are annotations, as in AJV"},
    {"draft-07/ref: $ref beside $id", "an $id beside a $ref is the base of the reference, as in AJV"},
    {"draft-07/idn-email", "a format that AJV does not know"},
    {"draft-07/idn-hostname", "a format that AJV does not know"},
    {"draft-07/iri", "a format that AJV does not know"},
};

ordered_json read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return ordered_json::parse(file);
}

/// The documents of `remotes`, named as the suite names them.
SchemaDocuments remotes() {
  SchemaDocuments documents;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kSuite / "remotes"))
    if (entry.is_regular_file())
      documents["http://localhost:1234/" + std::filesystem::relative(entry.path(), kSuite / "remotes").string()] =
          read(entry.path());
  return documents;
}

struct Result {
  int passed = 0;
  int all = 0;
  std::vector<std::string> failed;  ///< "file: group: test (what happened)"
};

Result run(const std::string& draft, const std::filesystem::path& folder, const SchemaDocuments& documents) {
  Result result;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files)
    for (const ordered_json& group : read(file)) {
      ordered_json document = group["schema"];
      // AJV takes the draft from its options; here the document says it.
      if (document.is_object() && !document.contains("$schema"))
        document["$schema"] = "http://json-schema.org/" + draft + "/schema#";
      const auto schema = compile_schema("/suite/" + file.stem().string(), document, reader_of(documents));
      for (const ordered_json& test : group["tests"]) {
        const std::string name = draft + "/" + file.stem().string() + ": " + group["description"].get<std::string>() +
                                 ": " + test["description"].get<std::string>();
        ++result.all;
        if (!schema) {
          result.failed.push_back(name + " (" + schema.error() + ")");
        } else if (validated(**schema, test["data"].dump(), false).valid() != test["valid"].get<bool>()) {
          result.failed.push_back(name + " (" + (test["valid"].get<bool>() ? "refused" : "accepted") + ")");
        } else {
          ++result.passed;
        }
      }
    }
  return result;
}

TEST(JsonSchemaTestSuite, EveryRequiredTestPasses) {
  if (!std::filesystem::exists(kSuite)) GTEST_SKIP() << "the package json-schema-test-suite is not installed";
  const SchemaDocuments documents = remotes();
  for (const std::string draft : {"draft4", "draft6", "draft7"}) {
    const Result result = run("draft-0" + draft.substr(5), kSuite / "tests" / draft, documents);
    std::cout << draft << ": " << result.passed << " of " << result.all << " required tests pass" << std::endl;
    for (const std::string& failed : result.failed) ADD_FAILURE() << failed;
    EXPECT_GT(result.all, 100);
  }
}

/// Whether all of `failed` are in the table, with whose reasons it prints them.
void expect_known(const std::vector<std::string>& failed) {
  for (const std::string& one : failed) {
    const auto known = std::find_if(kDifferences.begin(), kDifferences.end(),
                                    [&](const auto& difference) { return one.starts_with(difference.first); });
    if (known == kDifferences.end())
      ADD_FAILURE() << one;
    else
      std::cout << "  " << one.substr(0, one.rfind(" (")) << ": " << known->second << "\n";
  }
}

TEST(JsonSchemaTestSuite, OptionalTestsPassButForThoseWithAReason) {
  if (!std::filesystem::exists(kSuite)) GTEST_SKIP() << "the package json-schema-test-suite is not installed";
  const SchemaDocuments documents = remotes();
  for (const std::string draft : {"draft4", "draft6", "draft7"}) {
    for (const auto& folder :
         {kSuite / "tests" / draft / "optional", kSuite / "tests" / draft / "optional" / "format"}) {
      if (!std::filesystem::exists(folder)) continue;
      const Result result = run("draft-0" + draft.substr(5), folder, documents);
      std::cout << draft << ", optional: " << result.passed << " of " << result.all << " pass" << std::endl;
      expect_known(result.failed);
    }
  }
}

TEST(JsonSchemaTestSuite, WhatThatStateLacksPassesToo) {
  const Result result = run("draft-07", std::filesystem::path(source_dir()) / "tests/conformance/additional", {});
  std::cout << "additional cases: " << result.passed << " of " << result.all << " pass" << std::endl;
  expect_known(result.failed);
  EXPECT_GT(result.passed, 80);
}

}  // namespace
}  // namespace eventgate
