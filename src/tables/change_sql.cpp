#include <algorithm>
#include <utility>

#include "eventgate/tables/stream_table.hpp"
#include "hive_sql.hpp"
#include "view_sql.hpp"

namespace eventgate {
namespace {

using Kind = ColumnType::Kind;

/// A field that the newer version adds, by the path that `ALTER TABLE` of Iceberg takes.
struct AddedField {
  std::string path;  ///< In quotes: `meta`.`request_id`; items of an array are `element`, values of a map `value`.
  std::string type;
};

const Column* find_column(const std::vector<Column>& columns, const std::string& name) {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const Column& one) { return one.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

/// Compares two versions of a schema.
class Comparison {
 public:
  explicit Comparison(const TableOptions& options) : options_(options) {}

  std::vector<std::string> problems;
  std::vector<AddedField> added_fields;
  std::vector<const Column*> added;    ///< Columns that are new.
  std::vector<const Column*> changed;  ///< Columns with fields that are new.

  void compare(const std::vector<Column>& older, const std::vector<Column>& newer) {
    for (const Column& column : newer) {
      const std::string path = quoted_name(column.name, options_.engine);
      if (const Column* const before = find_column(older, column.name)) {
        const std::size_t count = added_fields.size();
        compare_types(before->type, column.type, path, column.pointer);
        if (added_fields.size() > count) changed.push_back(&column);
      } else {
        added.push_back(&column);
        added_fields.push_back({path, type_of(column)});
      }
    }
  }

 private:
  std::string type_of(const Column& column) const {
    return type_text(column.type, options_.engine, options_.engine == TableEngine::iceberg && options_.timestamps);
  }

  void compare_types(const ColumnType& older, const ColumnType& newer, const std::string& path,
                     const std::string& pointer) {
    if (type_text(older, options_.engine, options_.timestamps) ==
        type_text(newer, options_.engine, options_.timestamps))
      return;
    if (older.kind != newer.kind || older.fields.empty()) {
      problems.push_back(pointer + ": expected the type " + type_text(older, options_.engine, options_.timestamps) +
                         ", found " + type_text(newer, options_.engine, options_.timestamps) +
                         ", and no engine changes the type of a column");
    } else if (older.kind == Kind::structure) {
      compare_structs(older, newer, path, pointer);
    } else {
      compare_types(older.fields.front().type, newer.fields.front().type,
                    path + (older.kind == Kind::map ? ".value" : ".element"), newer.fields.front().pointer);
    }
  }

  void compare_structs(const ColumnType& older, const ColumnType& newer, const std::string& path,
                       const std::string& pointer) {
    for (const Column& field : older.fields)
      if (!find_column(newer.fields, field.name))
        problems.push_back(pointer + ": expected its field '" + field.name +
                           "', and no engine takes a field out of a struct");
    for (const Column& field : newer.fields) {
      const std::string inner = path + '.' + quoted_name(field.name, options_.engine);
      if (const Column* const before = find_column(older.fields, field.name)) {
        compare_types(before->type, field.type, inner, field.pointer);
      } else {
        added_fields.push_back({inner, type_of(field)});
      }
    }
  }

  const TableOptions& options_;
};

std::string added_columns(const std::vector<const Column*>& columns, TableEngine engine) {
  std::string text;
  for (const Column* const column : columns)
    text +=
        (text.empty() ? "" : ", ") + quoted_name(column->name, engine) + ' ' + type_text(column->type, engine, false);
  return text;
}

/// Spark adds columns to a table over files, but does not change the type of one. Then the table is made anew.
std::string spark_changes(const StreamTable& table, const Comparison& found, const TableOptions& options) {
  if (!found.changed.empty()) return hive_statements(table, options);
  std::string text;
  for (const std::string& name : files_table_names(table, options))
    text += "ALTER TABLE " + qualified_name(name, options.engine) + " ADD COLUMNS (" +
            added_columns(found.added, options.engine) + ");\n";
  return text + hive_view(table, options);
}

std::string hive_changes(const StreamTable& table, const Comparison& found, const TableOptions& options) {
  std::string text;
  for (const std::string& name : files_table_names(table, options)) {
    const std::string alter = "ALTER TABLE " + qualified_name(name, options.engine);
    if (!found.added.empty())
      text += alter + " ADD COLUMNS (" + added_columns(found.added, options.engine) + ") CASCADE;\n";
    for (const Column* const column : found.changed) {
      const Column* const whole = find_column(table.columns, column->name);
      const std::string quoted = quoted_name(column->name, options.engine);
      text += alter + " CHANGE COLUMN " + quoted + ' ' + quoted + ' ' +
              type_text((whole ? whole : column)->type, options.engine, false) + " CASCADE;\n";
    }
  }
  return text + hive_view(table, options);
}

std::string iceberg_changes(const StreamTable& table, const Comparison& found, const TableOptions& options) {
  std::string columns;
  for (const AddedField& field : found.added_fields)
    columns += (columns.empty() ? "" : ", ") + field.path + ' ' + field.type;
  return "ALTER TABLE " + qualified_name(table.name, options.engine) + " ADD COLUMNS (" + columns + ");\n";
}

}  // namespace

TableChange change_statements(const StreamTable& table, const std::vector<Column>& older,
                              const std::vector<Column>& newer, const TableOptions& options) {
  Comparison found(options);
  found.compare(older, newer);
  TableChange change;
  change.problems = std::move(found.problems);
  if (!change.problems.empty() || found.added_fields.empty()) return change;
  if (options.engine == TableEngine::iceberg) {
    change.statements = iceberg_changes(table, found, options);
  } else {
    change.statements = options.engine == TableEngine::hive ? hive_changes(table, found, options)
                                                            : spark_changes(table, found, options);
  }
  return change;
}

}  // namespace eventgate
