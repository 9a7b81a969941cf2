#pragma once

#include <string>

#include "eventgate/tables/stream_table.hpp"

namespace eventgate {

/// What a view reads of one topic.
struct ViewSource {
  std::string from;        ///< A table, or a function such as `read_json(...)`.
  std::string datacenter;  ///< Empty: NULL.
};

/// Returns `CREATE OR REPLACE VIEW ...` of the table over `sources`, with columns named as SQL has them. Without
/// sources the view has no rows.
std::string view_statement(const StreamTable& table, const TableOptions& options,
                           const std::vector<ViewSource>& sources);

/// Returns `event.NAME` in the quotes of the engine.
std::string qualified_name(std::string_view name, TableEngine engine);

/// Returns the names of `columns` in the quotes of the engine, separated by commas.
std::string column_list(const std::vector<Column>& columns, TableEngine engine);

/// Returns the expression for the field at `keys`, or an empty text if the columns have none.
std::string field_expression(const StreamTable& table, const std::vector<std::string>& keys, TableEngine engine);

/// Returns the condition that a row is an event, and not what a reader makes of a line that is no JSON. Empty: the
/// columns do not tell.
std::string event_condition(const StreamTable& table, const TableOptions& options);

/// DuckDB: returns `read_json(...)` of `files`, a list of literals, with hours of the type `hour_type`.
std::string read_json_call(const StreamTable& table, const std::string& files, const char* hour_type);

/// DuckDB: returns `path` with the characters that patterns give a meaning taken literally.
std::string literal_pattern(std::string_view path);

/// Returns the topics that the tables and views of `engine` are made over.
std::vector<TableTopic> read_topics(const StreamTable& table, const TableOptions& options);

}  // namespace eventgate
