#include <string>

#include "hive_sql.hpp"
#include "view_sql.hpp"

// Spark, Hive and Trino read files through a table of the metastore. Its columns have the names of the JSON, and the
// view over it renames them.

namespace eventgate {
namespace {

std::string columns_with_types(const StreamTable& table, TableEngine engine) {
  std::string text;
  for (const Column& column : table.columns)
    text += "  " + quoted_name(column.name, engine) + ' ' + type_text(column.type, engine, false) + ",\n";
  return text;
}

/// Returns the folder of a topic as a URI, which a cluster's default file system does not change.
std::string location(const TableOptions& options, const TableTopic& topic) {
  const std::string folder = options.folder + '/' + topic.topic;
  return options.folder.find("://") == std::string::npos ? "file://" + folder : folder;
}

std::string typed_hours(const char* separator) {
  std::string text;
  for (const std::string_view hour : kHourColumns)
    text += (text.empty() ? "" : separator) + std::string(hour) + " BIGINT";
  return text;
}

constexpr const char* kHours = "year, month, day, hour";

std::string spark_table(const StreamTable& table, const TableTopic& topic, const std::string& name,
                        const TableOptions& options) {
  return "CREATE TABLE " + name + " (\n" + columns_with_types(table, options.engine) + "  " + typed_hours(", ") +
         "\n) USING " + (options.parquet ? "parquet" : "json") + " PARTITIONED BY (" + kHours + ")\nLOCATION " +
         sql_literal(location(options, topic), options.engine) + ";\n";
}

std::string hive_table(const StreamTable& table, const TableTopic& topic, const std::string& name,
                       const TableOptions& options) {
  std::string columns = columns_with_types(table, options.engine);
  columns.erase(columns.rfind(','), 1);
  const char* const format = options.parquet
                                 ? "STORED AS PARQUET"
                                 : "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe' STORED AS TEXTFILE";
  return "CREATE EXTERNAL TABLE " + name + " (\n" + columns + ") PARTITIONED BY (" + typed_hours(", ") + ")\n" +
         format + "\nLOCATION " + sql_literal(location(options, topic), options.engine) + ";\n";
}

std::string trino_table(const StreamTable& table, const TableTopic& topic, const std::string& name,
                        const TableOptions& options) {
  std::string hours;
  for (const std::string_view hour : kHourColumns)
    hours += std::string(hours.empty() ? "'" : ", '") + std::string(hour) + '\'';
  return "CREATE TABLE " + name + " (\n" + columns_with_types(table, options.engine) + "  " + typed_hours(", ") +
         "\n) WITH (format = '" + (options.parquet ? "PARQUET" : "JSON") + "', partitioned_by = ARRAY[" + hours +
         "],\n  external_location = " + sql_literal(location(options, topic), options.engine) + ");\n";
}

/// Returns the statement that finds the hours there are.
std::string repair_statement(const std::string& table, TableEngine engine) {
  if (engine == TableEngine::trino)
    return "CALL system.sync_partition_metadata('event', " + sql_literal(table, engine) + ", 'FULL');\n";
  return "MSCK REPAIR TABLE " + qualified_name(table, engine) + ";\n";
}

/// Returns the statements that make the table over the files of one topic.
std::string files_table(const StreamTable& table, const TableTopic& topic, const std::string& name,
                        const TableOptions& options) {
  const std::string qualified = qualified_name(name, options.engine);
  // The table is over files that are not its own: to drop it removes none of them.
  std::string text = "DROP TABLE IF EXISTS " + qualified + ";\n";
  switch (options.engine) {
    case TableEngine::spark:
      return text + spark_table(table, topic, qualified, options);
    case TableEngine::hive:
      return text + hive_table(table, topic, qualified, options);
    case TableEngine::trino:
      return text + trino_table(table, topic, qualified, options);
    case TableEngine::duckdb:
    case TableEngine::iceberg:
      return {};
  }
  return {};
}

}  // namespace

std::vector<std::string> files_table_names(const StreamTable& table, const TableOptions& options) {
  const std::string suffix = options.parquet ? "_parquet" : "_json";
  const std::vector<TableTopic> topics = read_topics(table, options);
  if (topics.size() == 1) return {table.name + suffix};
  std::vector<std::string> names;
  for (const TableTopic& topic : topics) names.push_back(sql_name(topic.topic) + suffix);
  return names;
}

std::string hive_view(const StreamTable& table, const TableOptions& options) {
  const std::vector<TableTopic> topics = read_topics(table, options);
  const std::vector<std::string> names = files_table_names(table, options);
  std::vector<ViewSource> sources;
  for (std::size_t i = 0; i < topics.size(); ++i)
    sources.push_back({qualified_name(names[i], options.engine), topics[i].datacenter});
  return view_statement(table, options, sources);
}

std::string hive_statements(const StreamTable& table, const TableOptions& options) {
  const std::vector<TableTopic> topics = read_topics(table, options);
  const std::vector<std::string> names = files_table_names(table, options);
  std::string tables, repairs;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    tables += files_table(table, topics[i], names[i], options);
    if (topics[i].has_files) repairs += repair_statement(names[i], options.engine);
  }
  return tables + hive_view(table, options) + repairs;
}

}  // namespace eventgate
