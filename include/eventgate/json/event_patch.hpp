#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/json/field_path.hpp"
#include "eventgate/json/json_nodes.hpp"

namespace eventgate {

/// A part of a text: bytes from its start.
struct TextRange {
  std::uint32_t begin;
  std::uint32_t end;
};

/// Edits of an event's text: members to add and values to replace. All other bytes stay as the client sent them.
///
///     patch.add(event, FieldPath("meta.id"), "\"abc\"");   // {"meta":{}} becomes {"meta":{"id":"abc"}}
///     patch.apply(event, text);
///
/// All values passed in must lie in the same event. Use on one thread. Keeps its memory when cleared.
class EventPatch {
 public:
  void clear();
  bool empty() const { return edits_.empty(); }

  /// Adds the field at `path` with the JSON text `value`. Creates missing objects on the way, once for all paths that
  /// share them. Returns false and adds nothing if the event has the field, if it was added before, or if a parent is
  /// not an object.
  bool add(JsonValue event, const FieldPath& path, std::string_view value);
  /// Does the same from the value `within` on, which must lack the first of `keys`.
  bool add(JsonValue within, std::span<const std::string> keys, std::string_view value);

  /// Adds the member `key` with the JSON text `value` to `object`, which must lack it.
  void add_member(JsonValue object, std::string_view key, std::string_view value);

  /// Replaces the text of `value` by the JSON text `text`. An earlier replacement of the same value, or of one around
  /// it, wins. Members added inside a replaced value are lost.
  void replace(JsonValue value, std::string_view text);

  /// Appends the event's text with all edits. New members come last in their object, in the order of their addition.
  /// O(size of the event + n log n) for n edits.
  ///
  /// `added` may be null. Otherwise it holds the ranges of the event that earlier patches added, in order. They become
  /// ranges of the new text, and the new members join them, each with the comma before it.
  void apply(JsonValue event, std::string& out, std::vector<TextRange>* added = nullptr);

  /// Does the same, but clears `out` first. If every edit adds a string or an object created for strings, it also
  /// writes the nodes of the new text and returns true; that costs a tenth of a parse. Otherwise returns false, and the
  /// caller must parse the text. `nodes` must not be those of the event, and `nodes.text` is left to the caller.
  bool apply_with_nodes(JsonValue event, std::string& out, JsonNodes& nodes, std::vector<TextRange>* added = nullptr);

 private:
  class NodeCopy;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// A range of `texts_`.
  struct Text {
    std::size_t begin;
    std::size_t size;
  };
  /// A member to add: one with a value, or a created object that holds other new members.
  struct Member {
    Text key;
    Text value;
    bool is_created_object;
    std::uint32_t first_child;
    std::uint32_t last_child;
    std::uint32_t next;  ///< The next member of the same created object.
  };
  /// A range of the event's text and its replacement. For a new member the range is empty and lies before the `}` of
  /// its object.
  struct Edit {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint32_t order;
    std::uint32_t member;  ///< kNone: replace by `text`.
    std::uint32_t behind;  ///< New member only: the node behind its object.
    Text text;
    bool has_members;  ///< New member only: its object is not empty.
  };

  /// A container into which a member may still be inserted: its node in the event, and in the new text.
  struct OpenContainer {
    std::uint32_t old_node;
    std::uint32_t new_node;
  };

  std::string_view text(Text range) const { return std::string_view(texts_).substr(range.begin, range.size); }
  Text store_text(std::string_view text);
  std::uint32_t new_member(std::string_view key, std::string_view value);
  void apply(JsonValue event, std::string& out, std::vector<TextRange>* added, NodeCopy* nodes);
  void append_member(std::uint32_t member, std::string& out, NodeCopy* nodes) const;
  void add_edit(JsonValue object, std::uint32_t member);
  /// Moves the ranges of `added` for an edit at `position` of the new text. `is_member` says that it adds a member.
  static void update_ranges(std::vector<TextRange>& added, std::size_t position, std::size_t removed,
                            std::size_t inserted, bool is_member);
  std::vector<Edit> edits_;
  std::vector<Member> members_;
  std::string texts_;
  std::vector<OpenContainer> open_;
  bool strings_only_ = true;  ///< Every edit adds a string, or an object created for strings.
};

}  // namespace eventgate
