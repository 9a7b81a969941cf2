#include "eventgate/tables/stream_table.hpp"

#include <nlohmann/json.hpp>

#include "duckdb_sql.hpp"
#include "hive_sql.hpp"
#include "iceberg_sql.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

Json columns_json(const StreamTable& table, bool timestamps) {
  Json columns = Json::array();
  for (const Column& column : table.columns)
    columns.push_back({{"name", sql_name(column.name)},
                       {"field", column.name},
                       {"duckdb", type_text(column.type, TableEngine::duckdb, timestamps)},
                       {"spark", type_text(column.type, TableEngine::spark, timestamps)},
                       {"trino", type_text(column.type, TableEngine::trino, timestamps)}});
  return columns;
}

Json partitions_json() {
  Json columns = Json::array();
  columns.push_back({{"name", kDatacenterColumn}, {"duckdb", "VARCHAR"}, {"spark", "STRING"}, {"trino", "varchar"}});
  for (const std::string_view hour : kHourColumns)
    columns.push_back({{"name", hour}, {"duckdb", "BIGINT"}, {"spark", "BIGINT"}, {"trino", "bigint"}});
  return columns;
}

}  // namespace

std::string opening_statements(TableEngine engine) {
  switch (engine) {
    case TableEngine::duckdb:
      return "BEGIN TRANSACTION;\nCREATE SCHEMA IF NOT EXISTS event;\n";
    case TableEngine::trino:
      return "CREATE SCHEMA IF NOT EXISTS event;\n";
    case TableEngine::spark:
    case TableEngine::hive:
    case TableEngine::iceberg:
      return "CREATE DATABASE IF NOT EXISTS event;\n";
  }
  return {};
}

std::string closing_statements(TableEngine engine) { return engine == TableEngine::duckdb ? "COMMIT;\n" : ""; }

std::string table_statements(const StreamTable& table, const TableOptions& options) {
  switch (options.engine) {
    case TableEngine::duckdb:
      return duckdb_statements(table, options);
    case TableEngine::spark:
    case TableEngine::hive:
    case TableEngine::trino:
      return hive_statements(table, options);
    case TableEngine::iceberg:
      return iceberg_statements(table, options);
  }
  return {};
}

std::string tables_json(const std::vector<StreamTable>& tables, bool timestamps) {
  Json all = Json::array();
  for (const StreamTable& table : tables) {
    Json topics = Json::array();
    for (const TableTopic& topic : table.topics)
      topics.push_back({{"topic", topic.topic},
                        {"datacenter", topic.datacenter.empty() ? Json() : Json(topic.datacenter)},
                        {"has_files", topic.has_files}});
    all.push_back({{"stream", table.stream},
                   {"table", "event." + table.name},
                   {"schema", table.schema_uris.empty() ? Json() : Json(table.schema_uris.back())},
                   {"columns", columns_json(table, timestamps)},
                   {"partition_columns", partitions_json()},
                   {"topics", std::move(topics)}});
  }
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace eventgate
