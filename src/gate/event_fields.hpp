#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/events/field_path.hpp"

namespace eventgate {

/// Finds fields of one event after another. The first keys of paths are mostly the same few (`meta`), and each is
/// looked for once.
///
/// One strand. Keeps its memory.
class EventFields {
 public:
  /// Starts with an event. It and the paths given to `find` must live until the next `begin`.
  void begin(JsonValue event) {
    event_ = event;
    members_.clear();
  }

  /// As `path.find(event)`.
  std::optional<JsonValue> find(const FieldPath& path) {
    const std::vector<std::string>& keys = path.keys();
    if (keys.empty()) return event_;
    std::optional<JsonValue> value = first_member(keys[0]);
    for (std::size_t i = 1; i < keys.size() && value; ++i) value = member(*value, keys[i]);
    return value;
  }

 private:
  struct Member {
    std::string_view key;
    std::optional<JsonValue> value;
  };

  const std::optional<JsonValue>& first_member(std::string_view key) {
    for (const Member& known : members_)
      if (known.key == key) return known.value;
    return members_.emplace_back(Member{key, member(event_, key)}).value;
  }

  /// As JsonValue::find, of anything. Most keys differ in size already, or in their first byte.
  static std::optional<JsonValue> member(JsonValue of, std::string_view key) {
    if (!of.is_object() || key.empty()) return of.is_object() ? of.find(key) : std::nullopt;
    const JsonNode* const nodes = of.nodes();
    const char* const text = of.base();
    const std::size_t quoted = key.size() + 2;
    const std::uint32_t end = of.node().next;
    std::uint32_t found = 0;
    for (std::uint32_t at = of.index() + 1; at < end; at = nodes[at + 1].next) {
      const JsonNode& name = nodes[at];
      const bool alike = name.end - name.begin == quoted && text[name.begin + 1] == key[0];
      if (!alike && (name.flags & JsonNode::kEscaped) == 0) continue;
      if (JsonValue(text, nodes, at).string_equals(key)) found = at + 1;
    }
    if (found == 0) return std::nullopt;
    return JsonValue(text, nodes, found);
  }

  JsonValue event_;
  std::vector<Member> members_;
};

}  // namespace eventgate
