#include <string>

#include "duckdb_sql.hpp"
#include "view_sql.hpp"

namespace eventgate {
namespace {

constexpr TableEngine kDuckdb = TableEngine::duckdb;

std::string hour_types(const char* type) {
  std::string text;
  for (const std::string_view hour : kHourColumns)
    text += (text.empty() ? "{'" : ", '") + std::string(hour) + "': '" + type + '\'';
  return text + '}';
}

/// Returns the query of a topic's Parquet files. Files of older versions lack columns and fields of structs; a query
/// without rows that has all of them goes before, and `UNION ALL BY NAME` fills those that lack.
std::string parquet_rows(const StreamTable& table, const std::string& pattern) {
  std::string text = "(\n    SELECT ";
  for (const Column& column : table.columns)
    text +=
        "CAST(NULL AS " + type_text(column.type, kDuckdb, false) + ") AS " + quoted_name(column.name, kDuckdb) + ", ";
  text += "NULL::BIGINT AS year, NULL::BIGINT AS month, NULL::BIGINT AS day, NULL::BIGINT AS hour WHERE false\n";
  return text + "    UNION ALL BY NAME SELECT * FROM read_parquet(" + sql_literal(pattern, kDuckdb) +
         ", union_by_name = true, hive_partitioning = true, hive_types = " + hour_types("BIGINT") + ")\n  )";
}

}  // namespace

std::string literal_pattern(std::string_view path) {
  std::string pattern;
  for (const char c : path)
    pattern += c == '*' || c == '?' || c == '[' ? std::string("[") + c + ']' : std::string(1, c);
  return pattern;
}

std::string read_json_call(const StreamTable& table, const std::string& files, const char* hour_type) {
  std::string columns;
  for (const Column& column : table.columns)
    columns += (columns.empty() ? "{" : ", ") + sql_literal(column.name, kDuckdb) + ": " +
               sql_literal(type_text(column.type, kDuckdb, false), kDuckdb);
  return "read_json(" + files + ", format = 'newline_delimited', ignore_errors = true,\n    columns = " + columns +
         "},\n    hive_partitioning = true, hive_types = " + hour_types(hour_type) + ')';
}

std::string duckdb_statements(const StreamTable& table, const TableOptions& options) {
  std::vector<ViewSource> sources;
  for (const TableTopic& topic : read_topics(table, options)) {
    const std::string pattern = literal_pattern(options.folder + '/' + topic.topic) + "/year=*/month=*/day=*/hour=*/" +
                                (options.parquet ? "*.parquet" : "part-*.ndjson");
    sources.push_back({options.parquet ? parquet_rows(table, pattern)
                                       : read_json_call(table, sql_literal(pattern, kDuckdb), "BIGINT"),
                       topic.datacenter});
  }
  return view_statement(table, options, sources);
}

}  // namespace eventgate
