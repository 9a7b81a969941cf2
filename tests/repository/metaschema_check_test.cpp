#include "eventgate/repository/metaschema_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "eventgate/fetch/object_reader.hpp"
#include "support/paths.hpp"

namespace eventgate {
namespace {

using nlohmann::ordered_json;

constexpr const char* kSecurely = " (json-schema-secure; allow_insecure_schemas lifts it)";

std::string check(std::string_view text, bool allow_insecure = false) {
  return check_schema(ordered_json::parse(text), allow_insecure).value_or("valid");
}

std::string nested(std::size_t levels) {
  std::string text;
  for (std::size_t i = 0; i < levels; ++i) text += R"({"not":)";
  return text + "{}" + std::string(levels, '}');
}

TEST(SchemaCheck, GoodSchemasOfEveryDraftPass) {
  EXPECT_EQ(check(R"({"type":"object","properties":{"a":{"type":["string","null"],"maxLength":3,"format":"date"}}})"),
            "valid");
  for (const char* uri : {"http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-04/schema",
                          "https://json-schema.org/draft-06/schema#", "http://json-schema.org/draft-06/schema",
                          "https://json-schema.org/draft-07/schema#", "http://json-schema.org/draft-07/schema"}) {
    EXPECT_EQ(check(R"({"$schema":")" + std::string(uri) + R"(","type":"object"})"), "valid") << uri;
  }
}

TEST(SchemaCheck, EachDraftHasItsOwnRules) {
  const std::string draft_04 = R"("$schema":"http://json-schema.org/draft-04/schema#")";
  const std::string draft_06 = R"("$schema":"http://json-schema.org/draft-06/schema#")";
  const std::string exclusive_flag = R"("minimum":3,"exclusiveMinimum":true)";
  EXPECT_EQ(check("{" + draft_04 + "," + exclusive_flag + "}"), "valid");
  EXPECT_EQ(check("{" + draft_06 + "," + exclusive_flag + "}"), "at #/exclusiveMinimum: expected a number");
  EXPECT_EQ(check("{" + exclusive_flag + "}"), "at #/exclusiveMinimum: expected a number");
  EXPECT_EQ(check("{" + draft_04 + R"(,"exclusiveMinimum":3})"), "at #/exclusiveMinimum: expected a boolean");
  EXPECT_EQ(check("{" + draft_04 + R"(,"exclusiveMinimum":true})"), "at #: expected minimum beside exclusiveMinimum");
  EXPECT_EQ(check("{" + draft_04 + R"(,"properties":{"a":true}})"), "at #/properties/a: expected an object of schemas");
  EXPECT_EQ(check("{" + draft_06 + R"(,"properties":{"a":true}})"), "valid");
  EXPECT_EQ(check("{" + draft_06 + R"(,"if":7})"), "valid");
  EXPECT_EQ(check(R"({"if":7})"), "at #/if: expected a schema");
}

TEST(SchemaCheck, OtherMetaschemasAreRefused) {
  EXPECT_EQ(check(R"({"$schema":"https://json-schema.org/draft/2019-09/schema"})"),
            "at #/$schema: expected http://json-schema.org/draft-04/schema#, .../draft-06/schema# or "
            ".../draft-07/schema#, found 'https://json-schema.org/draft/2019-09/schema'");
  EXPECT_THAT(check(R"({"$schema":7})"), testing::EndsWith("found no string"));
  EXPECT_THAT(check(R"({"$schema":")" + std::string(5000, 'a') + "\"}"), testing::SizeIs(testing::Lt(400U)));
}

TEST(SchemaCheck, AnInvalidSchemaSaysWhereAndWhatWasExpected) {
  EXPECT_EQ(check(R"({"properties":{"v":{"type":"strin"}}})"),
            "at #/properties/v/type: expected array, boolean, integer, null, number, object or string, or a non-empty "
            "array of different ones");
  EXPECT_EQ(check(R"({"properties":{"a/b~":{"maxLength":-1}}})"),
            "at #/properties/a~1b~0/maxLength: expected a non-negative integer");
  EXPECT_EQ(check(R"({"allOf":[{},{"multipleOf":0}]})"), "at #/allOf/1/multipleOf: expected a number greater than 0");
  EXPECT_EQ(check(R"({"items":[{},{"not":{"pattern":7}}]})"), "at #/items/1/not/pattern: expected a string");
  EXPECT_EQ(check(R"({"items":[]})"), "at #/items: expected a schema or a non-empty array of schemas");
  EXPECT_EQ(check(R"({"properties":[]})"), "at #/properties: expected an object of schemas");
  EXPECT_EQ(check(R"({"properties":{"a":3}})"), "at #/properties/a: expected an object of schemas");
  EXPECT_EQ(check(R"({"anyOf":[]})"), "at #/anyOf: expected a non-empty array of schemas");
  EXPECT_EQ(check(R"({"dependencies":{"a":3}})"),
            "at #/dependencies/a: expected an object of schemas and arrays of strings");
  EXPECT_EQ(check(R"({"required":"a"})"), "at #/required: expected an array of different strings");
  EXPECT_EQ(check(R"({"required":[7]})"), "at #/required/0: expected an array of different strings");
  EXPECT_EQ(check(R"({"enum":[]})"), "at #/enum: expected a non-empty array of different values");
  EXPECT_EQ(check(R"({"title":7})"), "at #/title: expected a string");
}

TEST(SchemaCheck, NumbersAreTakenByTheirValue) {
  EXPECT_EQ(check(R"({"maxLength":10.0,"minLength":18446744073709551615,"maximum":1e300,"minimum":-1e300})"), "valid");
  EXPECT_EQ(check(R"({"maxLength":10.5})"), "at #/maxLength: expected a non-negative integer");
  EXPECT_EQ(check(R"({"multipleOf":0.01})"), "valid");
  EXPECT_EQ(check(R"({"multipleOf":-1e300})"), "at #/multipleOf: expected a number greater than 0");
}

TEST(SchemaCheck, ItemsThatMustDifferDo) {
  EXPECT_EQ(check(R"({"properties":{"a":{"enum":[1,2,1.0]}}})"), "at #/properties/a/enum: expected each item once");
  EXPECT_EQ(check(R"({"allOf":[{"required":["a","a"]}]})"), "at #/allOf/0/required: expected each item once");
  EXPECT_EQ(check(R"({"dependencies":{"a":["b","b"]}})"), "at #/dependencies/a: expected each item once");
  EXPECT_EQ(check(R"({"properties":{"enum":{"default":[1,1]}},"examples":[1,1]})"), "valid");
}

TEST(SchemaCheck, InsecureSchemasSayWhatIsMissing) {
  EXPECT_EQ(check(R"({"properties":{"v":{"pattern":"^a"}}})"),
            "at #/properties/v: expected maxLength beside pattern" + std::string(kSecurely));
  EXPECT_EQ(check(R"({"allOf":[{"items":{"format":"date"}}]})"),
            "at #/allOf/0/items: expected maxLength beside format" + std::string(kSecurely));
  EXPECT_EQ(check(R"({"definitions":{"d":{"uniqueItems":true,"items":{"type":"object"}}}})"),
            "at #/definitions/d: expected maxItems beside uniqueItems of objects or arrays" + std::string(kSecurely));
  const std::string names = "at #: expected propertyNames with a maxLength beside patternProperties";
  EXPECT_EQ(check(R"({"patternProperties":{"a":{}}})"), names + kSecurely);
  EXPECT_EQ(check(R"({"patternProperties":{"a":{}},"propertyNames":{"minLength":1}})"), names + kSecurely);
  EXPECT_EQ(check(R"({"patternProperties":{"a":{}},"propertyNames":{"maxLength":9}})"), "valid");
  EXPECT_EQ(check(R"({"uniqueItems":true,"items":{"type":"string"}})"), "valid");
  EXPECT_EQ(check(R"({"properties":{"format":{"type":"string"},"pattern":{"maxLength":1}}})"), "valid");
}

TEST(SchemaCheck, InsecureSchemasAreAllowedOnDemand) {
  EXPECT_EQ(check(R"({"pattern":"^a"})", true), "valid");
  EXPECT_EQ(check(R"({"pattern":7})", true), "at #/pattern: expected a string");
}

TEST(SchemaCheck, HostileDocumentsAreJudgedInTime) {
  constexpr std::size_t kMegabyte = 1024 * 1024;
  const std::string long_text(kMegabyte, 'a');
  EXPECT_EQ(check(R"({"$id":")" + long_text + R"(","pattern":")" + long_text + R"(","maxLength":9})"), "valid");
  EXPECT_EQ(check(R"({"patternProperties":{")" + long_text + R"(":{}},"propertyNames":{"maxLength":9}})"), "valid");
  std::string names;
  std::string bad;
  for (int i = 0; i < 20'000; ++i) {
    names += "\"n" + std::to_string(i) + "\",";
    bad += "{\"maxLength\":-1},";
  }
  EXPECT_EQ(check(R"({"required":[)" + names + R"("end"],"enum":[)" + names + "7]}"), "valid");
  EXPECT_EQ(check(R"({"required":[)" + names + R"("n7"]})"), "at #/required: expected each item once");
  EXPECT_EQ(check(R"({"anyOf":[)" + bad + "{}]}"), "at #/anyOf/0/maxLength: expected a non-negative integer");
  EXPECT_EQ(check(nested(200)), "valid");
  EXPECT_EQ(check(nested(1000)), "expected at most 256 levels of objects and arrays");
}

TEST(SchemaCheck, EverySchemaOfWikimediasRepositoryPasses) {
  const std::filesystem::path root = shared_dir() + "/data/schema-repos/primary/jsonschema";
  if (!std::filesystem::exists(root)) GTEST_SKIP() << "no " << root;
  const auto reader = make_uri_reader({});
  int checked = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const std::filesystem::path path = entry.path();
    // `current.yaml` is what versions are made of, and need not be a schema itself.
    if (!entry.is_regular_file() || path.extension() != ".yaml" || path.filename() == "current.yaml") continue;
    const auto document = reader->read(path.string());
    ASSERT_TRUE(document) << path << ": " << document.error().message;
    EXPECT_EQ(check_schema(*document, false).value_or("valid"), "valid") << path;
    ++checked;
  }
  EXPECT_GT(checked, 130);
}

}  // namespace
}  // namespace eventgate
