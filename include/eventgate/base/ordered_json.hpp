#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

// Access to members of an ordered_json. Its own functions search the object from its start, insertions too, so that
// building an object by them takes quadratic time.

namespace eventgate {

/// Returns the member of `object` named `key`, or null: there is none, or `object` is not an object. Linear.
inline const nlohmann::ordered_json* find_member(const nlohmann::ordered_json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  for (const auto& [name, value] : object.get_ref<const nlohmann::ordered_json::object_t&>())
    if (name == key) return &value;
  return nullptr;
}

/// Appends a member whose name the object must not have yet. Takes constant time.
inline void append_member(nlohmann::ordered_json& object, std::string key, nlohmann::ordered_json value) {
  object.get_ref<nlohmann::ordered_json::object_t&>().emplace_back(std::move(key), std::move(value));
}

}  // namespace eventgate
