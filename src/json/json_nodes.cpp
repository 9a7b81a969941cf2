#include "eventgate/json/json_nodes.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/utf8.hpp"
#include "stage1.hpp"

namespace eventgate {
namespace {

constexpr std::size_t kTextLimit = std::size_t{1} << 31;

constexpr const char* kControlCharacter = "an escape such as \\n in place of a bare control character";

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/// Returns the value of the four hex digits at `at`.
unsigned hex4(const char* at) {
  unsigned value = 0;
  for (int i = 0; i < 4; ++i) value = value << 4 | static_cast<unsigned>(hex_value(at[i]));
  return value;
}

bool is_high_surrogate(unsigned unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low_surrogate(unsigned unit) { return unit >= 0xDC00 && unit < 0xE000; }

/// One escape of a string. The parser has checked its form.
struct Escape {
  std::size_t size;     ///< Bytes, including the second half of a surrogate pair.
  unsigned code_point;  ///< U+FFFD for a lone surrogate.
  bool lone_surrogate;
};

Escape read_escape(const char* at, const char* end) {
  switch (at[1]) {
    case 'b':
      return {2, '\b', false};
    case 'f':
      return {2, '\f', false};
    case 'n':
      return {2, '\n', false};
    case 'r':
      return {2, '\r', false};
    case 't':
      return {2, '\t', false};
    case 'u':
      break;
    default:
      return {2, static_cast<unsigned char>(at[1]), false};
  }
  const unsigned unit = hex4(at + 2);
  if (!is_high_surrogate(unit) && !is_low_surrogate(unit)) return {6, unit, false};
  if (is_high_surrogate(unit) && end - at >= 12 && at[6] == '\\' && at[7] == 'u') {
    const unsigned second = hex4(at + 8);
    if (is_low_surrogate(second)) return {12, 0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00), false};
  }
  return {6, 0xFFFD, true};
}

const char* find_byte(const char* begin, const char* end, char byte) {
  const void* found = begin == end ? nullptr : std::memchr(begin, byte, static_cast<std::size_t>(end - begin));
  return found ? static_cast<const char*>(found) : end;
}

bool has_lone_surrogate(const char* begin, const char* end) {
  for (const char* at = find_byte(begin, end, '\\'); at != end;) {
    const Escape escape = read_escape(at, end);
    if (escape.lone_surrogate) return true;
    at = find_byte(at + escape.size, end, '\\');
  }
  return false;
}

/// Returns true if the double nearest to this well-formed number is infinite.
bool is_beyond_double(const char* begin, const char* end) {
  // The exponent of the first digit that is not 0 decides, unless it is 308.
  const char* at = begin + (*begin == '-');
  std::int64_t exponent = 0;
  bool counts = false;
  for (; at != end && is_ascii_digit(*at); ++at) {
    if (counts) ++exponent;
    counts |= *at != '0';
  }
  if (at != end && *at == '.') {
    for (++at; at != end && is_ascii_digit(*at); ++at) {
      if (!counts) --exponent;
      counts |= *at != '0';
    }
  }
  if (!counts) return false;
  if (at != end) {  // e or E
    ++at;
    const bool negative = *at == '-';
    if (negative || *at == '+') ++at;
    std::int64_t written = 0;
    for (; at != end; ++at) written = std::min<std::int64_t>(written * 10 + (*at - '0'), std::int64_t{1} << 40);
    exponent += negative ? -written : written;
  }
  if (exponent != 308) return exponent > 308;
  double value = 0;
  const auto [stop, error] = std::from_chars(begin, end, value);
  return error == std::errc::result_out_of_range || value - value != 0;
}

/// A slow replacement of simdjson's stage 1 for texts that it rejects, because it does not say where the error is. It
/// finds the structural indexes up to the first error in a string, or in the UTF-8 between strings.
struct SlowScan {
  std::vector<std::uint32_t> indexes;
  std::vector<std::uint32_t> bad_bytes;  ///< Offset of the first invalid UTF-8 byte of each string that has one.
  std::optional<JsonError> error;
};

SlowScan scan_slowly(std::string_view text) {
  SlowScan scan;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  bool in_string = false;
  bool in_scalar = false;
  bool bad_string = false;
  for (const char* at = begin; at != end;) {
    const Utf8Step step = utf8_step(at, end);
    const auto offset = static_cast<std::uint32_t>(at - begin);
    if (!step.valid) {
      if (!in_string) {
        scan.error = JsonError{offset, "valid UTF-8"};
        break;
      }
      if (!bad_string) scan.bad_bytes.push_back(offset);
      bad_string = true;
    } else if (in_string) {
      if (static_cast<unsigned char>(*at) < 0x20) {
        scan.error = JsonError{offset, kControlCharacter};
        break;
      }
      if (*at == '\\' && end - at >= 2 && (at[1] == '"' || at[1] == '\\'))
        ++at;
      else if (*at == '"')
        in_string = false;
    } else if (*at == '"') {
      scan.indexes.push_back(offset);
      in_string = true;
      bad_string = false;
      in_scalar = false;
    } else if (is_space(*at)) {
      in_scalar = false;
    } else if (std::string_view("{}[]:,").find(*at) != std::string_view::npos) {
      scan.indexes.push_back(offset);
      in_scalar = false;
    } else {
      if (!in_scalar) scan.indexes.push_back(offset);
      in_scalar = true;
    }
    at += step.size;
  }
  if (in_string && !scan.error) scan.error = JsonError{text.size(), "a closing quote"};
  scan.indexes.push_back(static_cast<std::uint32_t>(scan.error ? scan.error->offset : text.size()));
  return scan;
}

/// Adds an interop issue for each of `bad_bytes`, which lie in strings.
void add_invalid_utf8(JsonNodes& nodes, const std::vector<std::uint32_t>& bad_bytes) {
  if (bad_bytes.empty()) return;
  for (const std::uint32_t offset : bad_bytes) {
    // Nodes are in the order of the text, so the last one that begins before the byte is its string.
    const auto behind = std::ranges::upper_bound(nodes.nodes, offset, {}, &JsonNode::begin);
    const auto node = static_cast<std::uint32_t>(behind - nodes.nodes.begin()) - 1;
    nodes.interop_issues.push_back({JsonInteropIssue::Kind::invalid_utf8, node, offset});
  }
  std::ranges::stable_sort(nodes.interop_issues, {}, &JsonInteropIssue::node);
}

/// Writes the nodes in one loop over the structural indexes of a text. Such an index is the offset of one of `{}[]:,`,
/// of an opening quote, or of the first byte of another scalar. Checks the grammar except what stage 1 has checked:
/// UTF-8, closing quotes, and control characters in strings.
class Builder {
 public:
  /// `indexes[count]` is the end of the text.
  Builder(JsonNodes& nodes, const std::uint32_t* indexes, std::size_t count, std::size_t depth_limit)
      : nodes_(nodes),
        text_(nodes.text.data()),
        end_(indexes[count]),
        indexes_(indexes),
        last_(indexes + count),
        depth_limit_(depth_limit) {
    // A container has two structurals, and every value follows a `,` or `:` unless it is the outermost or the first of
    // its container. So there cannot be more nodes than this, and the loop needs no check for room.
    nodes_.nodes.resize((count + 1 + std::min(count, depth_limit)) / 2 + 1);
    nodes_.interop_issues.clear();
  }

  // This function is long, because its state stays in registers only as local variables of one function.
  std::optional<JsonError> build() {
    const char* const text = text_;
    const std::uint32_t* const last = last_;
    const std::uint32_t* next = indexes_;  // the first structural that is not read yet
    std::uint32_t at = 0;                  // offset of the last one read
    JsonNode* const out = nodes_.nodes.data();
    std::uint32_t count = 0;     // nodes so far
    std::uint32_t open = kNone;  // the innermost open container; its `next` is the one around it
    char closing = '\0';         // the character that ends it
    std::size_t depth = 0;
    std::uint32_t backslash = find_backslash(0);  // the first one that is not read yet

    // Returns the next structural character, or NUL at the end.
    const auto read_structural = [&]() __attribute__((always_inline)) {
      at = *next;
      if (next == last) [[unlikely]]
        return '\0';
      ++next;
      return text[at];
    };
    const auto add_leaf = [&](std::uint32_t end, JsonType type, std::uint8_t flags) __attribute__((always_inline)) {
      out[count] = {at, end, count + 1, type, flags, 0};
      ++count;
    };
    const auto read_string = [&]() __attribute__((always_inline)) {
      // Only white space may lie between a closing quote and the next structural.
      std::uint32_t end = *next;
      while (text[end - 1] != '"' && is_space(text[end - 1])) --end;
      if (text[end - 1] != '"' || end - 1 == at) [[unlikely]]
        return set_error("a closing quote", *next);
      if (backslash < end) [[unlikely]] {
        backslash = check_escapes(backslash, end - 1, *next, count);
        if (backslash == kNone) return false;
        add_leaf(end, JsonType::string, JsonNode::kEscaped);
      } else {
        add_leaf(end, JsonType::string, 0);
      }
      return true;
    };

    bool first = false;  // the value is the first of its container
    for (char c = read_structural();;) {
      // Read a value.
      if (c == '"') {
        if (!read_string()) return std::move(error_);
        first = false;
      } else if (c == '{' || c == '[') {
        if (depth == depth_limit_)
          return fail("at most " + std::to_string(depth_limit_) + " arrays and objects inside one another", at);
        ++depth;
        const bool object = c == '{';
        out[count] = {at, 0, open, object ? JsonType::object : JsonType::array, 0, 0};
        open = count++;
        closing = object ? '}' : ']';
        first = true;
      } else {
        const Scalar found = read_scalar(c, at, *next, count);
        if (found.end == 0) return fail(first && closing == ']' ? "a value or ']'" : "a value", at);
        add_leaf(found.end, found.type, found.flags);
        first = false;
      }
      // Close the containers whose last value this was.
      for (;;) {
        if (open == kNone) {
          if (next != last) return fail("the end of the text", *next);
          nodes_.nodes.resize(count);
          return std::nullopt;
        }
        c = read_structural();
        if (c != closing) break;
        JsonNode& container = out[open];
        open = container.next;
        container.end = at + 1;
        container.next = count;
        --depth;
        closing = open != kNone && out[open].type == JsonType::object ? '}' : ']';
        first = false;
      }
      // Read up to the next value.
      const bool object = closing == '}';
      if (!first) {
        if (c != ',') return fail(object ? "a comma or '}'" : "a comma or ']'", at);
        c = read_structural();
      }
      if (object) {
        if (c != '"') return fail(first ? "a key in quotes or '}'" : "a key in quotes", at);
        if (!read_string()) return std::move(error_);
        if (read_structural() != ':') return fail("a colon", at);
        c = read_structural();
      }
    }
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct Scalar {
    std::uint32_t end;  ///< 0 if it is not a scalar.
    JsonType type;
    std::uint8_t flags;
  };

  /// Reads a number, boolean or null that begins with `c` at `at`. `limit` is the offset of the next structural.
  [[gnu::noinline]] Scalar read_scalar(char c, std::uint32_t at, std::uint32_t limit, std::uint32_t node) {
    switch (c) {
      case 't':
        return literal("true", at, limit, JsonType::boolean, JsonNode::kTrue);
      case 'f':
        return literal("false", at, limit, JsonType::boolean, 0);
      case 'n':
        return literal("null", at, limit, JsonType::null, 0);
      default:
        return c == '-' || is_ascii_digit(c) ? number(at, limit, node) : Scalar{};
    }
  }

  /// Checks the escapes of a string whose closing quote is at `quote`. The first is at `backslash`, and `limit` is the
  /// offset of the next structural. Returns the offset of the first backslash behind the string, or kNone on an error.
  [[gnu::noinline]] std::uint32_t check_escapes(std::uint32_t backslash, std::uint32_t quote, std::uint32_t limit,
                                                std::uint32_t node) {
    const auto fail_at = [this](std::string_view what, std::size_t offset) {
      set_error(what, offset);
      return kNone;
    };
    const std::uint32_t first = backslash;
    bool surrogates = false;
    while (backslash < quote) {
      std::uint32_t at = backslash + 1;
      if (at == quote) return fail_at("a closing quote", limit);  // the quote is part of the escape
      switch (text_[at]) {
        case '"':
        case '\\':
        case '/':
        case 'b':
        case 'f':
        case 'n':
        case 'r':
        case 't':
          break;
        case 'u':
          for (int digit = 0; digit < 4; ++digit)
            if (++at >= quote || hex_value(text_[at]) < 0) return fail_at("four hex digits", at);
          surrogates |= (hex4(text_ + at - 3) & 0xF800) == 0xD800;
          break;
        default:
          return fail_at("one of \" \\ / b f n r t u behind a backslash", at);
      }
      backslash = find_backslash(at + 1);
    }
    if (surrogates && has_lone_surrogate(text_ + first, text_ + quote))
      nodes_.interop_issues.push_back({JsonInteropIssue::Kind::lone_surrogate, node});
    return backslash;
  }

  Scalar number(std::uint32_t at, std::uint32_t next, std::uint32_t node) {
    const char* const begin = text_ + at;
    const char* const limit = text_ + next;
    const char* p = begin;
    const auto fail_at = [this](std::string_view what, const char* place) {
      set_error(what, offset(place));
      return Scalar{};
    };
    std::uint8_t flags = 0;
    if (*p == '-') ++p;
    if (p == limit || !is_ascii_digit(*p)) return fail_at("a digit", p);
    if (*p == '0') {
      ++p;
      if (p != limit && is_ascii_digit(*p)) return fail_at("no digit behind a leading 0", p);
    } else {
      while (p != limit && is_ascii_digit(*p)) ++p;
    }
    if (p != limit && *p == '.') {
      flags = JsonNode::kFraction;
      ++p;
      if (p == limit || !is_ascii_digit(*p)) return fail_at("a digit", p);
      while (p != limit && is_ascii_digit(*p)) ++p;
    }
    bool exponent = false;
    if (p != limit && (*p | 0x20) == 'e') {
      exponent = true;
      flags = JsonNode::kFraction;
      ++p;
      if (p != limit && (*p == '-' || *p == '+')) ++p;
      if (p == limit || !is_ascii_digit(*p)) return fail_at("a digit", p);
      while (p != limit && is_ascii_digit(*p)) ++p;
    }
    if (p != limit && !is_space(*p)) return fail_at("the end of the number", p);
    if ((exponent || p - begin > 300) && is_beyond_double(begin, p)) [[unlikely]]
      nodes_.interop_issues.push_back({JsonInteropIssue::Kind::not_a_double, node});
    return {offset(p), JsonType::number, flags};
  }

  Scalar literal(std::string_view name, std::uint32_t at, std::uint32_t limit, JsonType type, std::uint8_t flags) {
    const std::uint32_t end = at + static_cast<std::uint32_t>(name.size());
    if (end > limit || std::memcmp(text_ + at, name.data(), name.size()) != 0 ||
        (end != limit && !is_space(text_[end]))) {
      set_error(name, at);
      return {};
    }
    return {end, type, flags};
  }

  /// Returns the offset of the first backslash from `from` on, or the end of the text.
  std::uint32_t find_backslash(std::uint32_t from) const { return offset(find_byte(text_ + from, text_ + end_, '\\')); }

  std::uint32_t offset(const char* at) const { return static_cast<std::uint32_t>(at - text_); }

  [[gnu::noinline]] bool set_error(std::string_view what, std::size_t offset) {
    error_ = JsonError{offset, std::string(what)};
    return false;
  }

  /// Returns the error that was set, or else that `what` was expected.
  [[gnu::noinline]] JsonError fail(std::string_view what, std::size_t offset) {
    if (!error_) set_error(what, offset);
    return std::move(*error_);
  }

  JsonNodes& nodes_;
  const char* const text_;
  const std::uint32_t end_;
  const std::uint32_t* const indexes_;
  const std::uint32_t* const last_;
  const std::size_t depth_limit_;
  std::optional<JsonError> error_;
};

/// Calls `use` with each run of plain bytes and each decoded escape of a string, as UTF-8, until it returns false.
template <typename Use>
bool each_piece(std::string_view raw, Use use) {
  std::string decoded;  // at most 4 bytes, so it never allocates
  const char* const end = raw.data() + raw.size();
  for (const char* at = raw.data(); at != end;) {
    const char* const backslash = find_byte(at, end, '\\');
    if (backslash != at && !use(std::string_view(at, static_cast<std::size_t>(backslash - at)))) return false;
    if (backslash == end) break;
    const Escape escape = read_escape(backslash, end);
    decoded.clear();
    append_utf8(decoded, escape.code_point);
    if (!use(std::string_view(decoded))) return false;
    at = backslash + escape.size;
  }
  return true;
}

}  // namespace

std::string_view json_type_name(JsonType type) {
  switch (type) {
    case JsonType::null:
      return "null";
    case JsonType::boolean:
      return "boolean";
    case JsonType::number:
      return "number";
    case JsonType::string:
      return "string";
    case JsonType::object:
      return "object";
    case JsonType::array:
      return "array";
  }
  return "";
}

std::optional<JsonError> parse_json(std::string_view text, JsonNodes& nodes, const JsonLimits& limits) {
  if (text.size() >= kTextLimit) return JsonError{kTextLimit, "a text of less than 2 GiB"};
  const std::size_t skipped = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  text.remove_prefix(skipped);
  nodes.text = text;

  thread_local Stage1 stage1;
  std::optional<JsonError> error;
  if (stage1.run(text)) [[likely]] {
    error = Builder(nodes, stage1.indexes(), stage1.count(), limits.depth).build();
  } else {
    // Report an error of the grammar if it comes before the one that stage 1 has found.
    SlowScan scan = scan_slowly(text);
    error = Builder(nodes, scan.indexes.data(), scan.indexes.size() - 1, limits.depth).build();
    if (scan.error && (!error || error->offset >= scan.error->offset)) error = std::move(scan.error);
    if (!error) add_invalid_utf8(nodes, scan.bad_bytes);
  }
  stage1.release_if_huge();
  if (error) error->offset += skipped;
  return error;
}

std::string_view JsonValue::unescape(std::string_view raw, std::string& buffer) {
  buffer.clear();
  each_piece(raw, [&](std::string_view piece) {
    buffer += piece;
    return true;
  });
  return buffer;
}

bool JsonValue::unescaped_equals(std::string_view other) const {
  return each_piece(raw_string(),
                    [&](std::string_view piece) {
                      if (!other.starts_with(piece)) return false;
                      other.remove_prefix(piece.size());
                      return true;
                    }) &&
         other.empty();
}

}  // namespace eventgate
