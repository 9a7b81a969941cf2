#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "eventgate/base/is_one_of.hpp"

// Keywords of JSON Schema, for the tools that process schema documents.

namespace eventgate {

/// Returns true if the values are equal as JSON. The operator == of ordered_json also compares the order of members.
inline bool equal_json(const nlohmann::ordered_json& a, const nlohmann::ordered_json& b) {
  return nlohmann::json(a) == nlohmann::json(b);
}

/// Returns `value` as JSON on one line for a message, shortened to 100 bytes.
inline std::string brief_json(const nlohmann::ordered_json& value) {
  constexpr std::size_t kMost = 100;
  std::string text = value.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
  return text.size() > kMost ? text.substr(0, kMost) + "..." : text;
}

/// Returns true if the value of the keyword is an object from names to schemas.
inline bool names_schemas(std::string_view keyword) {
  return is_one_of(keyword, {"properties", "patternProperties", "definitions", "dependencies"});
}

/// Returns true if the value of the keyword is event data, in which nothing is a keyword.
inline bool holds_data(std::string_view keyword) { return is_one_of(keyword, {"const", "enum", "default"}); }

/// Calls `visit` with `schema` and each schema inside it that is an object, each with its JSON pointer. Recursive.
template <typename Schema, typename Visit>
void each_schema(Schema& schema, const std::string& pointer, const Visit& visit) {
  if (!schema.is_object()) return;
  visit(schema, pointer);
  for (const auto& member : schema.items()) {
    const std::string& key = member.key();
    auto& value = member.value();
    const std::string at = pointer + "/" + key;
    if (names_schemas(key)) {
      if (value.is_object())
        for (const auto& named : value.items()) each_schema(named.value(), at + "/" + named.key(), visit);
    } else if (is_one_of(key, {"allOf", "anyOf", "oneOf"}) || (key == "items" && value.is_array())) {
      for (std::size_t i = 0; i < value.size(); ++i) each_schema(value[i], at + "/" + std::to_string(i), visit);
    } else if (is_one_of(key, {"items", "additionalItems", "additionalProperties", "contains", "propertyNames", "not",
                               "if", "then", "else"})) {
      each_schema(value, at, visit);
    }
  }
}

}  // namespace eventgate
