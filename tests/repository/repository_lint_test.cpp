#include "eventgate/repository/repository_lint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "eventgate/fetch/authored_document.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A repository without a problem: the title `a` in two versions, of which `current` is the second.
class Repository {
 public:
  Repository() {
    write("a/1.0.0.yaml", version("1.0.0"));
    write("a/1.1.0.yaml", version("1.1.0", "new: {type: integer, minimum: 0, maximum: 9007199254740991}"));
    write("a/current.yaml", R"(
title: a
$id: /a/1.1.0
$schema: https://json-schema.org/draft-07/schema#
type: object
allOf:
  - $ref: /common/1.0.0
  - properties: {new: {type: integer, minimum: 0}}
examples: [{$schema: {$ref: '#/$id'}, x: y}]
)");
    link("a/1.1.0", "1.1.0.yaml");
    link("a/latest.yaml", "1.1.0.yaml");
    write("common/1.0.0.yaml", common());
    write("common/current.yaml", common());
    link("common/1.0.0", "1.0.0.yaml");
  }

  static std::string version(const std::string& number, const std::string& more = "") {
    return "title: a\n$id: /a/" + number +
           "\n$schema: https://json-schema.org/draft-07/schema#\ntype: object\nrequired: [$schema]\nproperties:\n"
           "  $schema: {type: string}\n  x: {type: string}\n" +
           (more.empty() ? "" : "  " + more + "\n") + "examples: [{$schema: /a/" + number + ", x: y}]\n";
  }
  static std::string common() {
    return "title: common\n$id: /common/1.0.0\n$schema: https://json-schema.org/draft-07/schema#\ntype: object\n"
           "required: [$schema]\nproperties: {$schema: {type: string}, x: {type: string}}\n";
  }

  void write(const std::string& name, const std::string& text) const { folder_.write(name, text); }
  void link(const std::string& name, const std::string& target) const {
    std::filesystem::create_symlink(target, folder_.path() + "/" + name);
  }
  void remove(const std::string& name) const { std::filesystem::remove(folder_.path() + "/" + name); }
  const std::string& path() const { return folder_.path(); }

  std::vector<std::string> problems(const std::string& below = "") const {
    const auto reader = make_author_reader();
    std::vector<std::string> texts;
    for (RepositoryProblem problem :
         repository_problems(find_jsonschema_tools_config(folder_.path() + below, *reader), *reader)) {
      problem.line = 0;
      problem.file.erase(0, problem.file.starts_with(folder_.path() + '/') ? folder_.path().size() + 1 : 0);
      texts.push_back(problem.text());
    }
    return texts;
  }

 private:
  TemporaryFolder folder_;
};

TEST(RepositoryCheck, FindsNothingInAGoodRepository) { EXPECT_THAT(Repository().problems(), IsEmpty()); }

TEST(RepositoryCheck, FindsVersionsThatCannotBeUsed) {
  const Repository repository;
  repository.write("b/1.0.0.yaml", "title: b\n$id: /b/1.0.0\ntype: nonsense\n");
  repository.write("b/1.1.0.yaml", "title: [b\n");
  repository.write("b/1.2.0.yaml", "title: b\n$id: /b/1.2.0\nproperties: {u: {type: string, format: uri}}\n");
  repository.write("b/1.3.0.yaml", "title: b\n$id: /b/1.3.0\n$ref: /none/1.0.0\n");
  repository.write("b/current.yaml", "title: b\n$id: /b/1.3.0\n");
  EXPECT_THAT(repository.problems(),
              ElementsAre(HasSubstr("b/1.0.0.yaml: /type: expected array, boolean"), HasSubstr("b/1.1.0.yaml: "),
                          HasSubstr("b/1.2.0.yaml: /properties/u: expected maxLength beside format"),
                          HasSubstr("b/1.3.0.yaml: /$ref: leads to '/none/1.0.0', which cannot be read")));
}

TEST(RepositoryCheck, FindsExamplesThatAreInvalid) {
  const Repository repository;
  repository.write("a/1.0.0.yaml", Repository::version("1.0.0") + "  - {$schema: /a/1.1.0}\n  - {x: 5}\n");
  std::string text = Repository::version("1.0.0");
  text.erase(text.rfind("examples:"));
  repository.write("a/1.0.0.yaml", text + "examples: [{$schema: /a/1.0.0}, {$schema: /a/1.1.0}, {x: 5}, 3]\n");
  EXPECT_THAT(
      repository.problems(),
      ElementsAre("a/1.0.0.yaml: /examples/1: expected its $schema to be /a/1.0.0",
                  "a/1.0.0.yaml: /examples/2: expected its $schema to be /a/1.0.0",
                  "a/1.0.0.yaml: /examples/2: '' should have required property '$schema', '.x' should be string",
                  "a/1.0.0.yaml: /examples/3: expected its $schema to be /a/1.0.0",
                  "a/1.0.0.yaml: /examples/3: '' should be object"));
}

TEST(RepositoryCheck, FindsVersionsThatDoMoreThanAddOptionalFields) {
  const Repository repository;
  repository.write("a/1.0.0.yaml", Repository::version("1.0.0", "old: {type: string}"));
  repository.write("a/0.1.0.yaml", Repository::version("0.1.0", "older: {type: string}"));  // another major
  EXPECT_THAT(repository.problems(),
              ElementsAre("a/1.1.0.yaml: /properties/old: is gone; expected only optional fields added to 1.0.0"));
}

TEST(RepositoryCheck, FindsACurrentThatIsNotItsNewestVersion) {
  const Repository repository;
  repository.write("a/1.1.0.yaml", Repository::version("1.1.0", "new: {type: integer, minimum: 1, maximum: 5}"));
  EXPECT_THAT(repository.problems(),
              ElementsAre("a/current.yaml: made a version, expected it to equal 1.1.0, but it has 0 at "
                          "/properties/new/minimum, expected 1"));
  repository.write("a/1.2.0.yaml", Repository::version("1.2.0", "new: {type: integer, minimum: 1, maximum: 5}"));
  repository.remove("a/latest.yaml");
  EXPECT_THAT(
      repository.problems(),
      ElementsAre(
          "a/current.yaml: /$id: is version 1.1.0, expected that version to be made of it; the newest is 1.2.0"));
}

TEST(RepositoryCheck, FindsACurrentWithoutAVersionAndAVersionWithoutACurrent) {
  const Repository repository;
  repository.write("b/current.yaml", "title: b\n$id: /b/1.0.0\n");
  repository.remove("common/current.yaml");
  EXPECT_THAT(repository.problems(), ElementsAre("b/current.yaml: expected a version made of it beside it",
                                                 "common: expected current.yaml, of which its versions are made"));
}

TEST(RepositoryCheck, FindsLinksThatLeadElsewhere) {
  const Repository repository;
  repository.remove("a/latest.yaml");
  repository.write("a/latest.yaml", "1.0.0.yaml");  // as Git checks a link out where there are none
  repository.remove("a/1.1.0");
  repository.link("a/1.1.0", "1.0.0.yaml");
  EXPECT_THAT(repository.problems(),
              ElementsAre(HasSubstr("a/1.1.0: /$id: expected the same as in 1.1.0.yaml, but it has "),
                          HasSubstr("a/latest.yaml: /$id: expected the same as in 1.1.0.yaml")));
}

TEST(RepositoryCheck, FindsIdsAndTitlesThatAreNotWhereTheySay) {
  const Repository repository;
  std::string text = Repository::common();
  text.replace(text.find("title: common"), 13, "title: c");
  text.replace(text.find("/common/1.0.0"), 13, "/c/1.0.0");
  repository.write("common/1.0.0.yaml", text);
  repository.write("common/current.yaml", text);
  EXPECT_THAT(repository.problems(),
              ElementsAre("common/1.0.0.yaml: /$id: expected the $id /common/1.0.0, found '/c/1.0.0'",
                          "common/1.0.0.yaml: /title: expected the title common, found 'c'",
                          "common/current.yaml: /$id: no version can be made of it: expected "
                          "the $id /common/1.0.0, as its folder says, found '/c/1.0.0'"));
}

TEST(RepositoryCheck, WantsSnakeCaseWhereTheRepositoryAsks) {
  const Repository repository;
  const std::string camel =
      "title: common\n$id: /common/1.0.0\ntype: object\nrequired: [$schema]\n"
      "properties: {$schema: {type: string}, x: {type: string}, "
      "aB: {properties: {'c-d': {type: string}}}}\n";
  repository.write("common/1.0.0.yaml", camel);
  repository.write("common/current.yaml", camel);
  repository.remove("a/current.yaml");
  EXPECT_THAT(repository.problems(), ElementsAre("a: expected current.yaml, of which its versions are made"));
  const std::string config = "contentTypes: [yaml]\nshouldSymlinkLatest: false\nignoreSchemas: [^/a/]\n";
  repository.write(".jsonschema-tools.yaml", config);
  EXPECT_THAT(repository.problems(),
              ElementsAre("a: expected current.yaml, of which its versions are made",
                          "common/1.0.0.yaml: /properties/aB: expected a field name in snake_case",
                          "common/1.0.0.yaml: /properties/aB/properties/c-d: expected a field name in snake_case",
                          "common/1.0.0.yaml: /properties/aB: expected a type"));
  repository.write(
      ".jsonschema-tools.yaml",
      config + "skipSchemaTestCases: {/common/: [schema-snake-case-properties, schema-deterministic-types]}\n");
  EXPECT_THAT(repository.problems(), ElementsAre("a: expected current.yaml, of which its versions are made"));
}

TEST(RepositoryCheck, WantsTheFilesAndLinksOfEachVersionWhereTheRepositoryAsks) {
  const Repository repository;
  repository.write(".jsonschema-tools.yaml", "contentTypes: [yaml]\n");
  repository.link("common/latest.yaml", "1.0.0.yaml");
  repository.link("common/latest", "1.0.0.yaml");
  repository.link("a/latest", "1.0.0.yaml");
  repository.write("a/1.0.0", Repository::version("1.0.0"));
  repository.link("a/current", "current.yaml");
  EXPECT_THAT(repository.problems(), ElementsAre(HasSubstr("a/latest: /$id: expected the same as in 1.1.0.yaml"),
                                                 "a/1.0.0: expected a link to 1.0.0.yaml, found a file",
                                                 "a/latest: expected a link to 1.1.0.yaml, found one to 1.0.0.yaml",
                                                 "a/current: expected no current beside current.yaml"));
  repository.remove("a/1.0.0");
  repository.remove("a/latest");
  repository.remove("a/current");
  EXPECT_THAT(repository.problems(),
              ElementsAre("a: expected the link 1.0.0 to 1.0.0.yaml", "a: expected the link latest to 1.1.0.yaml"));
  repository.write("a/1.0.0", "1.0.0.yaml");  // as Git checks a link out where there are none
  repository.link("a/latest", "1.1.0.yaml");
  EXPECT_THAT(repository.problems(), IsEmpty());
}

TEST(RepositoryCheck, SaysTheLineTheRuleAndThePointer) {
  const Repository repository;
  repository.write("a/1.0.0.yaml", Repository::version("1.0.0", "old: {type: string}"));
  const auto reader = make_author_reader();
  const auto found = repository_problems(find_jsonschema_tools_config(repository.path(), *reader), *reader);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].file, repository.path() + "/a/1.1.0.yaml");
  EXPECT_EQ(found[0].line, 6U);  // of what is around the field that is gone
  EXPECT_EQ(found[0].rule, "schema-version-compatibility");
  EXPECT_EQ(found[0].pointer, "/properties/old");
}

TEST(RepositoryCheck, FindsTheSchemasOfARepositoryWhereItSays) {
  const Repository repository;
  const std::string schemas = repository.path() + "/sub/schemas";
  std::filesystem::create_directories(schemas);
  std::filesystem::rename(repository.path() + "/common", schemas + "/common");
  repository.write("sub/.jsonschema-tools.yaml",
                   "schemaBasePath: ./schemas\nenforcedNumericBounds: [0, 9]\ncontentTypes: [yaml]\n"
                   "shouldSymlinkLatest: false\n");
  EXPECT_THAT(repository.problems("/sub"), IsEmpty());
  EXPECT_THAT(repository.problems("/sub/schemas"), IsEmpty());
}

TEST(RepositoryCheck, SaysWhatItExpectedOfTheRepository) {
  const Repository repository;
  const auto refusal = [&](const std::string& config) -> std::string {
    repository.write(".jsonschema-tools.yaml", config);
    try {
      repository.problems();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "taken";
  };
  const std::string file = repository.path() + "/.jsonschema-tools.yaml: ";
  EXPECT_EQ(refusal("contentTypes: yaml\n"), file + "contentTypes: expected a list of texts");
  EXPECT_EQ(refusal("contentTypes: [xml]\n"), file + "contentTypes: expected yaml or json, found 'xml'");
  EXPECT_EQ(refusal("schemaBasePath: /no/such\n"),
            ".jsonschema-tools.yaml: schemaBasePath: '/no/such': expected a directory");
  EXPECT_THAT(refusal("ignoreSchemas: ['(']\n"), HasSubstr("ignoreSchemas: '(': expected a regular expression"));
  EXPECT_EQ(refusal("enforcedNumericBounds: [1]\n"), file + "enforcedNumericBounds: expected two numbers, or false");
  EXPECT_THAT(refusal("[1"), HasSubstr(".jsonschema-tools.yaml: "));
  EXPECT_THROW(repository.problems("/none"), std::runtime_error);
  const TemporaryFolder empty;
  const auto reader = make_author_reader();
  const auto found = repository_problems(find_jsonschema_tools_config(empty.path(), *reader), *reader);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].text(), empty.path() + ": expected schemas below it, such as TITLE/1.0.0.yaml");
}

}  // namespace
}  // namespace eventgate
