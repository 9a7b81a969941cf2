#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "eventgate/tables/table_columns.hpp"

// What `eventgate tables` prints for a stream: statements that make the stream's table in an engine.

namespace eventgate {

/// A topic of a stream, and where its datacenter comes from.
struct TableTopic {
  std::string topic;
  std::string datacenter;  ///< The topic's prefix without its dot. Empty: it has none, and the column is NULL.
  bool has_files = true;
};

/// A stream as a table.
struct StreamTable {
  std::string stream;
  std::string name;                      ///< `sql_name` of the stream.
  std::vector<std::string> schema_uris;  ///< Versions, oldest first. The last one gives the order of columns.
  std::vector<Column> columns;           ///< Of the newest version, then what only older ones have.
  std::vector<TableTopic> topics;        ///< At least one: the gate's own.
};

enum class TableEngine { duckdb, spark, hive, trino, iceberg };

struct TableOptions {
  TableEngine engine = TableEngine::duckdb;
  std::string folder;  ///< Of the topics: an absolute path, or a URI such as `s3://bucket/events`. No slash at its end.
  bool parquet = false;                       ///< The files are those of `compact`, not NDJSON.
  bool timestamps = false;                    ///< Date-times are timestamps, not texts, where the engine can read them.
  bool unique = false;                        ///< Leaves out all but the first event of an id.
  bool raw = false;                           ///< Leaves in canary events, and counts before `unique`.
  std::vector<std::string> schema_uri_field;  ///< The keys of the field that every event has.
  std::vector<std::string> id_field;
  std::vector<std::string> dt_field;
};

/// The columns behind those of the schema: the topic's datacenter, and the hour of receipt by the gate's clock.
inline constexpr std::string_view kDatacenterColumn = "datacenter";
inline constexpr std::string_view kHourColumns[] = {"year", "month", "day", "hour"};

/// Returns the type in the engine's SQL: `STRUCT("a" VARCHAR)` for DuckDB, ``STRUCT<`a`: STRING>`` for Spark.
std::string type_text(const ColumnType& type, TableEngine engine, bool timestamps);

/// Returns `name` in the quotes of the engine.
std::string quoted_name(std::string_view name, TableEngine engine);

/// Returns `text` as a literal of the engine. Spark and Hive take a backslash for an escape, the others do not.
std::string sql_literal(std::string_view text, TableEngine engine);

/// Returns the statements before those of all tables, such as `CREATE SCHEMA`, and those behind them.
std::string opening_statements(TableEngine engine);
std::string closing_statements(TableEngine engine);

/// Returns the statements that make `table`. They can be run again, and each is right when it is run alone.
std::string table_statements(const StreamTable& table, const TableOptions& options);

/// The statements that change a table, or why no engine can do it.
struct TableChange {
  std::string statements;             ///< Empty: nothing changes.
  std::vector<std::string> problems;  ///< Each names the field by its pointer.
};

/// Returns what changes the table of `older` into `table`. `older` and `newer` are the columns of the two versions.
/// Spark, Hive and Iceberg only.
TableChange change_statements(const StreamTable& table, const std::vector<Column>& older,
                              const std::vector<Column>& newer, const TableOptions& options);

/// Returns the config of Apache Iceberg's Kafka Connect sink for `tables`, as Kafka Connect's REST interface takes it.
/// `stream_field` is the dotted path of the stream in an event.
std::string iceberg_sink_config(const std::vector<StreamTable>& tables, const std::string& stream_field);

/// Returns the columns of `tables` as JSON.
std::string tables_json(const std::vector<StreamTable>& tables, bool timestamps);

}  // namespace eventgate
