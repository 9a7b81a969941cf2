#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/json/field_path.hpp"
#include "eventgate/json/json_nodes.hpp"

namespace eventgate {

/// Finds the fields of one event after another. Every event is searched for the same few paths, so one pass over an
/// object's members finds all keys that were ever searched for in it.
///
/// Use on one I/O thread. Keeps the known paths from request to request.
class FieldIndex {
 public:
  FieldIndex() { forget(); }

  /// Starts a request. Paths given to `find` and `insertion_point` must outlive it.
  void begin_request() {
    slots_.clear();
    if (keys_.size() > kMaxKeys) forget();
  }

  /// Starts an event, which must live until the next `begin`.
  void begin(JsonValue event) {
    event_ = event;
    ++event_number_;
    keys_[0].node = event.index();
  }

  /// Returns what `path.find(event)` returns.
  std::optional<JsonValue> find(const FieldPath& path) {
    const std::uint32_t node = node_of(slot_of(path));
    if (node == kNone) return std::nullopt;
    return value(node);
  }

  /// Where to add a field that the event lacks.
  struct InsertionPoint {
    JsonValue value;                    ///< The innermost value on the way to the field.
    std::span<const std::string> keys;  ///< The keys of the path that are missing in `value`.
  };
  InsertionPoint insertion_point(const FieldPath& path) {
    std::uint32_t slot = slot_of(path);
    std::size_t present = path.keys().size();
    for (; node_of(slot) == kNone; --present) slot = keys_[slot].parent;
    return {value(keys_[slot].node), std::span(path.keys()).subspan(present)};
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  /// Keys beyond which the index starts anew with the next request. Stream configs name the keys, so there are few.
  static constexpr std::size_t kMaxKeys = 256;

  /// A key in the form that is compared. Its first 8 bytes tell most keys apart.
  struct Name {
    std::uint64_t first;
    std::uint64_t mask;  ///< Covers the bytes of `first` that the key has.
    std::uint32_t size;
    std::uint32_t slot;
  };
  /// A key at one place of every event. The slot of a key is its index in `keys_`; slot 0 is the event itself.
  struct Key {
    std::string key;
    std::uint32_t parent;
    std::uint32_t node = kNone;       ///< The key's value in the event.
    std::uint64_t indexed_event = 0;  ///< The number of the event whose members were indexed last.
    std::vector<Name> children{};
  };

  JsonValue value(std::uint32_t node) const { return {event_.base(), event_.nodes(), node}; }

  void forget() { keys_ = {Key{{}, kNone}}; }

  std::uint32_t slot_of(const FieldPath& path) {
    for (const auto& [known, slot] : slots_)
      if (known == &path) return slot;
    std::uint32_t slot = 0;
    for (const std::string& key : path.keys()) slot = child_slot(slot, key);
    slots_.emplace_back(&path, slot);
    return slot;
  }

  std::uint32_t child_slot(std::uint32_t parent, const std::string& key) {
    for (const Name& name : keys_[parent].children)
      if (keys_[name.slot].key == key) return name.slot;
    const auto made = static_cast<std::uint32_t>(keys_.size());
    Name name{0, 0, static_cast<std::uint32_t>(key.size()), made};
    const std::size_t first = std::min<std::size_t>(key.size(), 8);
    std::memcpy(&name.first, key.data(), first);
    std::memset(&name.mask, 0xff, first);
    keys_[parent].children.push_back(name);
    keys_[parent].indexed_event = 0;
    keys_.push_back({key, parent});
    return made;
  }

  /// Returns the node of a key's value, or kNone. Recursive, as deep as the paths of the config.
  std::uint32_t node_of(std::uint32_t slot) {
    if (slot != 0 && keys_[keys_[slot].parent].indexed_event != event_number_) index_members(keys_[slot].parent);
    return keys_[slot].node;
  }

  [[gnu::noinline]] void index_members(std::uint32_t slot) {
    const std::uint32_t object = node_of(slot);
    Key& key = keys_[slot];
    key.indexed_event = event_number_;
    for (const Name& name : key.children) keys_[name.slot].node = kNone;
    if (object == kNone || !value(object).is_object()) return;
    const JsonNode* const nodes = event_.nodes();
    const char* const text = event_.base();
    const std::uint32_t end = nodes[object].next;
    for (std::uint32_t at = object + 1; at < end; at = nodes[at + 1].next) {
      const JsonNode& node = nodes[at];
      if ((node.flags & JsonNode::kEscaped) != 0) [[unlikely]] {
        for (const Name& name : key.children)
          if (value(at).string_equals(keys_[name.slot].key)) keys_[name.slot].node = at + 1;
        continue;
      }
      const std::uint32_t size = node.end - node.begin - 2;
      std::uint64_t first;  // padding behind every text makes 8 bytes readable
      std::memcpy(&first, text + node.begin + 1, 8);
      for (const Name& name : key.children)
        if (name.size == size && ((first ^ name.first) & name.mask) == 0 &&
            (size <= 8 || value(at).string_equals(keys_[name.slot].key)))
          keys_[name.slot].node = at + 1;
    }
  }

  JsonValue event_;
  std::uint64_t event_number_ = 0;
  std::vector<Key> keys_;
  std::vector<std::pair<const FieldPath*, std::uint32_t>> slots_;
};

}  // namespace eventgate
