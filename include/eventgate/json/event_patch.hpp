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

/// Additions and replacements to be made in the text of an event. The client's bytes in between stay as they are.
///
/// One strand. Keeps its memory when cleared.
class EventPatch {
 public:
  void clear();
  bool empty() const { return edits_.empty(); }

  /// Adds the field at `path` with the JSON text `value`. Objects on the way that are absent are made, once for all
  /// paths that share them. Does nothing if the field is present (or added before), or if a parent on the way is there
  /// and no object. Returns whether it will be added.
  bool add(JsonValue event, const FieldPath& path, std::string_view value);
  /// The same from `within` on, which lies in the event and lacks the first of `keys`.
  bool add(JsonValue within, std::span<const std::string> keys, std::string_view value);

  /// Adds the member `key` with the JSON text `value` to `object`, which lies in the event and lacks it.
  void add_member(JsonValue object, std::string_view key, std::string_view value);

  /// Replaces the text of `value`, which lies in the event, by the JSON text `text`. If that was done before, or what
  /// is around the value was replaced, it stays so; what is added inside a replaced value is lost.
  void replace(JsonValue value, std::string_view text);

  /// Appends the event's text with all additions and replacements made: new members come last in their object, in the
  /// order added. Takes time in proportion to the event's text and, but for a logarithm, to what is made in it.
  /// `added`, if it is not null, are the parts of the event that were added before, in order: they become those of the
  /// new text, with the new members (and the comma before each) among them.
  void apply(JsonValue event, std::string& out, std::vector<TextRange>* added = nullptr);

  /// As `apply` to an empty `out`. If all there is are new members that are strings, or objects made for such, it also
  /// makes the nodes of the new text (`nodes`, which must not be the event's, but for their `text`), at a tenth of what
  /// a parse costs, and returns true. Otherwise the text is still to be parsed.
  bool apply_with_nodes(JsonValue event, std::string& out, JsonNodes& nodes, std::vector<TextRange>* added = nullptr);

 private:
  class NodeCopy;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// A range of `texts_`.
  struct Text {
    std::size_t begin;
    std::size_t size;
  };
  /// A member to be added: one with a value, or an object made for the members inside it.
  struct Member {
    Text key;
    Text value;
    bool made;
    std::uint32_t first_child;
    std::uint32_t last_child;
    std::uint32_t next;  ///< In the same made object.
  };
  /// What is to be put in the place of a range of the event's text, which is empty if it is a member: then it is
  /// before the `}` of its object.
  struct Edit {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint32_t order;
    std::uint32_t member;  ///< kNone if it is `text`.
    std::uint32_t behind;  ///< Of a member: the event's node behind its object.
    Text text;
    bool has_members;  ///< The object, as the client sent it.
  };

  /// A container that something is to be inserted into: its node in the event, and in the new text.
  struct OpenContainer {
    std::uint32_t old;
    std::uint32_t made;
  };

  std::string_view text(Text range) const { return std::string_view(texts_).substr(range.begin, range.size); }
  Text keep(std::string_view text);
  std::uint32_t new_member(std::string_view key, std::string_view value);
  void apply(JsonValue event, std::string& out, std::vector<TextRange>* added, NodeCopy* nodes);
  void append_member(std::uint32_t member, std::string& out, NodeCopy* nodes) const;
  void add_edit(JsonValue object, std::uint32_t member);
  /// Moves `added` for an edit at `position` of the new text, which is a new member or not.
  static void note_edit(std::vector<TextRange>& added, std::size_t position, std::size_t removed, std::size_t inserted,
                        bool member);
  std::vector<Edit> edits_;
  std::vector<Member> members_;
  std::string texts_;
  std::vector<OpenContainer> open_;
  bool strings_only_ = true;  ///< Nothing but members that are strings, and objects made for them.
};

}  // namespace eventgate
