#include "eventgate/json/event_patch.hpp"

#include <algorithm>
#include <tuple>

#include "eventgate/json/json_text.hpp"

namespace eventgate {

/// Copies the nodes of an event into the nodes of the new text, with those of inserted members between them.
class EventPatch::NodeCopy {
 public:
  /// `inserted` is the limit of inserted nodes.
  NodeCopy(JsonValue event, std::size_t inserted, JsonNodes& to, std::vector<OpenContainer>& open)
      : old_(event.nodes()), next_(event.index()), to_(to), shift_(0 - event.node().begin), open_(open) {
    to_.nodes.resize(event.node().next - event.index() + inserted);
    to_.interop_issues.clear();
    out_ = to_.nodes.data();
  }

  /// Copies the event's nodes up to an object whose `}` is at `position`. The next member is added at the end of this
  /// object. `behind` is the node behind the object.
  void copy_up_to(std::uint32_t behind, std::uint32_t position) {
    close(position);
    copy(behind, position);
  }
  /// Moves all later offsets by `bytes`.
  void add_inserted_size(std::size_t bytes) { shift_ += static_cast<std::uint32_t>(bytes); }

  void add_string(std::size_t begin, std::size_t end, bool escaped) {
    out_[count_] = {static_cast<std::uint32_t>(begin),
                    static_cast<std::uint32_t>(end),
                    count_ + 1,
                    JsonType::string,
                    escaped ? JsonNode::kEscaped : std::uint8_t{0},
                    0};
    ++count_;
  }
  std::uint32_t begin_object(std::size_t begin) {
    out_[count_] = {static_cast<std::uint32_t>(begin), 0, 0, JsonType::object, 0, 0};
    return count_++;
  }
  void end_object(std::uint32_t object, std::size_t end) {
    out_[object].end = static_cast<std::uint32_t>(end);
    out_[object].next = count_;
  }

  /// Copies the remaining nodes.
  void finish(std::uint32_t behind) {
    close(kNone);
    copy(behind, kNone);
    to_.nodes.resize(count_);
  }

 private:
  /// Returns the difference between the indexes of a new node and its old one, modulo 2^32.
  std::uint32_t index_shift() const { return count_ - next_; }

  /// Copies up to the old node `behind`. Containers that end behind `position` of the old text stay open.
  void copy(std::uint32_t behind, std::uint32_t position) {
    const std::uint32_t shift = shift_, move = index_shift();
    const JsonNode* const old = old_;
    JsonNode* const out = out_;
    for (std::uint32_t i = next_; i != behind; ++i) {
      const JsonNode node = old[i];
      out[i + move] = {node.begin + shift, node.end + shift, node.next + move, node.type, node.flags, 0};
      if (node.type >= JsonType::object && node.end > position) open_.push_back({i, i + move});
    }
    next_ = behind;
    count_ = behind + move;
  }

  /// Completes the open containers that end before `position` of the old text: no more members are inserted there.
  void close(std::uint32_t position) {
    for (; !open_.empty() && old_[open_.back().old_node].end <= position; open_.pop_back()) {
      const JsonNode& old = old_[open_.back().old_node];
      out_[open_.back().new_node].end = old.end + shift_;
      out_[open_.back().new_node].next = old.next + index_shift();
    }
  }

  const JsonNode* const old_;
  std::uint32_t next_;  // the first old node that is not copied yet
  JsonNodes& to_;
  JsonNode* out_;
  std::uint32_t count_ = 0;
  std::uint32_t shift_;  // difference between a new offset and its old one, modulo 2^32
  std::vector<OpenContainer>& open_;
};

void EventPatch::clear() {
  edits_.clear();
  members_.clear();
  texts_.clear();
  strings_only_ = true;
}

bool EventPatch::add(JsonValue event, const FieldPath& path, std::string_view value) {
  JsonValue object = event;
  std::span<const std::string> keys(path.keys());
  for (; !keys.empty() && object.is_object(); keys = keys.subspan(1)) {
    const std::optional<JsonValue> found = object.find(keys[0]);
    if (!found) break;
    object = *found;
  }
  return add(object, keys, value);
}

bool EventPatch::add(JsonValue within, std::span<const std::string> keys, std::string_view value) {
  if (keys.empty() || !within.is_object()) return false;
  auto key = keys.begin();
  const auto last = keys.end() - 1;

  // Descend through objects that this patch has created before.
  const std::uint32_t position = within.node().end - 1;
  std::uint32_t member = kNone;
  for (const Edit& edit : edits_)
    if (edit.begin == position && edit.member != kNone && text(members_[edit.member].key) == *key) member = edit.member;
  std::uint32_t parent = kNone;
  while (member != kNone) {
    if (key == last || !members_[member].is_created_object) return false;
    parent = member;
    ++key;
    member = members_[parent].first_child;
    while (member != kNone && text(members_[member].key) != *key) member = members_[member].next;
  }

  for (;; ++key) {
    const std::uint32_t created = new_member(*key, key == last ? value : std::string_view());
    members_[created].is_created_object = key != last;
    if (parent == kNone) {
      add_edit(within, created);
    } else {
      Member& into = members_[parent];
      (into.first_child == kNone ? into.first_child : members_[into.last_child].next) = created;
      into.last_child = created;
    }
    if (key == last) return true;
    parent = created;
  }
}

void EventPatch::add_member(JsonValue object, std::string_view key, std::string_view value) {
  add_edit(object, new_member(key, value));
}

void EventPatch::replace(JsonValue value, std::string_view text) {
  const JsonNode& node = value.node();
  edits_.push_back(
      {node.begin, node.end, static_cast<std::uint32_t>(edits_.size()), kNone, kNone, store_text(text), false});
  strings_only_ = false;
}

void EventPatch::apply(JsonValue event, std::string& out, std::vector<TextRange>* added) {
  apply(event, out, added, nullptr);
}

bool EventPatch::apply_with_nodes(JsonValue event, std::string& out, JsonNodes& nodes, std::vector<TextRange>* added) {
  out.clear();
  if (!strings_only_) {
    apply(event, out, added, nullptr);
    return false;
  }
  NodeCopy copy(event, 2 * members_.size(), nodes, open_);
  apply(event, out, added, &copy);
  copy.finish(event.node().next);
  return true;
}

void EventPatch::apply(JsonValue event, std::string& out, std::vector<TextRange>* added, NodeCopy* nodes) {
  std::sort(edits_.begin(), edits_.end(),
            [](const Edit& a, const Edit& b) { return std::tie(a.begin, a.order) < std::tie(b.begin, b.order); });
  out.reserve(out.size() + event.source().size() + texts_.size() + 6 * members_.size());
  std::uint32_t copied = event.node().begin;
  std::uint32_t last_object = kNone;  // position of the `}` of the object that got the last member
  const std::size_t start = out.size();
  for (const Edit& edit : edits_) {
    if (edit.begin < copied) continue;
    out.append(event.base() + copied, event.base() + edit.begin);
    copied = edit.end;
    const std::size_t begin = out.size();
    if (edit.member == kNone) {
      out += text(edit.text);
    } else {
      if (edit.has_members || edit.begin == last_object) out += ',';
      last_object = edit.begin;
      if (nodes) nodes->copy_up_to(edit.behind, edit.begin);
      append_member(edit.member, out, nodes);
      if (nodes) nodes->add_inserted_size(out.size() - begin);
    }
    if (added) update_ranges(*added, begin - start, edit.end - edit.begin, out.size() - begin, edit.member != kNone);
  }
  out.append(event.base() + copied, event.base() + event.node().end);
}

void EventPatch::update_ranges(std::vector<TextRange>& added, std::size_t position, std::size_t removed,
                               std::size_t inserted, bool is_member) {
  const auto at = static_cast<std::uint32_t>(position);
  const auto growth = static_cast<std::uint32_t>(inserted - removed);  // modulo 2^32, because it may be negative
  auto after = added.end();
  bool inside = false;
  while (after != added.begin() && (after - 1)->end > at) {
    --after;
    after->end += growth;
    inside = after->begin < at;
    if (!inside) after->begin += growth;
  }
  if (!is_member || inside) return;
  if (after != added.begin() && (after - 1)->end == at) {
    (after - 1)->end += static_cast<std::uint32_t>(inserted);
  } else {
    added.insert(after, {at, at + static_cast<std::uint32_t>(inserted)});
  }
}

// Recursive in the length of a field path.
void EventPatch::append_member(std::uint32_t index, std::string& out, NodeCopy* nodes) const {
  const Member& member = members_[index];
  const std::size_t key = out.size();
  append_json_string(out, text(member.key));
  if (nodes) nodes->add_string(key, out.size(), out.size() - key != member.key.size + 2);
  out += ':';
  const std::size_t value = out.size();
  if (!member.is_created_object) {
    out += text(member.value);
    if (nodes) nodes->add_string(value, out.size(), text(member.value).find('\\') != std::string_view::npos);
    return;
  }
  const std::uint32_t object = nodes ? nodes->begin_object(value) : kNone;
  out += '{';
  for (std::uint32_t child = member.first_child; child != kNone; child = members_[child].next) {
    if (child != member.first_child) out += ',';
    append_member(child, out, nodes);
  }
  out += '}';
  if (nodes) nodes->end_object(object, out.size());
}

void EventPatch::add_edit(JsonValue object, std::uint32_t member) {
  const JsonNode& node = object.node();
  edits_.push_back({node.end - 1,
                    node.end - 1,
                    static_cast<std::uint32_t>(edits_.size()),
                    member,
                    node.next,
                    {},
                    object.begin() != object.end()});
}

std::uint32_t EventPatch::new_member(std::string_view key, std::string_view value) {
  const Text kept_key = store_text(key);
  members_.push_back({kept_key, store_text(value), false, kNone, kNone, kNone});
  strings_only_ = strings_only_ && (value.empty() || value.front() == '"');
  return static_cast<std::uint32_t>(members_.size() - 1);
}

EventPatch::Text EventPatch::store_text(std::string_view text) {
  const Text kept{texts_.size(), text.size()};
  texts_ += text;
  return kept;
}

}  // namespace eventgate
