#pragma once

#include <cstddef>
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
    std::optional<JsonValue> value = member(keys[0]);
    for (std::size_t i = 1; i < keys.size() && value; ++i)
      value = value->is_object() ? value->find(keys[i]) : std::nullopt;
    return value;
  }

 private:
  struct Member {
    std::string_view key;
    std::optional<JsonValue> value;
  };

  const std::optional<JsonValue>& member(std::string_view key) {
    for (const Member& known : members_)
      if (known.key == key) return known.value;
    const bool object = event_.is_object();
    return members_.emplace_back(Member{key, object ? event_.find(key) : std::nullopt}).value;
  }

  JsonValue event_;
  std::vector<Member> members_;
};

}  // namespace eventgate
