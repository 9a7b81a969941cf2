#include "eventgate/repository/typescript.hpp"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "eventgate/base/ascii.hpp"

namespace eventgate {

namespace {

using Json = nlohmann::ordered_json;

/// Schemas inside one another that are read. A deeper one is `unknown`.
constexpr std::size_t kMaxDepth = 60;

std::string type_of(const Json& schema, std::size_t indent, std::size_t depth);

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

/// Returns a property's name, in quotes if it needs them.
std::string property_name(const std::string& name) {
  const bool is_plain =
      !name.empty() && !(name.front() >= '0' && name.front() <= '9') && std::all_of(name.begin(), name.end(), is_word);
  return is_plain ? name : typescript_literal(name);
}

std::string text_at(const Json& schema, const char* key) {
  const auto found = schema.find(key);
  return found != schema.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Returns the value at `key` if it is a list or an object, as `is_right` says, and not empty.
template <typename Predicate>
const Json* part_at(const Json& schema, const char* key, Predicate is_right) {
  const auto found = schema.find(key);
  return found != schema.end() && is_right(*found) && !found->empty() ? &*found : nullptr;
}

const Json* list_at(const Json& schema, const char* key) {
  return part_at(schema, key, [](const Json& value) { return value.is_array(); });
}
const Json* object_at(const Json& schema, const char* key) {
  return part_at(schema, key, [](const Json& value) { return value.is_object(); });
}

std::string literal_of(const Json& value) {
  if (value.is_string()) return typescript_literal(value.get_ref<const std::string&>());
  if (value.is_structured()) return "unknown";
  return value.dump();
}

/// Returns the different types of `types`, joined.
std::string joined(const std::vector<std::string>& types, const char* separator) {
  std::string text;
  std::set<std::string> seen;
  for (const std::string& type : types)
    if (seen.insert(type).second) text.append(text.empty() ? "" : separator).append(type);
  return text;
}

/// Returns `type` in parentheses if it is a union or an intersection.
std::string grouped(const std::string& type) {
  return type.find(" | ") == std::string::npos && type.find(" & ") == std::string::npos ? type : "(" + type + ")";
}

/// Returns the members of an object type, each on a line.
std::string members_of(const Json& schema, std::size_t indent, std::size_t depth) {
  std::set<std::string> required;
  if (const Json* const names = list_at(schema, "required"))
    for (const Json& name : *names)
      if (name.is_string()) required.insert(name.get<std::string>());
  std::string text;
  const std::string margin(indent, ' ');
  const Json* const properties = object_at(schema, "properties");
  if (properties)
    for (const auto& [name, value] : properties->items()) {
      if (value.is_object()) text += typescript_comment(text_at(value, "description"), indent);
      text += margin + property_name(name) + (required.contains(name) ? ": " : "?: ");
      text += type_of(value, indent, depth + 1) + ";\n";
    }
  const auto more = schema.find("additionalProperties");
  if (more != schema.end() && more->is_object())
    text += margin + "[key: string]: " + (properties ? "unknown" : type_of(*more, indent, depth + 1)) + ";\n";
  return text;
}

std::string object_type(const Json& schema, std::size_t indent, std::size_t depth) {
  const std::string members = members_of(schema, indent + 2, depth);
  return members.empty() ? "{ [key: string]: unknown }" : "{\n" + members + std::string(indent, ' ') + "}";
}

std::string named_type(const std::string& type, const Json& schema, std::size_t indent, std::size_t depth) {
  if (type == "string" || type == "boolean" || type == "null") return type;
  if (type == "integer" || type == "number") return "number";
  if (type == "object") return object_type(schema, indent, depth);
  if (type != "array") return "unknown";
  const Json* const items = object_at(schema, "items");
  return (items ? grouped(type_of(*items, indent, depth + 1)) : "unknown") + "[]";
}

/// Returns the union of the types of the schemas in `list`, or their intersection.
std::string combined_type(const Json& list, const char* separator, std::size_t indent, std::size_t depth) {
  std::vector<std::string> types;
  for (const Json& each : list) {
    std::string type = type_of(each, indent, depth + 1);
    // A schema that only narrows, such as {required: [a]}, says nothing that types can say.
    if (type != "unknown") types.push_back(grouped(type));
  }
  return types.size() == list.size() || separator[1] == '&' ? joined(types, separator) : std::string();
}

/// Returns the type by the keyword `type`, or by the keywords that only objects have. Returns an empty text if none
/// says.
std::string own_type(const Json& schema, std::size_t indent, std::size_t depth) {
  const auto type = schema.find("type");
  if (type != schema.end() && type->is_string()) return named_type(type->get<std::string>(), schema, indent, depth);
  if (const Json* const list = list_at(schema, "type")) {
    std::vector<std::string> types;
    for (const Json& each : *list)
      if (each.is_string()) types.push_back(grouped(named_type(each.get<std::string>(), schema, indent, depth)));
    return joined(types, " | ");
  }
  return object_at(schema, "properties") ? object_type(schema, indent, depth) : std::string();
}

std::string type_of(const Json& schema, std::size_t indent, std::size_t depth) {
  if (schema.is_boolean()) return schema.get<bool>() ? "unknown" : "never";
  if (!schema.is_object() || depth > kMaxDepth || schema.contains("$ref")) return "unknown";
  if (const auto constant = schema.find("const"); constant != schema.end()) return literal_of(*constant);
  if (const Json* const values = list_at(schema, "enum")) {
    std::vector<std::string> types;
    for (const Json& value : *values) types.push_back(literal_of(value));
    return joined(types, " | ");
  }
  std::vector<std::string> all;
  if (const std::string own = own_type(schema, indent, depth); !own.empty()) all.push_back(grouped(own));
  if (const Json* const parts = list_at(schema, "allOf"))
    if (const std::string type = combined_type(*parts, " & ", indent, depth); !type.empty()) all.push_back(type);
  for (const char* const keyword : {"anyOf", "oneOf"})
    if (const Json* const choices = list_at(schema, keyword))
      if (const std::string type = combined_type(*choices, " | ", indent, depth); !type.empty())
        all.push_back(grouped(type));
  if (all.empty()) return "unknown";
  const std::string type = joined(all, " & ");
  // One union needs no parentheses.
  return all.size() == 1 && type.front() == '(' && type.back() == ')' ? type.substr(1, type.size() - 2) : type;
}

}  // namespace

std::string typescript_name(std::string_view title) {
  std::string name;
  bool begins = true;
  for (const char c : title) {
    if (!is_word(c) || c == '_' || c == '$') {
      begins = true;
      continue;
    }
    name += begins ? static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c) : c;
    begins = false;
  }
  return name.empty() || (name.front() >= '0' && name.front() <= '9') ? "Schema" + name : name;
}

std::string typescript_literal(std::string_view text) {
  const std::string json = Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
  std::string out = "'";
  for (std::size_t i = 1; i + 1 < json.size(); ++i) {
    if (json[i] == '\\' && json[i + 1] == '"') continue;  // the quote needs no backslash here
    if (json[i] == '\'') out += '\\';
    out += json[i];
    if (json[i] == '\\') out += json[++i];
  }
  return out + "'";
}

std::string typescript_comment(std::string_view description, std::size_t indent) {
  if (description.empty()) return {};
  std::string text;
  for (const char c : description) {
    if (c == '/' && !text.empty() && text.back() == '*') text += ' ';  // it would end the comment
    text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return std::string(indent, ' ') + "/** " + std::string(trim(text)) + " */\n";
}

std::string typescript_interface(const std::string& name, const Json& schema, const std::string& uri,
                                 const std::string& uri_field) {
  Json event = schema.is_object() ? schema : Json::object();
  event["properties"][uri_field] = {{"const", uri}};
  Json required = Json::array({uri_field});
  if (const Json* const names = list_at(event, "required"))
    for (const Json& each : *names)
      if (each != uri_field) required.push_back(each);
  event["required"] = std::move(required);
  event["type"] = "object";
  const std::string comment = typescript_comment(text_at(event, "description"), 0);
  const std::string type = type_of(event, 0, 0);
  if (type.front() == '{' && type.find('}') != std::string::npos && !event.contains("allOf") &&
      !event.contains("anyOf") && !event.contains("oneOf"))
    return comment + "export interface " + name + " " + type + "\n";
  return comment + "export type " + name + " = " + type + ";\n";
}

}  // namespace eventgate
