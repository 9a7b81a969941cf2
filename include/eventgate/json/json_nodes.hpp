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

namespace eventgate {

enum class JsonType : std::uint8_t { null, boolean, number, string, object, array };

/// The name JavaScript programmers and JSON Schema use: `null`, `boolean`, `number`, `string`, `object`, `array`.
std::string_view json_type_name(JsonType type);

/// One value of a JSON text. An object's members are nodes in pairs, key (a string) then value, right behind it; an
/// array's elements follow it likewise.
struct JsonNode {
  std::uint32_t begin;  ///< Offset of the value's first byte.
  std::uint32_t end;    ///< Offset behind its last byte. Strings include their quotes.
  std::uint32_t next;   ///< Index of the node behind this value and all it contains: the next sibling, if there is one.
  JsonType type;
  std::uint8_t flags;
  std::uint16_t spare;

  static constexpr std::uint8_t kEscaped = 1;   ///< A string with a backslash: its bytes are not its content.
  static constexpr std::uint8_t kFraction = 2;  ///< A number with a `.` or an exponent.
  static constexpr std::uint8_t kTrue = 4;      ///< The boolean `true`.
};
static_assert(sizeof(JsonNode) == 16);

/// What is grammatical JSON and yet no value a reader could agree on (RFC 8259, section 6, 8.1 and 8.2).
struct JsonInteropIssue {
  enum class Kind : std::uint8_t { lone_surrogate, not_a_double, invalid_utf8 };
  Kind kind;
  std::uint32_t node;
  std::uint32_t offset = 0;  ///< Of invalid UTF-8: where the first such byte of the string is in the text.
};

/// Why a text is not JSON, or not taken.
struct JsonError {
  std::size_t offset;    ///< Bytes from the start of the text.
  std::string expected;  ///< What was expected there, such as "a comma or ']'".
};

class JsonValue;

/// Leaves new nodes as they are: whoever makes room for them writes them.
struct JsonNodeAllocator : std::allocator<JsonNode> {
  template <typename>
  struct rebind {
    using other = JsonNodeAllocator;
  };
  void construct(JsonNode*) noexcept {}
  void construct(JsonNode* at, const JsonNode& node) noexcept { *at = node; }
};

/// The flat nodes of one text, in the order of the text. Keeps its memory when parsed into again.
struct JsonNodes {
  std::string_view text;  ///< Behind its byte order mark, if it has one: what the nodes' offsets count from.
  std::vector<JsonNode, JsonNodeAllocator> nodes;
  std::vector<JsonInteropIssue> interop_issues;  ///< In the order of the text; nearly always empty.

  /// The whole text's value. Only after a parse that succeeded.
  JsonValue root() const;
};

struct JsonLimits {
  std::size_t depth = 128;  ///< Arrays and objects inside one another.
};

/// The bytes that must be readable, with whatever content, behind a text given to `parse_json`.
inline constexpr std::size_t kJsonPadding = 64;

/// Parses `text`, one JSON value (RFC 8259) in UTF-8 with white space around it, into `nodes`. A byte order mark is
/// skipped. Invalid UTF-8 in a string or key is a flaw of it; anywhere else it is an error. Not recursive; linear.
/// `nodes` refers to `text`, which must outlive it and be followed by kJsonPadding readable bytes. Returns the first
/// error; `nodes` is then unspecified. Texts of 2 GiB or more are an error. Thread-safe (each thread keeps a
/// workspace).
std::optional<JsonError> parse_json(std::string_view text, JsonNodes& nodes, const JsonLimits& limits = {});

/// One value of a parsed text: a reference, valid while the text and its nodes are.
///
/// Immutable.
class JsonValue {
 public:
  JsonValue() = default;
  JsonValue(const char* text, const JsonNode* nodes, std::uint32_t index) : text_(text), nodes_(nodes), index_(index) {}

  std::uint32_t index() const { return index_; }
  const JsonNode& node() const { return nodes_[index_]; }
  const JsonNode* nodes() const { return nodes_; }
  /// The start of the whole text: node offsets count from here.
  const char* base() const { return text_; }
  JsonType type() const { return node().type; }
  bool is_object() const { return type() == JsonType::object; }
  bool is_array() const { return type() == JsonType::array; }
  bool is_string() const { return type() == JsonType::string; }
  bool is_number() const { return type() == JsonType::number; }
  bool is_true() const { return (node().flags & JsonNode::kTrue) != 0; }

  /// The bytes as the client wrote them.
  std::string_view source() const { return {text_ + node().begin, std::size_t{node().end} - node().begin}; }

  /// Strings only. The bytes between the quotes; they are the content unless `escaped`.
  std::string_view raw_string() const {
    const JsonNode& n = node();
    return {text_ + n.begin + 1, std::size_t{n.end} - n.begin - 2};
  }
  bool escaped() const { return (node().flags & JsonNode::kEscaped) != 0; }

  /// Strings only. The content as UTF-8, a lone surrogate as U+FFFD. Invalid UTF-8 stays as it is. `buffer` is used if
  /// there are escapes.
  std::string_view string(std::string& buffer) const {
    return escaped() ? unescape(raw_string(), buffer) : raw_string();
  }
  std::string string() const {
    std::string buffer;
    return std::string(string(buffer));
  }

  /// Strings only. Whether the content equals `other` (UTF-8).
  bool string_equals(std::string_view other) const {
    if (escaped()) [[unlikely]]
      return unescaped_equals(other);
    const std::string_view raw = raw_string();
    return raw.size() == other.size() && std::memcmp(raw.data(), other.data(), raw.size()) == 0;
  }

  /// Objects only. The value of the last member named `key`, as in JavaScript. Name the value before a loop over it:
  /// `for (... : *object.find(key))` loops over what is gone with the optional.
  std::optional<JsonValue> find(std::string_view key) const {
    std::optional<JsonValue> found;
    const std::uint32_t end = node().next;
    for (std::uint32_t i = index_ + 1; i < end; i = nodes_[i + 1].next)
      if (JsonValue(text_, nodes_, i).string_equals(key)) found = JsonValue(text_, nodes_, i + 1);
    return found;
  }

  /// Arrays: the elements in order. Objects: keys and values in turn.
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
