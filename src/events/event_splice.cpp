#include "eventgate/events/event_splice.hpp"

#include <algorithm>
#include <tuple>

#include "eventgate/events/json_text.hpp"

namespace eventgate {

void EventSplice::clear() {
  edits_.clear();
  members_.clear();
  texts_.clear();
}

bool EventSplice::add(JsonValue event, const FieldPath& path, std::string_view value) {
  if (path.empty() || !event.is_object()) return false;

  // As far as the event goes.
  JsonValue object = event;
  auto key = path.keys().begin();
  const auto last = path.keys().end() - 1;
  for (;; ++key) {
    const std::optional<JsonValue> found = object.find(*key);
    if (!found) break;
    if (key == last || !found->is_object()) return false;
    object = *found;
  }

  // As far as objects made before go.
  const std::uint32_t position = object.node().end - 1;
  std::uint32_t member = kNone;
  for (const Edit& edit : edits_)
    if (edit.begin == position && edit.member != kNone && text(members_[edit.member].key) == *key) member = edit.member;
  std::uint32_t parent = kNone;
  while (member != kNone) {
    if (key == last || !members_[member].made) return false;
    parent = member;
    ++key;
    member = members_[parent].first_child;
    while (member != kNone && text(members_[member].key) != *key) member = members_[member].next;
  }

  for (;; ++key) {
    const std::uint32_t made = new_member(*key, key == last ? value : std::string_view());
    members_[made].made = key != last;
    if (parent == kNone) {
      edits_.push_back({position, position, static_cast<std::uint32_t>(edits_.size()), made, {}, has_members(object)});
    } else {
      Member& into = members_[parent];
      (into.first_child == kNone ? into.first_child : members_[into.last_child].next) = made;
      into.last_child = made;
    }
    if (key == last) return true;
    parent = made;
  }
}

void EventSplice::add_member(JsonValue object, std::string_view key, std::string_view value) {
  const std::uint32_t position = object.node().end - 1;
  const std::uint32_t member = new_member(key, value);
  edits_.push_back({position, position, static_cast<std::uint32_t>(edits_.size()), member, {}, has_members(object)});
}

void EventSplice::replace(JsonValue value, std::string_view text) {
  const JsonNode& node = value.node();
  edits_.push_back({node.begin, node.end, static_cast<std::uint32_t>(edits_.size()), kNone, keep(text), false});
}

void EventSplice::apply(JsonValue event, std::string& out, std::vector<TextRange>* added) {
  std::sort(edits_.begin(), edits_.end(),
            [](const Edit& a, const Edit& b) { return std::tie(a.begin, a.order) < std::tie(b.begin, b.order); });
  out.reserve(out.size() + event.source().size() + texts_.size() + 4 * members_.size());
  std::uint32_t copied = event.node().begin;
  std::uint32_t last_object = kNone;  // the position of the object that was last added to
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
      append_member(edit.member, out);
    }
    if (added) note_edit(*added, begin - start, edit.end - edit.begin, out.size() - begin, edit.member != kNone);
  }
  out.append(event.base() + copied, event.base() + event.node().end);
}

void EventSplice::note_edit(std::vector<TextRange>& added, std::size_t position, std::size_t removed,
                            std::size_t inserted, bool member) {
  const auto at = static_cast<std::uint32_t>(position);
  const auto growth = static_cast<std::uint32_t>(inserted - removed);  // modulo 2^32: it may be negative
  auto after = added.end();
  bool inside = false;
  while (after != added.begin() && (after - 1)->end > at) {
    --after;
    after->end += growth;
    inside = after->begin < at;
    if (!inside) after->begin += growth;
  }
  if (!member || inside) return;
  if (after != added.begin() && (after - 1)->end == at) {
    (after - 1)->end += static_cast<std::uint32_t>(inserted);
  } else {
    added.insert(after, {at, at + static_cast<std::uint32_t>(inserted)});
  }
}

// As deep as a field path is long.
void EventSplice::append_member(std::uint32_t member, std::string& out) const {
  append_json_string(out, text(members_[member].key));
  out += ':';
  if (!members_[member].made) {
    out += text(members_[member].value);
    return;
  }
  out += '{';
  for (std::uint32_t child = members_[member].first_child; child != kNone; child = members_[child].next) {
    if (child != members_[member].first_child) out += ',';
    append_member(child, out);
  }
  out += '}';
}

std::uint32_t EventSplice::new_member(std::string_view key, std::string_view value) {
  const Text kept_key = keep(key);
  members_.push_back({kept_key, keep(value), false, kNone, kNone, kNone});
  return static_cast<std::uint32_t>(members_.size() - 1);
}

EventSplice::Text EventSplice::keep(std::string_view text) {
  const Text kept{texts_.size(), text.size()};
  texts_ += text;
  return kept;
}

bool EventSplice::has_members(JsonValue object) { return object.begin() != object.end(); }

}  // namespace eventgate
