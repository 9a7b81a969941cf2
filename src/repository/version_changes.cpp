#include "eventgate/repository/version_changes.hpp"
#include "eventgate/base/json_pointer.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "eventgate/schema/member_index.hpp"
#include "eventgate/schema/schema_keywords.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

/// Returns true for keywords that do not affect events.
bool is_descriptive(std::string_view key) {
  return is_one_of(key, {"$id", "id", "title", "description", "examples", "$comment", "definitions"});
}

/// Returns true if a new keyword can make a valid event invalid.
bool restricts(std::string_view key, const Json& value) {
  if (is_one_of(key, {"additionalProperties", "additionalItems", "items", "contains", "propertyNames",
                      "patternProperties", "dependencies"}))
    return value != true && !(value.is_object() && value.empty());
  if (is_one_of(key, {"minLength", "minItems", "minProperties"})) return value != 0;
  if (key == "uniqueItems") return value != false;
  return is_one_of(key, {"type",      "enum",
                         "const",     "multipleOf",
                         "maximum",   "exclusiveMaximum",
                         "minimum",   "exclusiveMinimum",
                         "maxLength", "pattern",
                         "maxItems",  "maxProperties",
                         "if",        "then",
                         "else",      "allOf",
                         "anyOf",     "oneOf",
                         "not",       "format",
                         "$ref"});
}

class VersionComparison {
 public:
  void compare(const Json& older, const Json& newer, const std::string& at);
  std::vector<SchemaChange> found;

 private:
  void add(const std::string& at, const std::string& what, bool compatible = false) {
    found.push_back({at.empty() ? "/" : at, what, compatible});
  }
  void add_changed(const std::string& at, const Json& older, const Json& newer, bool compatible) {
    if (!equal_json(older, newer)) add(at, "is " + brief_json(newer) + ", it was " + brief_json(older), compatible);
  }
  void compare_keyword(const std::string& key, const Json& older, const Json& newer, const std::string& at);
  void compare_names(const std::string& key, const Json& older, const Json& newer, const std::string& at);
  void compare_required(const Json& older, const Json& newer, const std::string& at);
  void compare_values(const Json& older, const Json& newer, const std::string& at);

  MemberIndex members_;
};

void VersionComparison::compare(const Json& older, const Json& newer, const std::string& at) {
  if (!older.is_object() || !newer.is_object()) return compare_values(older, newer, at);
  static const Json kNone = Json::array();
  compare_required(older.contains("required") ? older["required"] : kNone,
                   newer.contains("required") ? newer["required"] : kNone, at);
  for (const auto& member : older.items()) {
    const std::string& key = member.key();
    if (key == "required") continue;
    const std::string inner = at + "/" + escape_pointer_token(key);
    if (is_descriptive(key)) {
      if (const Json* now = members_.find(newer, key))
        add_changed(inner, member.value(), *now, true);
      else
        add(inner, "is gone", true);
      continue;
    }
    if (const Json* now = members_.find(newer, key)) {
      compare_keyword(key, member.value(), *now, at);
    } else if (key == "properties") {
      compare_names(key, member.value(), Json::object(), inner);
    } else {
      // No bound is the largest bound.
      add(inner, "is gone, it was " + brief_json(member.value()), key == "maxLength");
    }
  }
  for (const auto& member : newer.items()) {
    const std::string& key = member.key();
    if (key == "required" || members_.find(older, key)) continue;
    const std::string inner = at + "/" + escape_pointer_token(key);
    if (key == "properties")
      compare_names(key, Json::object(), member.value(), inner);
    else
      add(inner, "is new: " + brief_json(member.value()), !restricts(key, member.value()));
  }
}

void VersionComparison::compare_keyword(const std::string& key, const Json& older, const Json& newer,
                                        const std::string& at) {
  const std::string inner = at + "/" + escape_pointer_token(key);
  if (names_schemas(key)) return compare_names(key, older, newer, inner);
  if (is_one_of(key,
                {"items", "additionalItems", "additionalProperties", "contains", "propertyNames", "then", "else"}) &&
      older.is_object() && newer.is_object())
    return compare(older, newer, inner);
  if (is_one_of(key, {"allOf", "anyOf", "oneOf", "items"}) && older.is_array() && newer.is_array() &&
      older.size() == newer.size()) {
    for (std::size_t i = 0; i < older.size(); ++i) compare(older[i], newer[i], inner + "/" + std::to_string(i));
    return;
  }
  if (key == "enum" && older.is_array() && newer.is_array()) {
    for (const Json& value : older)
      if (std::none_of(newer.begin(), newer.end(), [&](const Json& other) { return equal_json(value, other); }))
        add(inner, brief_json(value) + " is gone");
    for (const Json& value : newer)
      if (std::none_of(older.begin(), older.end(), [&](const Json& other) { return equal_json(value, other); }))
        add(inner, brief_json(value) + " is new", true);
    return;
  }
  if (is_one_of(key, {"maxLength", "maxItems", "maxProperties"}) && older.is_number() && newer.is_number() &&
      newer >= older)
    return add_changed(inner, older, newer, true);
  compare_values(older, newer, inner);
}

void VersionComparison::compare_names(const std::string& key, const Json& older, const Json& newer,
                                      const std::string& at) {
  if (!older.is_object() || !newer.is_object()) return compare_values(older, newer, at);
  for (const auto& member : older.items()) {
    const std::string inner = at + "/" + escape_pointer_token(member.key());
    if (const Json* now = members_.find(newer, member.key())) {
      compare(member.value(), *now, inner);
    } else {
      add(inner, "is gone");
    }
  }
  for (const auto& member : newer.items())
    if (!members_.find(older, member.key()))
      add(at + "/" + escape_pointer_token(member.key()), "is new", key == "properties");
}

void VersionComparison::compare_required(const Json& older, const Json& newer, const std::string& at) {
  if (!older.is_array() || !newer.is_array()) return compare_values(older, newer, at + "/required");
  const std::set<Json> before(older.begin(), older.end()), after(newer.begin(), newer.end());
  for (const Json& name : after)
    if (!before.contains(name)) add(at + "/required", brief_json(name) + " is required, it was optional");
  for (const Json& name : before)
    if (!after.contains(name)) add(at + "/required", brief_json(name) + " is optional, it was required");
}

void VersionComparison::compare_values(const Json& older, const Json& newer, const std::string& at) {
  add_changed(at, older, newer, false);
}

}  // namespace

std::vector<SchemaChange> schema_changes(const Json& older, const Json& newer) {
  VersionComparison changes;
  changes.compare(older, newer, "");
  return std::move(changes.found);
}

std::vector<SchemaChange> incompatible_changes(const Json& older, const Json& newer) {
  std::vector<SchemaChange> changes = schema_changes(older, newer);
  std::erase_if(changes, [](const SchemaChange& change) { return change.compatible; });
  return changes;
}

}  // namespace eventgate
