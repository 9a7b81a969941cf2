#include "eventgate/tables/table_columns.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/json_pointer.hpp"
#include "eventgate/base/ordered_json.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;
using Kind = ColumnType::Kind;

constexpr std::size_t kMaxDepth = 64;  // levels of types; deeper fields are JSON text

/// The schema at one place: an object and the branches of its `allOf`. The first that has a keyword counts, except for
/// `properties`, which are joined.
class MergedSchema {
 public:
  explicit MergedSchema(const Json& schema) { add(schema); }
  explicit MergedSchema(const std::vector<const Json*>& schemas) {
    for (const Json* const schema : schemas) add(*schema);
  }

  const Json* find(std::string_view keyword) const {
    for (const Json* const part : parts_)
      if (const Json* const value = find_member(*part, keyword)) return value;
    return nullptr;
  }

  /// Returns the properties in order, each with its schemas.
  std::vector<std::pair<std::string, std::vector<const Json*>>> properties() const {
    std::vector<std::pair<std::string, std::vector<const Json*>>> all;
    std::map<std::string_view, std::size_t> index;
    for (const Json* const part : parts_) {
      const Json* const properties = find_member(*part, "properties");
      if (!properties || !properties->is_object()) continue;
      for (const auto& [name, schema] : properties->get_ref<const Json::object_t&>()) {
        const auto [at, is_new] = index.emplace(name, all.size());
        if (is_new) all.emplace_back(name, std::vector<const Json*>());
        all[at->second].second.push_back(&schema);
      }
    }
    return all;
  }

 private:
  /// Documents are bounded in depth, and so are the branches of their `allOf`.
  void add(const Json& schema) {
    if (!schema.is_object()) return;
    parts_.push_back(&schema);
    const Json* const branches = find_member(schema, "allOf");
    if (!branches || !branches->is_array()) return;
    for (const Json& branch : *branches) add(branch);
  }

  std::vector<const Json*> parts_;
};

/// What `type` says: one type, or why it is none.
struct DeclaredType {
  std::string name;
  bool is_union = false;
};

DeclaredType declared_type(const MergedSchema& schema) {
  DeclaredType found;
  const Json* const type = schema.find("type");
  if (type && type->is_string()) found.name = type->get<std::string>();
  if (!type || !type->is_array()) return found;
  for (const Json& one : *type) {
    if (!one.is_string()) continue;
    const auto& name = one.get_ref<const std::string&>();
    if (found.name.empty() || found.name == "null") {
      found.name = name;
    } else if (name != "null" && name != found.name) {
      found.is_union = true;
    }
  }
  return found;
}

/// Returns the schema at `keyword` if it has a `type`.
const Json* typed(const MergedSchema& schema, std::string_view keyword) {
  const Json* const inner = schema.find(keyword);
  return inner && inner->is_object() && MergedSchema(*inner).find("type") ? inner : nullptr;
}

class ColumnsOfSchema {
 public:
  explicit ColumnsOfSchema(TableColumns& found) : found_(found) {}

  std::vector<Column> columns(const MergedSchema& schema, const std::string& pointer, std::size_t depth) {
    std::vector<Column> columns;
    std::map<std::string, std::string> names;  // of the table to those of the JSON
    for (const auto& [name, schemas] : schema.properties()) {
      Column column;
      column.name = name;
      column.pointer = pointer + "/properties/" + escape_pointer_token(name);
      if (name.empty() || name.find('\0') != std::string::npos) {
        found_.problems.push_back(column.pointer + ": expected a name that SQL can have");
        continue;
      }
      const auto [other, is_new] = names.emplace(sql_name(name), name);
      if (!is_new) {
        found_.problems.push_back(column.pointer + ": expected a name that differs from '" + other->second +
                                  "' in more than case and signs, which SQL does not tell apart");
        continue;
      }
      column.type = type_of(MergedSchema(schemas), column.pointer, depth + 1);
      columns.push_back(std::move(column));
    }
    return columns;
  }

 private:
  ColumnType type_of(const MergedSchema& schema, const std::string& pointer, std::size_t depth) {
    const DeclaredType declared = declared_type(schema);
    if (declared.is_union) return json(pointer, "a union");
    if (depth > kMaxDepth) return json(pointer, "more than 64 levels");
    if (declared.name == "string") {
      const Json* const format = schema.find("format");
      return {format && *format == "date-time" ? Kind::date_time : Kind::string, {}};
    }
    if (declared.name == "null") return {Kind::string, {}};
    if (declared.name == "boolean") return {Kind::boolean, {}};
    if (declared.name == "integer") return {Kind::integer, {}};
    if (declared.name == "number") return {Kind::number, {}};
    if (declared.name == "array") {
      if (const Json* const items = typed(schema, "items"))
        return of_one(Kind::array, *items, pointer + "/items", depth);
    } else if (declared.name == "object") {
      if (const Json* const values = typed(schema, "additionalProperties"))
        return of_one(Kind::map, *values, pointer + "/additionalProperties", depth);
      if (std::vector<Column> fields = columns(schema, pointer, depth); !fields.empty())
        return {Kind::structure, std::move(fields)};
    }
    return json(pointer, "no type of a table");
  }

  ColumnType of_one(Kind kind, const Json& schema, const std::string& pointer, std::size_t depth) {
    ColumnType type{kind, {}};
    Column& inner = type.fields.emplace_back();
    inner.pointer = pointer;
    inner.type = type_of(MergedSchema(schema), pointer, depth + 1);
    return type;
  }

  ColumnType json(const std::string& pointer, const char* reason) {
    found_.warnings.push_back(pointer + ": " + reason);
    return {Kind::json, {}};
  }

  TableColumns& found_;
};

void merge_types(ColumnType& into, const Column& older, std::vector<std::string>& differing) {
  if (into.kind != older.type.kind) {
    const auto is_text = [](Kind kind) {
      return kind == Kind::string || kind == Kind::date_time || kind == Kind::json;
    };
    if (!is_text(into.kind) || !is_text(older.type.kind)) differing.push_back(older.pointer);
    return;
  }
  if (into.kind == Kind::structure) {
    for (std::string& pointer : add_older_fields(into.fields, older.type.fields))
      differing.push_back(std::move(pointer));
  } else if (!into.fields.empty()) {
    merge_types(into.fields.front().type, older.type.fields.front(), differing);
  }
}

}  // namespace

std::string sql_name(std::string_view text) {
  std::string name;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if ((static_cast<unsigned char>(c) & 0xC0U) == 0x80) continue;  // of a character that has its `_`
    const bool stays = is_ascii_alphanumeric(c) && !(name.empty() && is_ascii_digit(c));
    name += stays ? to_ascii_lower(c) : '_';
  }
  return name;
}

TableColumns table_columns(const Json& schema) {
  TableColumns found;
  found.columns = ColumnsOfSchema(found).columns(MergedSchema(schema), "", 0);
  if (found.columns.empty() && found.problems.empty())
    found.problems.emplace_back("/properties: expected the fields of an object, which are the columns");
  return found;
}

std::vector<std::string> add_older_fields(std::vector<Column>& columns, const std::vector<Column>& older) {
  std::vector<std::string> differing;
  const std::size_t count = columns.size();
  for (const Column& column : older) {
    const std::string name = sql_name(column.name);
    const auto end = columns.begin() + static_cast<std::ptrdiff_t>(count);
    const auto found =
        std::find_if(columns.begin(), end, [&](const Column& one) { return sql_name(one.name) == name; });
    if (found == end) {
      columns.push_back(column);
    } else {
      merge_types(found->type, column, differing);
    }
  }
  return differing;
}

bool has_date_time(const ColumnType& type) {
  return type.kind == Kind::date_time || std::any_of(type.fields.begin(), type.fields.end(),
                                                     [](const Column& field) { return has_date_time(field.type); });
}

const Column* find_field(const std::vector<Column>& columns, const std::vector<std::string>& keys) {
  const std::vector<Column>* fields = &columns;
  const Column* found = nullptr;
  for (const std::string& key : keys) {
    if (found && found->type.kind != Kind::structure) return nullptr;
    const auto at = std::find_if(fields->begin(), fields->end(), [&](const Column& one) { return one.name == key; });
    if (at == fields->end()) return nullptr;
    found = &*at;
    fields = &at->type.fields;
  }
  return found;
}

}  // namespace eventgate
