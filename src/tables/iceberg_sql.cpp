#include "iceberg_sql.hpp"

#include <nlohmann/json.hpp>

#include "view_sql.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kRegexSigns = "\\^$.|?*+()[]{}";
/// Characters of `2026-11-22T02`: the hour of a date-time's text.
constexpr const char* kHourOfText = "13";

/// Returns `PARTITIONED BY` the hour of the event, or nothing if it has no time.
std::string partitioning(const StreamTable& table, const TableOptions& options) {
  const Column* const dt = find_field(table.columns, options.dt_field);
  if (!dt || dt->type.kind != ColumnType::Kind::date_time) return {};
  const std::string field = field_expression(table, options.dt_field, options.engine);
  return options.timestamps ? "\nPARTITIONED BY (hours(" + field + "))"
                            : "\nPARTITIONED BY (truncate(" + std::string(kHourOfText) + ", " + field + "))";
}

std::string regex_of(const std::string& text) {
  std::string regex;
  for (const char c : text) {
    if (std::string_view(kRegexSigns).find(c) != std::string_view::npos) regex += '\\';
    regex += c;
  }
  return regex;
}

}  // namespace

std::string iceberg_statements(const StreamTable& table, const TableOptions& options) {
  std::string text = "CREATE TABLE IF NOT EXISTS " + qualified_name(table.name, options.engine) + " (\n";
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const Column& column = table.columns[i];
    text += "  " + quoted_name(column.name, options.engine) + ' ' +
            type_text(column.type, options.engine, options.timestamps) + (i + 1 < table.columns.size() ? ",\n" : "\n");
  }
  return text + ") USING iceberg" + partitioning(table, options) + ";\n";
}

std::string iceberg_sink_config(const std::vector<StreamTable>& tables, const std::string& stream_field) {
  std::string topics, names;
  Json routes = Json::object();
  for (const StreamTable& table : tables) {
    for (const TableTopic& topic : table.topics) topics += (topics.empty() ? "" : ",") + topic.topic;
    names += (names.empty() ? "event." : ",event.") + table.name;
    routes["iceberg.table.event." + table.name + ".route-regex"] = regex_of(table.stream);
  }
  Json config = {{"connector.class", "org.apache.iceberg.connect.IcebergSinkConnector"},
                 {"tasks.max", "1"},
                 {"topics", topics},
                 {"key.converter", "org.apache.kafka.connect.storage.StringConverter"},
                 {"value.converter", "org.apache.kafka.connect.json.JsonConverter"},
                 {"value.converter.schemas.enable", "false"},
                 {"iceberg.catalog.type", "rest"},
                 {"iceberg.catalog.uri", "http://127.0.0.1:8181"},
                 {"iceberg.control.commit.interval-ms", "60000"},
                 {"iceberg.tables", names},
                 {"iceberg.tables.route-field", stream_field}};
  config.update(routes);
  return Json({{"name", "eventgate"}, {"config", config}}).dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace eventgate
