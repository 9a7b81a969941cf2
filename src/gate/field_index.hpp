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

/// Finds fields of one event after another. The paths looked for are mostly the same few: all keys of an object that
/// were ever looked for are found in one pass over its members.
///
/// One strand. Keeps what it knows of paths.
class FieldIndex {
 public:
  FieldIndex() { forget(); }

  /// Starts with a request. The paths given to `find` and `gap` must live until the next one.
  void begin_request() {
    places_.clear();
    if (keys_.size() > kMaxKeys) forget();
  }

  /// Starts with an event. It must live until the next `begin`.
  void begin(JsonValue event) {
    event_ = event;
    ++turn_;
    keys_[0].node = event.index();
  }

  /// As `path.find(event)`.
  std::optional<JsonValue> find(const FieldPath& path) {
    const std::uint32_t node = node_of(place_of(path));
    if (node == kNone) return std::nullopt;
    return value(node);
  }

  /// Where a field that is absent is to be added: the innermost value on the way to it, and the keys missing in that.
  struct Gap {
    JsonValue value;
    std::span<const std::string> keys;
  };
  Gap gap(const FieldPath& path) {
    std::uint32_t place = place_of(path);
    std::size_t present = path.keys().size();
    for (; node_of(place) == kNone; --present) place = keys_[place].parent;
    return {value(keys_[place].node), std::span(path.keys()).subspan(present)};
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  static constexpr std::size_t kMaxKeys = 256;

  /// A key as it is compared: most are told by their first 8 bytes.
  struct Name {
    std::uint64_t first;
    std::uint64_t mask;  ///< Of the bytes of `first` that count.
    std::uint32_t size;
    std::uint32_t place;
  };
  /// A key at one place of events; the first is the event itself.
  struct Key {
    std::string key;
    std::uint32_t parent;
    std::uint32_t node = kNone;  ///< Of its value in the event.
    std::uint64_t turn = 0;      ///< The event in which it was looked for the keys inside it.
    std::vector<Name> inside{};
  };

  JsonValue value(std::uint32_t node) const { return {event_.base(), event_.nodes(), node}; }

  void forget() { keys_ = {Key{{}, kNone}}; }

  std::uint32_t place_of(const FieldPath& path) {
    for (const auto& [known, place] : places_)
      if (known == &path) return place;
    std::uint32_t place = 0;
    for (const std::string& key : path.keys()) place = place_inside(place, key);
    places_.emplace_back(&path, place);
    return place;
  }

  std::uint32_t place_inside(std::uint32_t parent, const std::string& key) {
    for (const Name& name : keys_[parent].inside)
      if (keys_[name.place].key == key) return name.place;
    const auto made = static_cast<std::uint32_t>(keys_.size());
    Name name{0, 0, static_cast<std::uint32_t>(key.size()), made};
    const std::size_t first = std::min<std::size_t>(key.size(), 8);
    std::memcpy(&name.first, key.data(), first);
    std::memset(&name.mask, 0xff, first);
    keys_[parent].inside.push_back(name);
    keys_[parent].turn = 0;
    keys_.push_back({key, parent});
    return made;
  }

  /// The node of a key's value, or kNone. As deep as paths are.
  std::uint32_t node_of(std::uint32_t place) {
    if (place != 0 && keys_[keys_[place].parent].turn != turn_) look_into(keys_[place].parent);
    return keys_[place].node;
  }

  [[gnu::noinline]] void look_into(std::uint32_t place) {
    const std::uint32_t object = node_of(place);
    Key& key = keys_[place];
    key.turn = turn_;
    for (const Name& name : key.inside) keys_[name.place].node = kNone;
    if (object == kNone || !value(object).is_object()) return;
    const JsonNode* const nodes = event_.nodes();
    const char* const text = event_.base();
    const std::uint32_t end = nodes[object].next;
    for (std::uint32_t at = object + 1; at < end; at = nodes[at + 1].next) {
      const JsonNode& node = nodes[at];
      if ((node.flags & JsonNode::kEscaped) != 0) [[unlikely]] {
        for (const Name& name : key.inside)
          if (value(at).string_equals(keys_[name.place].key)) keys_[name.place].node = at + 1;
        continue;
      }
      const std::uint32_t size = node.end - node.begin - 2;
      std::uint64_t first;  // there is padding behind every text
      std::memcpy(&first, text + node.begin + 1, 8);
      for (const Name& name : key.inside)
        if (name.size == size && ((first ^ name.first) & name.mask) == 0 &&
            (size <= 8 || value(at).string_equals(keys_[name.place].key)))
          keys_[name.place].node = at + 1;
    }
  }

  JsonValue event_;
  std::uint64_t turn_ = 0;
  std::vector<Key> keys_;
  std::vector<std::pair<const FieldPath*, std::uint32_t>> places_;
};

}  // namespace eventgate
