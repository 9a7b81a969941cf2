#include "eventgate/tables/table_columns.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "eventgate/tables/stream_table.hpp"
#include "support/paths.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string without_space(std::string text) {
  text.erase(std::remove_if(text.begin(), text.end(), [](unsigned char c) { return std::isspace(c) != 0; }),
             text.end());
  return text;
}

TableColumns columns_of(const char* properties) {
  return table_columns({{"type", "object"}, {"properties", Json::parse(properties)}});
}

std::string duckdb_type(const char* schema) {
  const TableColumns found = table_columns({{"properties", {{"a", Json::parse(schema)}}}});
  return type_text(found.columns.at(0).type, TableEngine::duckdb, false);
}

/// Returns what differs between the columns and those recorded.
std::string differences(const TableColumns& found, const Json& recorded, const char* engine_name, TableEngine engine) {
  Json types = Json::object(), expected = Json::object();
  for (const Column& column : found.columns) types[column.name] = without_space(type_text(column.type, engine, false));
  for (const auto& [name, type] : recorded[engine_name].items())
    expected[name] = without_space(type.get<std::string>());
  return types.dump() == expected.dump() ? "" : "found " + types.dump() + ", expected " + expected.dump();
}

TEST(TableColumns, Recorded_AllTypesWarningsAndNamesMatch) {
  std::ifstream lines(shared_dir() + "/golden/tables.jsonl");
  if (!lines) GTEST_SKIP() << "no recordings at " << shared_dir();
  std::size_t total = 0, matching = 0;
  const auto count = [&](const std::string& name, const std::string& wrong) {
    ++total;
    matching += wrong.empty() ? 1 : 0;
    EXPECT_EQ(wrong, "") << name;
  };
  for (std::string line; std::getline(lines, line);) {
    const Json recorded = Json::parse(line);
    if (recorded.contains("names")) {
      for (const auto& [stream, table] : recorded["names"].items())
        count(stream, sql_name(stream) == table.get<std::string>() ? "" : "found " + sql_name(stream));
      continue;
    }
    const TableColumns found = table_columns(recorded["schema"]);
    count(recorded["name"], differences(found, recorded, "duckdb", TableEngine::duckdb) +
                                differences(found, recorded, "spark", TableEngine::spark));
    EXPECT_EQ(Json(found.warnings), recorded["warnings"]) << recorded["name"];
    EXPECT_THAT(found.problems, IsEmpty());
  }
  std::cout << "types and names of tables: " << matching << " of " << total << " match\n";
}

TEST(TableColumns, UnionWithNull_IsTheOtherType) {
  EXPECT_EQ(duckdb_type(R"({"type": ["string", "null"]})"), "VARCHAR");
  EXPECT_EQ(duckdb_type(R"({"type": ["null", "integer"]})"), "BIGINT");
  EXPECT_EQ(duckdb_type(R"({"type": ["number"]})"), "DOUBLE");
  EXPECT_EQ(duckdb_type(R"({"type": "null"})"), "VARCHAR");
}

TEST(TableColumns, FieldsWithoutAType_AreJsonTextWithAWarning) {
  const TableColumns found = columns_of(R"({"a/b": {"type": "array", "items": {"type": ["string", "integer"]}},
    "m": {"type": "object", "additionalProperties": {"type": "object"}}, "t": {"type": "array", "items": [{"type": "string"}]},
    "o": {"type": "object", "properties": {}}, "e": {"enum": [1]}, "n": {"type": "object", "additionalProperties": {}}})");
  EXPECT_THAT(found.warnings,
              ElementsAre("/properties/a~1b/items: a union", "/properties/m/additionalProperties: no type of a table",
                          "/properties/t: no type of a table", "/properties/o: no type of a table",
                          "/properties/e: no type of a table", "/properties/n: no type of a table"));
  EXPECT_EQ(type_text(found.columns[0].type, TableEngine::duckdb, false), "JSON[]");
  EXPECT_EQ(type_text(found.columns[1].type, TableEngine::spark, false), "MAP<STRING, STRING>");
}

TEST(TableColumns, AllOf_CountsAsMerged) {
  const TableColumns found = table_columns(Json::parse(R"({"allOf": [
    {"properties": {"meta": {"type": "object", "properties": {"id": {"type": "string"}}}}},
    {"properties": {"meta": {"type": "object", "properties": {"dt": {"type": "string", "format": "date-time"}}},
                    "n": {"type": "integer"}}}]})"));
  ASSERT_EQ(found.columns.size(), 2u);
  EXPECT_EQ(type_text(found.columns[0].type, TableEngine::trino, true),
            R"(row("id" varchar, "dt" timestamp(3) with time zone))");
}

TEST(TableColumns, NamesThatFallTogether_AreProblemsWithTheirPointer) {
  const TableColumns found = columns_of(R"({"a-b": {"type": "string"}, "A_b": {"type": "string"},
    "s": {"type": "object", "properties": {"X": {"type": "string"}, "x": {"type": "string"}}}})");
  ASSERT_EQ(found.problems.size(), 2u);
  EXPECT_THAT(found.problems[0], HasSubstr("/properties/A_b: expected a name that differs from 'a-b'"));
  EXPECT_THAT(found.problems[1], HasSubstr("/properties/s/properties/x"));
}

TEST(TableColumns, NoPropertiesOrAnEmptyName_IsNoTable) {
  EXPECT_THAT(table_columns({{"type", "string"}}).problems, ElementsAre(HasSubstr("/properties: expected the fields")));
  EXPECT_THAT(columns_of(R"({"": {"type": "string"}})").problems,
              ElementsAre(HasSubstr("/properties/: expected a name")));
}

TEST(TableColumns, DeepSchema_IsJsonTextBelowItsBound) {
  Json schema = {{"type", "string"}};
  for (int i = 0; i < 100; ++i) schema = {{"type", "object"}, {"properties", {{"a", schema}}}};
  const TableColumns found = table_columns(schema);
  EXPECT_THAT(found.warnings, ElementsAre(HasSubstr("more than 64 levels")));
}

TEST(SqlName, OtherCharactersAndADigitInFront_AreUnderscores) {
  EXPECT_EQ(sql_name("mediawiki.page-create"), "mediawiki_page_create");
  EXPECT_EQ(sql_name("$schema"), "_schema");
  EXPECT_EQ(sql_name("3d"), "_d");
  EXPECT_EQ(sql_name("é漢x"), "__x");
}

TEST(AddOlderFields, FieldsOfOlderVersionsStay_AlsoInStructs) {
  TableColumns newest = columns_of(R"({"n": {"type": "integer"},
    "s": {"type": "object", "properties": {"b": {"type": "string"}}}})");
  const TableColumns older = columns_of(R"({"gone": {"type": "string"}, "n": {"type": "string"},
    "s": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}})");
  EXPECT_THAT(add_older_fields(newest.columns, older.columns), ElementsAre("/properties/n"));
  ASSERT_EQ(newest.columns.size(), 3u);
  EXPECT_EQ(type_text(newest.columns[1].type, TableEngine::duckdb, false), R"(STRUCT("b" VARCHAR, "a" VARCHAR))");
  EXPECT_EQ(newest.columns[2].name, "gone");
}

TEST(QuotedNames, QuotesOfTheEngineAreDoubled) {
  EXPECT_EQ(quoted_name("a\"b`", TableEngine::duckdb), "\"a\"\"b`\"");
  EXPECT_EQ(quoted_name("a\"b`", TableEngine::spark), "`a\"b```");
  EXPECT_EQ(sql_literal("it's\\", TableEngine::duckdb), "'it''s\\'");
  EXPECT_EQ(sql_literal("it's\\", TableEngine::hive), "'it\\'s\\\\'");
}

}  // namespace
}  // namespace eventgate
