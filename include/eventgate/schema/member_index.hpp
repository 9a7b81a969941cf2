#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>

#include "eventgate/base/ordered_json.hpp"

namespace eventgate {

/// Finds members of JSON objects by their key. ordered_json searches an object from its start, so many look-ups in a
/// large object would take quadratic time; this makes a table of each large object when it is first asked for.
///
/// The objects must neither change nor move while this is in use. Use on one thread.
class MemberIndex {
 public:
  using Json = nlohmann::ordered_json;

  /// The member of `value` with the key, or null: there is none, or `value` is no object.
  const Json* find(const Json& value, std::string_view key) {
    if (!value.is_object()) return nullptr;
    const auto& object = value.get_ref<const Json::object_t&>();
    if (object.size() <= kMaxSearched) return find_member(value, key);
    const auto [table, is_new] = tables_.try_emplace(&value);
    if (is_new)
      for (const auto& [name, member] : object) table->second.emplace(name, &member);
    const auto found = table->second.find(key);
    return found == table->second.end() ? nullptr : found->second;
  }

 private:
  /// Members up to which an object is searched from its start.
  static constexpr std::size_t kMaxSearched = 32;
  std::unordered_map<const Json*, std::unordered_map<std::string_view, const Json*>> tables_;
};

}  // namespace eventgate
