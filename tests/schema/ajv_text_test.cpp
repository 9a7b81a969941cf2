#include <gtest/gtest.h>

#include "support/validated_event.hpp"

// Texts as JavaScript writes them, through the errors they are in.

namespace eventgate {
namespace {

ValidationError only_error(const std::string& schema, const std::string& event) {
  const auto errors = validated(*compiled(schema), event).errors;
  if (errors.size() != 1) throw std::logic_error(errors_json(errors).dump());
  return errors[0];
}

TEST(JsText, Numbers_AreWrittenAsByJavaScript) {
  const std::pair<const char*, const char*> numbers[] = {
      {"1.0", "1"},         {"1e21", "1e+21"},        {"123e18", "123000000000000000000"},
      {"1.5e-7", "1.5e-7"}, {"0.000001", "0.000001"}, {"9223372036854775807", "9223372036854776000"},
      {"-0.0", "0"},        {"-12.50", "-12.5"},      {"5e-324", "5e-324"},
      {"1e-7", "1e-7"}};
  for (const auto& [written, shown] : numbers)
    EXPECT_EQ(only_error(std::string(R"({"not": {"const": 5}, "const": )") + written + "}", "true").params,
              std::string(R"({"allowedValue":)") + shown + "}");
  EXPECT_EQ(only_error(R"({"maximum": 1.5e3})", "1501").message, "should be <= 1500");
}

TEST(JsText, MembersKeepTheirOrder_IndexesComeFirst) {
  EXPECT_EQ(only_error(R"({"enum": [{"b": 1, "10": 2, "a": [null, true, "x\n\u00e9"], "9": 3, "01": 4}]})", "0").params,
            "{\"allowedValues\":[{\"9\":3,\"10\":2,\"b\":1,\"a\":[null,true,\"x\\n\xC3\xA9\"],\"01\":4}]}");
}

TEST(JsText, DataPath_EqualsAjvs) {
  const auto path = [](const std::string& key) {
    const nlohmann::ordered_json schema = {{"properties", {{key, {{"type", "string"}}}}}};
    const nlohmann::ordered_json event = {{key, 1}};
    return only_error(schema.dump(), event.dump()).data_path;
  };
  EXPECT_EQ(path("ab_$1"), ".ab_$1");
  EXPECT_EQ(path("1a"), "['1a']");
  EXPECT_EQ(path("a-b"), "['a-b']");
  EXPECT_EQ(path(""), "['']");
  EXPECT_EQ(path("it's\\\n\r\t\f"), "['it\\'s\\\\\\n\\r\\t\\f']");
  EXPECT_EQ(path("\xC3\xA9"), "['\xC3\xA9']");
}

TEST(JsText, KeyThatNoSchemaNames_IsNotEscapedInDataPaths) {
  EXPECT_EQ(only_error(R"({"additionalProperties": {"type": "string"}})", R"({"it's\\a": 1})").data_path,
            "['it's\\a']");
  EXPECT_EQ(only_error(R"({"patternProperties": {"^a": {"type": "string"}}})", R"({"a": 1})").data_path, "['a']");
  EXPECT_EQ(only_error(R"({"items": {"items": {"type": "string"}}})", "[[], [\"x\", 1]]").data_path, "[1][1]");
}

TEST(JsText, SchemaPath_IsAPercentEncodedPointer) {
  const std::string schema = R"json({"properties": {"a/b~c %\u00e9!*'()": {"type": "string"}}})json";
  EXPECT_EQ(only_error(schema, "{\"a/b~c %\xC3\xA9!*'()\": 1}").schema_path,
            "#/properties/a~1b~0c%20%25%C3%A9!*'()/type");
  EXPECT_EQ(only_error(R"({"patternProperties": {"^a": {"type": "string"}}})", R"({"a": 1})").schema_path,
            "#/patternProperties/%5Ea/type");
}

}  // namespace
}  // namespace eventgate
