#include "schema_conventions.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <unordered_map>

#include "eventgate/base/json_pointer.hpp"
#include "eventgate/schema/schema_keywords.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;
using Problems = std::vector<ConventionProblem>;

/// Calls `visit` with each object that declares fields, and its JSON pointer.
template <typename Visit>
void each_properties(const Json& schema, const Visit& visit) {
  each_schema(schema, "", [&](const Json& one, const std::string& pointer) {
    const auto properties = one.find("properties");
    if (properties != one.end() && properties->is_object()) visit(*properties, pointer + "/properties", one);
  });
}

const Json* keyword(const Json& schema, const char* key) {
  if (!schema.is_object()) return nullptr;
  const auto found = schema.find(key);
  return found == schema.end() ? nullptr : &*found;
}

/// Returns true if JavaScript takes the value for true.
bool says_something(const Json* value) {
  if (!value || value->is_null() || *value == false) return false;
  if (value->is_string()) return !value->get_ref<const std::string&>().empty();
  return !value->is_number() || value->get<double>() != 0;
}

class Types {
 public:
  Problems found;

  void check(const Json& node, const std::string& at) {
    if (!node.is_object()) return;
    const Json* const type = keyword(node, "type");
    if (type && type->is_array()) {
      add(at, "expected one type, found " + brief_json(*type));
      return;
    }
    const std::string name = type && type->is_string() ? type->get<std::string>() : "";
    if (name == "array") check_items(node, at);
    if (name == "object") check_fields_or_map(node, at);
    if (const Json* const values = keyword(node, "enum"); values && values->is_array())
      if (std::any_of(values->begin(), values->end(), [](const Json& value) { return value.is_null(); }))
        add(at, "expected an enum without null");
    if (const Json* const properties = keyword(node, "properties"); properties && properties->is_object()) {
      for (const auto& [key, property] : properties->items()) {
        const std::string inner = at + "/properties/" + escape_pointer_token(key);
        if (!says_something(keyword(property, "type")))
          add(inner, "expected a type");
        else
          check(property, inner);
      }
    }
    if (const Json* const branches = keyword(node, "allOf"); branches && branches->is_array())
      for (std::size_t i = 0; i < branches->size(); ++i) check((*branches)[i], at + "/allOf/" + std::to_string(i));
    check_one_of(node, at);
  }

 private:
  void add(const std::string& at, std::string message) { found.push_back({at, std::move(message)}); }

  void check_items(const Json& node, const std::string& at) {
    const Json* const items = keyword(node, "items");
    if (!items || !says_something(keyword(*items, "type")))
      add(at, "expected items.type of an array");
    else
      check(*items, at + "/items");
  }

  void check_fields_or_map(const Json& node, const std::string& at) {
    const Json* const values = keyword(node, "additionalProperties");
    if (!says_something(keyword(node, "properties")) && !says_something(keyword(node, "oneOf")) &&
        !says_something(keyword(node, "allOf")) && !says_something(values))
      add(at, "expected properties of an object, or additionalProperties of a map");
    if (says_something(values)) check(*values, at + "/additionalProperties");
  }

  void check_one_of(const Json& node, const std::string& at) {
    const Json* const branches = keyword(node, "oneOf");
    if (!branches || !branches->is_array() || branches->empty()) return;
    const auto value_of = [](const Json& branch, const char* key) {
      const Json* const value = keyword(branch, key);
      return value ? *value : Json();
    };
    const auto required_of = [&](const Json& branch) {
      const Json required = value_of(branch, "required");
      return required.is_array() ? std::set<Json>(required.begin(), required.end()) : std::set<Json>();
    };
    const Json type = value_of(branches->front(), "type");
    bool same = true;
    for (const Json& branch : *branches)
      same = same && value_of(branch, "type") == type &&
             (type != "object" || required_of(branch) == required_of(branches->front()));
    if (!same) add(at + "/oneOf", "expected branches of one type with the same required fields");
    for (std::size_t i = 0; i < branches->size(); ++i) check((*branches)[i], at + "/oneOf/" + std::to_string(i));
  }
};

void add_required_problems(const Json& node, const std::string& at, Problems& found) {
  const Json* const required = keyword(node, "required");
  const Json* const properties = keyword(node, "properties");
  if (required && required->is_array())
    for (const Json& name : *required)
      if (name.is_string() &&
          (!properties || !properties->is_object() || !properties->contains(name.get<std::string>())))
        found.push_back({at + "/required", "expected the required field '" + name.get<std::string>() +
                                               "' among the properties, found it missing"});
  if (properties && properties->is_object())
    for (const auto& [key, property] : properties->items())
      add_required_problems(property, at + "/properties/" + escape_pointer_token(key), found);
}

bool is_snake_case(std::string_view name) {  // [$a-z]+[a-z0-9_]*
  const auto small = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t at = 0;
  while (at < name.size() && (small(name[at]) || name[at] == '$')) ++at;
  if (at == 0) return false;
  return std::all_of(name.begin() + static_cast<std::ptrdiff_t>(at), name.end(),
                     [&](char c) { return small(c) || digit(c) || c == '_'; });
}

}  // namespace

Problems snake_case_problems(const Json& schema) {
  Problems found;
  each_properties(schema, [&](const Json& properties, const std::string& at, const Json&) {
    for (const auto& property : properties.items())
      if (!is_snake_case(property.key()))
        found.push_back({at + "/" + escape_pointer_token(property.key()), "expected a field name in snake_case"});
  });
  return found;
}

Problems type_problems(const Json& schema) {
  Types types;
  types.check(schema, "");
  return std::move(types.found);
}

Problems required_problems(const Json& schema) {
  Problems found;
  add_required_problems(schema, "", found);
  return found;
}

Problems bound_problems(const Json& schema, const std::pair<double, double>& bounds) {
  Problems found;
  each_schema(schema, "", [&](const Json& one, const std::string& pointer) {
    const Json* const type = keyword(one, "type");
    if (!type || (*type != "number" && *type != "integer")) return;
    // jsonschema-tools sets no bounds inside these.
    for (const char* const branch : {"/if/", "/then/", "/else/"})
      if ((pointer + '/').find(branch) != std::string::npos) return;
    const Json* const minimum = keyword(one, "minimum");
    const Json* const maximum = keyword(one, "maximum");
    if (!minimum || !minimum->is_number())
      found.push_back({pointer, "expected a minimum of a number"});
    else if (minimum->get<double>() < bounds.first)
      found.push_back({pointer + "/minimum", "expected at least " + Json(bounds.first).dump()});
    if (!maximum || !maximum->is_number())
      found.push_back({pointer, "expected a maximum of a number"});
    else if (maximum->get<double>() > bounds.second)
      found.push_back({pointer + "/maximum", "expected at most " + Json(bounds.second).dump()});
  });
  return found;
}

Problems field_name_problems(const Json& schema) {
  Problems found;
  each_properties(schema, [&](const Json& properties, const std::string& at, const Json&) {
    std::unordered_map<std::string, std::string> columns;
    for (const auto& property : properties.items()) {
      std::string column;
      for (const char c : property.key()) {
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool is_digit = c >= '0' && c <= '9';
        if (is_digit && column.empty()) column += '_';
        column += is_letter ? static_cast<char>(c | 0x20) : is_digit ? c : '_';
      }
      const auto [other, is_new] = columns.emplace(column, property.key());
      if (!is_new)
        found.push_back(
            {at + "/" + escape_pointer_token(property.key()),
             "expected a name that a table can tell from '" + other->second + "': both make the column " + column});
    }
  });
  return found;
}

}  // namespace eventgate
