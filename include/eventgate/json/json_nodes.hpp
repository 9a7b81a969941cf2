#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The JSON of clients, parsed into flat nodes over the text. An event is never copied into a tree: a JsonNode says
// where a value lies in the text, and a JsonValue reads it there. `{"a":[1,"x"]}` has five nodes: the object, the key
// `a`, the array, the number and the string.
//
// Reading is in two stages. simdjson's stage 1 finds the structural characters; one loop over them checks the grammar
// and writes the nodes. simdjson's own stage 2 is not used, because it copies strings and numbers that are seldom
// looked at.

namespace eventgate {

enum class JsonType : std::uint8_t { null, boolean, number, string, object, array };

/// Returns the name of the type in JSON Schema: `null`, `boolean`, `number`, `string`, `object`, `array`.
std::string_view json_type_name(JsonType type);

/// One value of a JSON text, or the key of a member. The nodes of a container's content follow it directly: each member
/// of an object is its key, a string, and then its value.
struct JsonNode {
  std::uint32_t begin;  ///< Offset of the value's first byte.
  std::uint32_t end;    ///< Offset behind its last byte. Strings include their quotes.
  std::uint32_t next;   ///< Index of the node behind this value and its content: the next sibling, if there is one.
  JsonType type;
  std::uint8_t flags;
  std::uint16_t spare;

  static constexpr std::uint8_t kEscaped = 1;   ///< A string with an escape, so its bytes are not its content.
  static constexpr std::uint8_t kFraction = 2;  ///< A number with a `.` or an exponent.
  static constexpr std::uint8_t kTrue = 4;      ///< The boolean `true`.
};
static_assert(sizeof(JsonNode) == 16);

/// A value that the grammar of JSON allows and that readers understand differently (RFC 8259, sections 6, 8.1 and 8.2).
struct JsonInteropIssue {
  enum class Kind : std::uint8_t { lone_surrogate, not_a_double, invalid_utf8 };
  Kind kind;
  std::uint32_t node;
  std::uint32_t offset = 0;  ///< invalid_utf8 only: offset of the string's first invalid byte in the text.
};

/// Why a text was not parsed.
struct JsonError {
  std::size_t offset;    ///< Bytes from the start of the text.
  std::string expected;  ///< For example "a comma or ']'".
};

class JsonValue;

/// Does not initialize new nodes, because the parser writes all of them.
struct JsonNodeAllocator : std::allocator<JsonNode> {
  template <typename>
  struct rebind {
    using other = JsonNodeAllocator;
  };
  void construct(JsonNode*) noexcept {}
  void construct(JsonNode* at, const JsonNode& node) noexcept { *at = node; }
};

/// The nodes of one text, in the order of the text. Keeps its memory when `parse_json` writes to it again.
struct JsonNodes {
  std::string_view text;  ///< Without a byte order mark. The offsets of the nodes count from here.
  std::vector<JsonNode, JsonNodeAllocator> nodes;
  std::vector<JsonInteropIssue> interop_issues;  ///< In the order of the text. Nearly always empty.

  /// Returns the value of the whole text. Call it only after a successful parse.
  JsonValue root() const;
};

struct JsonLimits {
  std::size_t depth = 128;  ///< Levels of arrays and objects.
};

/// Bytes that must be readable behind a text that is parsed, with any content. simdjson reads in blocks of 64 bytes.
inline constexpr std::size_t kJsonPadding = 64;

/// Parses `text`, one JSON value (RFC 8259) with white space around it, into `nodes`. Skips a byte order mark. Returns
/// nullopt, or the first error; the content of `nodes` is then unspecified.
///
/// Invalid UTF-8 is an interop issue in a string or key and an error elsewhere. A text of 2 GiB or more is an error.
/// Not recursive, O(size of `text`). `text` must outlive `nodes` and be followed by kJsonPadding readable bytes.
/// Thread-safe: each thread keeps its own workspace.
std::optional<JsonError> parse_json(std::string_view text, JsonNodes& nodes, const JsonLimits& limits = {});

/// One value of a parsed text. It refers to the text and the nodes, which must outlive it.
///
/// Immutable.
class JsonValue {
 public:
  JsonValue() = default;
  JsonValue(const char* text, const JsonNode* nodes, std::uint32_t index) : text_(text), nodes_(nodes), index_(index) {}

  std::uint32_t index() const { return index_; }
  const JsonNode& node() const { return nodes_[index_]; }
  const JsonNode* nodes() const { return nodes_; }
  /// Returns the start of the text, from which the offsets of nodes count.
  const char* base() const { return text_; }
  JsonType type() const { return node().type; }
  bool is_object() const { return type() == JsonType::object; }
  bool is_array() const { return type() == JsonType::array; }
  bool is_string() const { return type() == JsonType::string; }
  bool is_number() const { return type() == JsonType::number; }
  bool is_true() const { return (node().flags & JsonNode::kTrue) != 0; }

  /// Returns the bytes as the client wrote them.
  std::string_view source() const { return {text_ + node().begin, std::size_t{node().end} - node().begin}; }

  /// Strings only. Returns the bytes between the quotes. They are the content unless `escaped`.
  std::string_view raw_string() const {
    const JsonNode& n = node();
    return {text_ + n.begin + 1, std::size_t{n.end} - n.begin - 2};
  }
  bool escaped() const { return (node().flags & JsonNode::kEscaped) != 0; }

  /// Strings only. Returns the content as UTF-8. A lone surrogate becomes U+FFFD; invalid bytes stay. The result refers
  /// to the text or, if there are escapes, to `buffer`.
  std::string_view string(std::string& buffer) const {
    return escaped() ? unescape(raw_string(), buffer) : raw_string();
  }
  std::string string() const {
    std::string buffer;
    return std::string(string(buffer));
  }

  /// Strings only. Returns true if the content equals `other` (UTF-8).
  bool string_equals(std::string_view other) const {
    if (escaped()) [[unlikely]]
      return unescaped_equals(other);
    const std::string_view raw = raw_string();
    return raw.size() == other.size() && std::memcmp(raw.data(), other.data(), raw.size()) == 0;
  }

  /// Objects only. Returns the value of the last member named `key`, as JavaScript does, or nullopt. O(members).
  ///
  /// Do not loop over `*object.find(key)` directly: the optional is destroyed before the loop begins.
  std::optional<JsonValue> find(std::string_view key) const {
    std::optional<JsonValue> found;
    const std::uint32_t end = node().next;
    for (std::uint32_t i = index_ + 1; i < end; i = nodes_[i + 1].next)
      if (JsonValue(text_, nodes_, i).string_equals(key)) found = JsonValue(text_, nodes_, i + 1);
    return found;
  }

  /// Iterates over the elements of an array, or over the keys and values of an object in turn.
  class iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = JsonValue;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = JsonValue;
    iterator() = default;
    iterator(const char* text, const JsonNode* nodes, std::uint32_t index)
        : text_(text), nodes_(nodes), index_(index) {}
    JsonValue operator*() const { return {text_, nodes_, index_}; }
    iterator& operator++() {
      index_ = nodes_[index_].next;
      return *this;
    }
    iterator operator++(int) {
      iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const iterator& other) const { return index_ == other.index_; }

   private:
    const char* text_ = nullptr;
    const JsonNode* nodes_ = nullptr;
    std::uint32_t index_ = 0;
  };
  iterator begin() const { return {text_, nodes_, index_ + 1}; }
  iterator end() const { return {text_, nodes_, node().next}; }

 private:
  static std::string_view unescape(std::string_view raw, std::string& buffer);
  bool unescaped_equals(std::string_view other) const;

  const char* text_ = nullptr;
  const JsonNode* nodes_ = nullptr;
  std::uint32_t index_ = 0;
};

inline JsonValue JsonNodes::root() const { return {text.data(), nodes.data(), 0}; }

}  // namespace eventgate
