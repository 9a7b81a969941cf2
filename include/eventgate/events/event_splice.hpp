#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/events/field_path.hpp"
#include "eventgate/events/json_nodes.hpp"

namespace eventgate {

/// Additions and replacements to be made in the text of an event. The client's bytes in between stay as they are.
///
/// One strand. Keeps its memory when cleared.
class EventSplice {
 public:
  void clear();
  bool empty() const { return additions_.empty() && replacements_.empty(); }

  /// Adds the field at `path` with the JSON text `value`. Objects on the way that are absent are made, once for all
  /// paths that share them. Does nothing if the field is present (or added before), or if a parent on the way is there
  /// and no object. Returns whether it will be added.
  bool add(JsonValue event, const FieldPath& path, std::string_view value);

  /// Adds the member `key` with the JSON text `value` to `object`, which lies in `event` and lacks it.
  void add_member(JsonValue object, std::string_view key, std::string_view value);

  /// Replaces the text of `value`, which lies in `event`, by the JSON text `text`.
  void replace(JsonValue value, std::string_view text);

  /// Appends the event's text with all additions and replacements made: new members come last in their object, in the
  /// order added.
  void apply(JsonValue event, std::string& out);

 private:
  // A design for the .cpp to choose; no allocation once warm.
  struct Addition {
    std::uint32_t
        object;  // node index of the object it goes to, or, with kMade set, index of the addition that makes it
    std::uint32_t key_begin, key_size;
    std::uint32_t value_begin, value_size;
  };
  struct Replacement {
    std::uint32_t node;
    std::uint32_t begin, size;
  };
  std::vector<Addition> additions_;
  std::vector<Replacement> replacements_;
  std::string texts_;
};

}  // namespace eventgate
