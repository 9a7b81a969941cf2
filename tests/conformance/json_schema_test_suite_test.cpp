#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/paths.hpp"
#include "support/validated_event.hpp"

// The JSON-Schema-Test-Suite in two states.
//
// The state of 2018, as Debian packages it, without the filling in of defaults: every required test of drafts 04, 06
// and 07 passes. A table names the optional ones that do not, and why. The folder `additional` has, in the suite's
// form, what that state lacks.
//
// The state of 2026-08, with defaults: a table counts the verdicts that are not the suite's, and says why.

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
SchemaDocuments remotes(const std::filesystem::path& suite = kSuite) {
  SchemaDocuments documents;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(suite / "remotes"))
    if (entry.path().extension() == ".json")
      documents["http://localhost:1234/" + std::filesystem::relative(entry.path(), suite / "remotes").string()] =
          read(entry.path());
  return documents;
}

struct Result {
  int passed = 0;
  int all = 0;
  std::vector<std::string> failed;  ///< "file: group: test (what happened)"
};

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// With `complete`, defaults are filled in, as they are in the gate.
Result run(const std::string& draft, const std::filesystem::path& folder, const SchemaDocuments& documents,
           bool complete = false) {
  Result result;
  for (const auto& file : files_in(folder))
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
        } else if (validated(**schema, test["data"].dump(), complete).valid() != test["valid"].get<bool>()) {
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

/// A group of cases of the state of 2026-08 with another verdict than the suite's. AJV 6 (`useDefaults`, `format:
/// fast`) gives the same verdict in every one of them.
struct Difference {
  std::string_view start;  ///< Of "file: group: test", in any draft.
  int cases;               ///< Of all drafts.
  std::string_view reason;
};

constexpr std::string_view kFast = "AJV's regular expression of this format, in its fast mode, is laxer or another one";
constexpr std::string_view kUnknownFormat = "AJV does not know this format, so the schema is unusable";
constexpr std::string_view kUnicode =
    "AJV compiles patterns without the flag u, where \\p is the letter p and \\d an ASCII digit";

constexpr Difference kDifferencesOf2026[] = {
    {"content: ", 4, "contentMediaType and contentEncoding are annotations"},
    {"cross-draft: refs to future drafts", 2, "draft 2019-09 is not read, so the schema is unusable"},
    {"date-time: ", 18, kFast},
    {"date: ", 18, kFast},
    {"default: ", 9, "defaults are filled in, and judged like what was sent"},
    {"ecmascript-regex: \\a is not an ECMA 262 control escape", 1, kFast},
    {"ecmascript-regex: pattern with non-ASCII digits", 6, kUnicode},
    {"ecmascript-regex: patternProperties with non-ASCII digits", 6, kUnicode},
    {"ecmascript-regex: patterns always use unicode semantics", 18, kUnicode},
    {"email: ", 9, kFast},
    {"format: idn-email", 6, kUnknownFormat},
    {"format: idn-hostname", 6, kUnknownFormat},
    {"format: iri format", 6, kUnknownFormat},
    {"format: iri-reference", 6, kUnknownFormat},
    {"hostname: ", 26, kFast},
    {"idn-email: ", 18, kUnknownFormat},
    {"idn-hostname: ", 89, kUnknownFormat},
    {"ipv6: ", 9, kFast},
    {"iri-reference: ", 13, kUnknownFormat},
    {"iri: ", 24, kUnknownFormat},
    {"ref: $ref prevents a sibling", 6, "an id beside a $ref is the base of the reference"},
    {"ref: empty tokens in $ref json-pointer", 6, "a JSON pointer with an empty token makes the schema unusable"},
    {"time: ", 13, kFast},
    {"unknown: unknown format", 21, kUnknownFormat},
    {"unknownKeyword: $id inside an unknown keyword", 4, "an id counts under any keyword that could hold a schema"},
    {"uri-reference: ", 18, kFast},
    {"uri-template: ", 6, kFast},
    {"uri: ", 45, kFast},
    {"zeroTerminatedFloats: ", 1, "1.0 is an integer, as in later drafts"},
};

TEST(JsonSchemaTestSuite, VerdictsOfTheStateOf2026AreTheSuitesOrAjvs) {
  const std::filesystem::path suite = std::filesystem::path(shared_dir()) / "data/json-schema-test-suite";
  if (!std::filesystem::exists(suite)) GTEST_SKIP() << "the JSON-Schema-Test-Suite of 2026-08 is not there";
  const SchemaDocuments documents = remotes(suite);
  std::map<std::string_view, int> counts;
  int passed = 0, all = 0;
  for (const std::string draft : {"draft4", "draft6", "draft7"})
    for (const char* folder : {"", "optional", "optional/format"}) {
      const Result result = run("draft-0" + draft.substr(5), suite / "tests" / draft / folder, documents, true);
      passed += result.passed;
      all += result.all;
      for (const std::string& failed : result.failed) {
        const auto known = std::ranges::find_if(kDifferencesOf2026, [&](const Difference& one) {
          return std::string_view(failed).substr(failed.find('/') + 1).starts_with(one.start);
        });
        if (known == std::end(kDifferencesOf2026))
          ADD_FAILURE() << failed;
        else
          ++counts[known->start];
      }
    }
  std::cout << "state of 2026-08: " << passed << " of " << all << " verdicts are the suite's; others are AJV's:\n";
  EXPECT_EQ(all, 3928);
  for (const Difference& one : kDifferencesOf2026) {
    std::cout << "  " << one.start << " (" << one.cases << " cases): " << one.reason << "\n";
    EXPECT_EQ(counts[one.start], one.cases) << one.start;
  }
}

}  // namespace
}  // namespace eventgate
