#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

// The columns of a stream's table, made of its JSON Schema. The rules are those of Wikimedia's Refine job
// (analytics/refinery/source, JsonSchemaConverter); a field that Refine cannot convert becomes a column of JSON text.

namespace eventgate {

struct Column;

/// The type of a column, of a struct's field, of an array's items or of a map's values.
struct ColumnType {
  enum class Kind { string, date_time, boolean, integer, number, json, array, map, structure };
  Kind kind = Kind::json;
  /// `structure`: its fields. `array` and `map`: one entry, whose type is that of the items or values.
  std::vector<Column> fields;
};

/// A column, or a field of a struct.
struct Column {
  std::string name;  ///< As in the JSON.
  ColumnType type;
  std::string pointer;  ///< JSON pointer into the schema: `/properties/meta/properties/dt`.
};

/// The columns of a schema, in its order.
struct TableColumns {
  std::vector<Column> columns;
  /// The fields that become JSON text, each with the reason: `/properties/a: a union`.
  std::vector<std::string> warnings;
  /// What keeps the schema from being a table, each with its pointer. Empty: it is one.
  std::vector<std::string> problems;
};

/// Returns the name of `text` in SQL: lower case, with `_` for each character outside `[A-Za-z0-9_]` and for a digit in
/// front. Streams and columns are named so: `mediawiki.page-create` is `mediawiki_page_create`.
std::string sql_name(std::string_view text);

/// Returns the columns of `schema`, a schema without `$ref`. `allOf` counts as merged. Pure.
TableColumns table_columns(const nlohmann::ordered_json& schema);

/// Adds the fields that only `older` has behind those of `columns`, in structs, too. Returns the pointers of fields
/// whose type differs; the type in `columns` stays.
std::vector<std::string> add_older_fields(std::vector<Column>& columns, const std::vector<Column>& older);

/// Returns true if a date-time is part of the type.
bool has_date_time(const ColumnType& type);

/// Returns the field at `keys`, through structs, or null.
const Column* find_field(const std::vector<Column>& columns, const std::vector<std::string>& keys);

}  // namespace eventgate
