#include "view_sql.hpp"

#include <utility>

#include "eventgate/base/is_one_of.hpp"

namespace eventgate {
namespace {

using Kind = ColumnType::Kind;

/// Trino: returns `expression` with the texts of date-times as timestamps. Its `TRY_CAST` does not read ISO 8601.
std::string trino_timestamps(const ColumnType& type, const std::string& expression, std::size_t depth) {
  const std::string variable = "x" + std::to_string(depth);
  if (!has_date_time(type)) return expression;
  if (type.kind == Kind::date_time) return "TRY(from_iso8601_timestamp(" + expression + "))";
  if (type.kind == Kind::array)
    return "transform(" + expression + ", " + variable + " -> " +
           trino_timestamps(type.fields.front().type, variable, depth + 1) + ')';
  if (type.kind == Kind::map)
    return "transform_values(" + expression + ", (k" + std::to_string(depth) + ", " + variable + ") -> " +
           trino_timestamps(type.fields.front().type, variable, depth + 1) + ')';
  std::string fields;
  for (const Column& field : type.fields) {
    const std::string inner = expression + '.' + quoted_name(field.name, TableEngine::trino);
    fields += (fields.empty() ? "" : ", ") + trino_timestamps(field.type, inner, depth + 1);
  }
  return "IF(" + expression + " IS NULL, NULL, CAST(ROW(" + fields + ") AS " +
         type_text(type, TableEngine::trino, true) + "))";
}

std::string column_expression(const Column& column, const TableOptions& options) {
  std::string name = quoted_name(column.name, options.engine);
  if (!options.timestamps || !has_date_time(column.type)) return name;
  if (options.engine == TableEngine::hive) return name;  // its casts do not read ISO 8601
  if (options.engine == TableEngine::trino) return trino_timestamps(column.type, name, 1);
  return "try_cast(" + name + " AS " + type_text(column.type, options.engine, true) + ')';
}

std::string null_of(const std::string& type) { return "CAST(NULL AS " + type + ')'; }

std::string datacenter_expression(const std::string& datacenter, TableEngine engine) {
  const ColumnType text{Kind::string, {}};
  return (datacenter.empty() ? null_of(type_text(text, engine, false)) : sql_literal(datacenter, engine)) + " AS " +
         std::string(kDatacenterColumn);
}

constexpr const char* kHours = "year, month, day, hour";

/// Returns the rows of all sources, with the columns that the files have, the datacenter and the hour.
std::string source_rows(const StreamTable& table, const TableOptions& options, const std::vector<ViewSource>& sources) {
  std::string text;
  const std::string columns = column_list(table.columns, options.engine);
  for (const ViewSource& source : sources) {
    text += text.empty() ? "" : "\n  UNION ALL\n";
    text += "  SELECT " + columns + ",\n    " + datacenter_expression(source.datacenter, options.engine) + ", " +
            kHours + "\n  FROM " + source.from;
  }
  if (!text.empty()) return text;
  text = "  SELECT ";
  for (const Column& column : table.columns)
    text += null_of(type_text(column.type, options.engine, false)) + " AS " + quoted_name(column.name, options.engine) +
            ", ";
  text += datacenter_expression({}, options.engine);
  const std::string integer = type_text({Kind::integer, {}}, options.engine, false);
  for (const std::string_view hour : kHourColumns) text += ", " + null_of(integer) + " AS " + std::string(hour);
  return text + "\n  WHERE false";
}

}  // namespace

std::string qualified_name(std::string_view name, TableEngine engine) { return "event." + quoted_name(name, engine); }

std::string column_list(const std::vector<Column>& columns, TableEngine engine) {
  std::string text;
  for (const Column& column : columns) text += (text.empty() ? "" : ", ") + quoted_name(column.name, engine);
  return text;
}

std::string field_expression(const StreamTable& table, const std::vector<std::string>& keys, TableEngine engine) {
  if (keys.empty() || !find_field(table.columns, keys)) return {};
  std::string text;
  for (const std::string& key : keys) text += (text.empty() ? "" : ".") + quoted_name(key, engine);
  return text;
}

std::string event_condition(const StreamTable& table, const TableOptions& options) {
  const std::string field = field_expression(table, options.schema_uri_field, options.engine);
  return field.empty() ? field : field + " IS NOT NULL";
}

std::string view_statement(const StreamTable& table, const TableOptions& options,
                           const std::vector<ViewSource>& sources) {
  const TableEngine engine = options.engine;
  std::string rows = source_rows(table, options, sources);
  std::string condition = event_condition(table, options);
  const auto add = [&condition](const std::string& one) { condition += (condition.empty() ? "" : " AND ") + one; };
  if (const std::string domain = field_expression(table, {"meta", "domain"}, engine); !options.raw && !domain.empty()) {
    const bool has_null_safe = engine == TableEngine::spark || engine == TableEngine::hive;
    add(has_null_safe ? "NOT (" + domain + " <=> 'canary')" : domain + " IS DISTINCT FROM 'canary'");
  }
  std::string where = condition.empty() ? "" : "\nWHERE " + condition;
  if (const std::string id = field_expression(table, options.id_field, engine);
      options.unique && !options.raw && !id.empty()) {
    std::string order = kHours;
    if (const std::string dt = field_expression(table, options.dt_field, engine); !dt.empty()) order += ", " + dt;
    rows = "  SELECT *, row_number() OVER (PARTITION BY " + id + " ORDER BY " + order + ") AS nth_of_id\n  FROM (\n" +
           rows + "\n  ) AS topics" + where;
    where = "\nWHERE " + id + " IS NULL OR nth_of_id = 1";
  }
  std::string text = "CREATE OR REPLACE VIEW " + qualified_name(table.name, engine) + " AS\nSELECT\n";
  for (const Column& column : table.columns)
    text += "  " + column_expression(column, options) + " AS " + quoted_name(sql_name(column.name), engine) + ",\n";
  text += "  " + std::string(kDatacenterColumn) + ", " + kHours + "\nFROM (\n" + rows + "\n) AS events" + where + ";\n";
  return text;
}

std::vector<TableTopic> read_topics(const StreamTable& table, const TableOptions& options) {
  std::vector<TableTopic> topics;
  for (const TableTopic& topic : table.topics)
    if (topic.has_files) topics.push_back(topic);
  // Spark, Hive and Trino make a table over a folder that is not there yet, which has no rows.
  if (topics.empty() && options.engine != TableEngine::duckdb) topics.push_back(table.topics.front());
  return topics;
}

}  // namespace eventgate
