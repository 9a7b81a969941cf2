// What a hint names: the property or the values that AJV's text leaves out.

#include <gtest/gtest.h>

#include <string>

#include "support/schema_results.hpp"
#include "support/validated_event.hpp"

namespace eventgate {
namespace {

/// The hints of all errors of `event`.
std::string hint_of(const std::string& schema, const std::string& event) {
  return errors_hint(validated(*compiled(schema), event).errors);
}

TEST(ErrorHint, NamesAnAdditionalPropertyAndTheOneThatWasMeant) {
  const std::string schema = R"({"properties": {"meta": {"additionalProperties": false,
      "properties": {"stream": {}, "id": {}, "dt": {}}}}})";
  EXPECT_EQ(hint_of(schema, R"({"meta": {"strem": 1}})"), "'.meta' has 'strem'; did you mean 'stream'?");
  EXPECT_EQ(hint_of(schema, R"({"meta": {"colour": 1}})"), "'.meta' has 'colour'; known are 'stream', 'id', 'dt'");
}

TEST(ErrorHint, ListsSomeOfManyKnownProperties) {
  std::string properties;
  for (int i = 0; i < 20; ++i)
    properties += (i == 0 ? "\"" : ",\"") + std::string("name") + std::to_string(i) + "\":{}";
  const std::string hint =
      hint_of(R"({"additionalProperties": false, "properties": {)" + properties + "}}", R"({"colour": 1})");
  EXPECT_TRUE(hint.starts_with("the event has 'colour'; known are 'name0', ")) << hint;
  EXPECT_TRUE(hint.ends_with("'name7' and 12 more")) << hint;
}

TEST(ErrorHint, KnowsTheEmptyObjectOfPhp) {
  const std::string schema = R"({"properties": {"a": {"type": "object"}, "b": {"type": "string"}}})";
  EXPECT_EQ(hint_of(schema, R"({"a": []})"), "'.a' is an empty list; PHP writes an empty object so");
  EXPECT_EQ(hint_of(schema, R"({"a": [1]})"), "");
  EXPECT_EQ(hint_of(schema, R"({"b": []})"), "");
}

TEST(ErrorHint, NamesAllowedValues) {
  EXPECT_EQ(hint_of(R"({"properties": {"a": {"enum": ["x", "y", 1]}}})", R"({"a": "z"})"),
            R"('.a' has to be one of ["x","y",1])");
  EXPECT_EQ(hint_of(R"({"properties": {"a": {"const": "x"}}})", R"({"a": "z"})"), R"('.a' has to be "x")");
}

TEST(ErrorHint, NamesTheSchemasOfOneOfThatMatch) {
  EXPECT_EQ(hint_of(R"({"oneOf": [{"type": "null"}, {"type": "string"}, {"maxLength": 3}]})", R"("x")"),
            "the event matches numbers 1 and 2, from 0 on");
}

TEST(ErrorHint, IsEmptyWhereTheTextNamesAll) {
  EXPECT_EQ(
      hint_of(R"({"type": "object", "required": ["a"], "properties": {"b": {"type": "string", "pattern": "^x"}}})",
              R"({"b": "y"})"),
      "");
}

TEST(ErrorHint, LongTextsAreCut) {
  const std::string name(1000, 'x');
  EXPECT_LT(hint_of(R"({"additionalProperties": false})", "{\"" + name + "\": 1}").size(), 200u);
  std::string values;
  for (int i = 0; i < 1000; ++i) values += (i == 0 ? "" : ",") + std::to_string(i);
  EXPECT_LT(hint_of(R"({"enum": [)" + values + "]}", "-1").size(), 400u);
}

TEST(ErrorHint, SearchesForNamesAreBounded) {
  const auto schema = compiled(R"({"additionalProperties": false, "properties": {"stream": {}}})");
  const std::string text = R"({"strem": 1})";
  const ParsedText parsed(text);
  Validation validation;
  validation.name_searches = 1;
  EXPECT_FALSE(schema->validate(parsed.value(), validation));
  EXPECT_EQ(errors_hint(validation.errors), "the event has 'strem'; did you mean 'stream'?");
  validation.clear();
  EXPECT_FALSE(schema->validate(parsed.value(), validation));
  EXPECT_EQ(errors_hint(validation.errors), "the event has 'strem'");
}

}  // namespace
}  // namespace eventgate
