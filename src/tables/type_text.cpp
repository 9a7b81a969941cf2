#include <string>

#include "eventgate/tables/stream_table.hpp"

namespace eventgate {
namespace {

using Kind = ColumnType::Kind;

/// The names of types in an engine's SQL.
struct TypeNames {
  const char* string;
  const char* date_time;
  const char* boolean;
  const char* integer;
  const char* number;
  const char* json;
};

constexpr TypeNames kDuckdb{"VARCHAR", "TIMESTAMPTZ", "BOOLEAN", "BIGINT", "DOUBLE", "JSON"};
constexpr TypeNames kSpark{"STRING", "TIMESTAMP", "BOOLEAN", "BIGINT", "DOUBLE", "STRING"};
constexpr TypeNames kTrino{"varchar", "timestamp(3) with time zone", "boolean", "bigint", "double", "varchar"};

const TypeNames& names_of(TableEngine engine) {
  if (engine == TableEngine::duckdb) return kDuckdb;
  return engine == TableEngine::trino ? kTrino : kSpark;
}

bool is_spark_like(TableEngine engine) { return engine != TableEngine::duckdb && engine != TableEngine::trino; }

std::string struct_text(const ColumnType& type, TableEngine engine, bool timestamps) {
  std::string text;
  for (const Column& field : type.fields) {
    text += text.empty() ? "" : ", ";
    text += quoted_name(field.name, engine) + (is_spark_like(engine) ? ": " : " ");
    text += type_text(field.type, engine, timestamps);
  }
  if (is_spark_like(engine)) return "STRUCT<" + text + '>';
  return (engine == TableEngine::duckdb ? "STRUCT(" : "row(") + text + ')';
}

}  // namespace

std::string type_text(const ColumnType& type, TableEngine engine, bool timestamps) {
  const TypeNames& names = names_of(engine);
  switch (type.kind) {
    case Kind::string:
      return names.string;
    case Kind::date_time:
      return timestamps ? names.date_time : names.string;
    case Kind::boolean:
      return names.boolean;
    case Kind::integer:
      return names.integer;
    case Kind::number:
      return names.number;
    case Kind::json:
      return names.json;
    case Kind::structure:
      return struct_text(type, engine, timestamps);
    case Kind::array: {
      const std::string items = type_text(type.fields.front().type, engine, timestamps);
      if (engine == TableEngine::duckdb) return items + "[]";
      return is_spark_like(engine) ? "ARRAY<" + items + '>' : "array(" + items + ')';
    }
    case Kind::map: {
      const std::string values = type_text(type.fields.front().type, engine, timestamps);
      if (is_spark_like(engine)) return "MAP<STRING, " + values + '>';
      return (engine == TableEngine::duckdb ? "MAP(VARCHAR, " : "map(varchar, ") + values + ')';
    }
  }
  return {};
}

std::string quoted_name(std::string_view name, TableEngine engine) {
  const char quote = is_spark_like(engine) ? '`' : '"';
  std::string text(1, quote);
  for (const char c : name) text += c == quote ? std::string(2, c) : std::string(1, c);
  return text + quote;
}

std::string sql_literal(std::string_view text, TableEngine engine) {
  std::string literal = "'";
  for (const char c : text) {
    if (is_spark_like(engine) && (c == '\'' || c == '\\')) {
      literal += '\\';
    } else if (c == '\'') {
      literal += '\'';
    }
    literal += c;
  }
  return literal + '\'';
}

}  // namespace eventgate
