#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>

#include "eventgate/base/ordered_json.hpp"

namespace eventgate {

/// Finds members of JSON objects by their key. Many look-ups in one large ordered_json would take quadratic time,
/// because it searches from its start. This class makes a hash table of each large object at the first look-up.
///
/// The objects must neither change nor move during its use. Use on one thread.
class MemberIndex {
 public:
  using Json = nlohmann::ordered_json;

  /// Returns the member of `value` named `key`, or null: there is none, or `value` is not an object.
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
  /// Objects with at most so many members are searched from their start, which is faster than a table.
  static constexpr std::size_t kMaxSearched = 32;
  std::unordered_map<const Json*, std::unordered_map<std::string_view, const Json*>> tables_;
};

}  // namespace eventgate
