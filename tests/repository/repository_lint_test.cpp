#include "eventgate/repository/repository_lint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "eventgate/fetch/object_reader.hpp"
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
    return repository_problems(folder_.path() + below, *make_uri_reader({}));
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
              ElementsAre(HasSubstr("b/1.0.0.yaml: at #/type: expected array, boolean"), HasSubstr("b/1.1.0.yaml: "),
                          HasSubstr("b/1.2.0.yaml: at #/properties/u: expected maxLength beside format"),
                          HasSubstr("b/1.3.0.yaml: #/$ref leads to '/none/1.0.0', which cannot be read")));
}

TEST(RepositoryCheck, FindsExamplesThatAreInvalid) {
  const Repository repository;
  repository.write("a/1.0.0.yaml", Repository::version("1.0.0") + "  - {$schema: /a/1.1.0}\n  - {x: 5}\n");
  std::string text = Repository::version("1.0.0");
  text.erase(text.rfind("examples:"));
  repository.write("a/1.0.0.yaml", text + "examples: [{$schema: /a/1.0.0}, {$schema: /a/1.1.0}, {x: 5}, 3]\n");
  EXPECT_THAT(repository.problems(),
              ElementsAre("a/1.0.0.yaml: example 1: expected its $schema to be /a/1.0.0",
                          "a/1.0.0.yaml: example 2: expected its $schema to be /a/1.0.0",
                          "a/1.0.0.yaml: example 2: '' should have required property '$schema', '.x' should be string",
                          "a/1.0.0.yaml: example 3: expected its $schema to be /a/1.0.0",
                          "a/1.0.0.yaml: example 3: '' should be object"));
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
      ElementsAre("a/current.yaml: is version 1.1.0, expected that version to be made of it; the newest is 1.2.0"));
}

TEST(RepositoryCheck, FindsACurrentWithoutAVersionAndAVersionWithoutACurrent) {
  const Repository repository;
  repository.write("b/current.yaml", "title: b\n$id: /b/1.0.0\n");
  repository.remove("common/current.yaml");
  EXPECT_THAT(repository.problems(), ElementsAre("b/current.yaml: expected a version made of it beside it",
                                                 "common: expected current, of which its versions are made"));
}

TEST(RepositoryCheck, FindsLinksThatLeadElsewhere) {
  const Repository repository;
  repository.remove("a/latest.yaml");
  repository.write("a/latest.yaml", "1.0.0.yaml");  // as Git checks a link out where there are none
  repository.remove("a/1.1.0");
  repository.link("a/1.1.0", "1.0.0.yaml");
  EXPECT_THAT(repository.problems(), ElementsAre(HasSubstr("a/1.1.0: expected the same as in 1.1.0.yaml, but it has "),
                                                 HasSubstr("a/latest.yaml: expected the same as in 1.1.0.yaml")));
}

TEST(RepositoryCheck, FindsIdsAndTitlesThatAreNotWhereTheySay) {
  const Repository repository;
  std::string text = Repository::common();
  text.replace(text.find("title: common"), 13, "title: c");
  text.replace(text.find("/common/1.0.0"), 13, "/c/1.0.0");
  repository.write("common/1.0.0.yaml", text);
  repository.write("common/current.yaml", text);
  EXPECT_THAT(repository.problems(), ElementsAre("common/1.0.0.yaml: expected the $id /common/1.0.0, found '/c/1.0.0'",
                                                 "common/1.0.0.yaml: expected the title common, found 'c'"));
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
  EXPECT_THAT(repository.problems(), ElementsAre("a: expected current, of which its versions are made"));
  repository.write(".jsonschema-tools.yaml", "contentTypes: [yaml]\nignoreSchemas: [^/a/]\n");
  EXPECT_THAT(repository.problems(),
              ElementsAre("a: expected current, of which its versions are made",
                          "common/1.0.0.yaml: /properties/aB: expected a field name in snake_case",
                          "common/1.0.0.yaml: /properties/aB/properties/c-d: expected a field name in snake_case"));
  repository.write(".jsonschema-tools.yaml", "skipSchemaTestCases: {/common/: [schema-snake-case-properties]}\n");
  EXPECT_THAT(repository.problems(), ElementsAre("a: expected current, of which its versions are made"));
}

TEST(RepositoryCheck, FindsTheSchemasOfARepositoryWhereItSays) {
  const Repository repository;
  const std::string schemas = repository.path() + "/sub/schemas";
  std::filesystem::create_directories(schemas);
  std::filesystem::rename(repository.path() + "/common", schemas + "/common");
  repository.write("sub/.jsonschema-tools.yaml", "schemaBasePath: ./schemas\nenforcedNumericBounds: [0, 9]\n");
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
  EXPECT_EQ(refusal("contentTypes: yaml\n"), ".jsonschema-tools.yaml: contentTypes: expected a list of texts");
  EXPECT_EQ(refusal("schemaBasePath: /no/such\n"),
            ".jsonschema-tools.yaml: schemaBasePath: '/no/such': expected a directory");
  EXPECT_THAT(refusal("ignoreSchemas: ['(']\n"), HasSubstr("ignoreSchemas: '(': expected a regular expression"));
  EXPECT_EQ(refusal("enforcedNumericBounds: [1]\n"),
            ".jsonschema-tools.yaml: enforcedNumericBounds: expected two numbers");
  EXPECT_THAT(refusal("[1"), HasSubstr(".jsonschema-tools.yaml: "));
  EXPECT_THROW(repository.problems("/none"), std::runtime_error);
  const TemporaryFolder empty;
  EXPECT_THAT(repository_problems(empty.path(), *make_uri_reader({})),
              ElementsAre(empty.path() + ": expected schemas below it, such as TITLE/1.0.0.yaml"));
}

}  // namespace
}  // namespace eventgate
