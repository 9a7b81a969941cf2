#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "eventgate/fetch/authored_document.hpp"
#include "eventgate/repository/repository_lint.hpp"
#include "support/paths.hpp"
#include "support/temporary_folder.hpp"

// What `eventgate schema test` finds in Wikimedia's primary schema repository. jsonschema-tools 1.3 finds the four of
// `is gone` and `is optional` too; a `$id` it takes if the path ends in it, and constraints it lets come and go.

namespace eventgate {
namespace {

using testing::ElementsAre;

const std::string kPrimary = shared_dir() + "/data/schema-repos/primary";

std::vector<std::string> problems(const std::string& directory) {
  const auto reader = make_author_reader();
  std::vector<std::string> found;
  for (RepositoryProblem problem : repository_problems(find_jsonschema_tools_config(directory, *reader), *reader)) {
    problem.line = 0;
    problem.file.erase(0, problem.file.find("/jsonschema/") + 12);
    found.push_back(problem.text());
    std::cout << found.back() << '\n';
  }
  return found;
}

class PrimarySchemas : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kPrimary)) GTEST_SKIP() << "Wikimedia's primary repository is not here: " << kPrimary;
  }
};

TEST_F(PrimarySchemas, PassButForTheseProblems) {
  EXPECT_THAT(
      problems(kPrimary),
      ElementsAre(
          "development/webrequest/1.0.0.yaml: /$id: expected the $id /development/webrequest/1.0.0, found "
          "'/webrequest/1.0.0'",
          "fragment/common/1.1.0.yaml: /additionalProperties: is new: false; expected only optional fields added to "
          "1.0.0",
          "fragment/http/1.2.0.yaml: /properties/http/properties/client_ip: is gone; expected only optional fields "
          "added "
          "to 1.1.0",
          "fragment/mediawiki/state/change/page/1.2.0.yaml: /required: \"performer\" is optional, it was required; "
          "expected only optional fields added to 1.1.0",
          "mediawiki/client/error/1.1.0.yaml: /properties/http/properties/client_ip: is gone; expected only optional "
          "fields added to 1.0.0",
          "mediawiki/page/change/1.2.0.yaml: /required: \"performer\" is optional, it was required; expected only "
          "optional "
          "fields added to 1.1.0"));
}

TEST_F(PrimarySchemas, PassInSnakeCaseWithTheirExceptionsNamed) {
  const TemporaryFolder folder;
  folder.write(".jsonschema-tools.yaml", "schemaBasePath: " + kPrimary + R"(/jsonschema
contentTypes: [yaml]
ignoreSchemas: [^/webrequest/]
skipSchemaTestCases:
  ^/fragment/(common/1\.1|http/1\.2|mediawiki/state/change/page/1\.2)\.0$: [schema-version-compatibility]
  ^/mediawiki/(client/error/1\.1|page/change/1\.2)\.0$: [schema-version-compatibility]
  ^/(change-prop/(continue|retry)|mediawiki/(job|page/properties-change|recentchange))/: [schema-deterministic-types]
)");
  EXPECT_THAT(problems(folder.path()), ElementsAre());
}

}  // namespace
}  // namespace eventgate
