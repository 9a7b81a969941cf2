#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace eventgate {

/// Whether the value of the keyword is an object of names to schemas.
inline bool names_schemas(std::string_view keyword) {
  return keyword == "properties" || keyword == "patternProperties" || keyword == "definitions" ||
         keyword == "dependencies";
}

/// Whether the value of the keyword is data of events, in which nothing is a keyword.
inline bool holds_data(std::string_view keyword) {
  return keyword == "const" || keyword == "enum" || keyword == "default";
}

/// Calls `visit` with `schema` and each schema inside it, and where that is (a JSON pointer).
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
    } else if (key == "allOf" || key == "anyOf" || key == "oneOf" || (key == "items" && value.is_array())) {
      for (std::size_t i = 0; i < value.size(); ++i) each_schema(value[i], at + "/" + std::to_string(i), visit);
    } else if (key == "items" || key == "additionalItems" || key == "additionalProperties" || key == "contains" ||
               key == "propertyNames" || key == "not" || key == "if" || key == "then" || key == "else") {
      each_schema(value, at, visit);
    }
  }
}

}  // namespace eventgate
