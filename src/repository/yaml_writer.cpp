#include "yaml_writer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "eventgate/fetch/js_yaml_scalar.hpp"
#include "eventgate/json/json_text.hpp"
#include "root_collation.hpp"

namespace eventgate {
namespace {

/// Columns of a line, and the least columns of a block's line, however deep it is.
constexpr std::size_t kWidth = 80;
constexpr std::size_t kMinWidth = 40;
constexpr std::size_t kIndent = 2;
/// The longest key that is written on the line of its value.
constexpr std::size_t kMaxSimpleKey = 1024;

/// The keys that come first in every object. The others follow, sorted by `locale_compare`.
constexpr std::array<std::string_view, 10> kFirstKeys = {
    "title",    "description", "$id",   "$schema", "type", "additionalProperties",
    "required", "properties",  "allOf", "examples"};

std::size_t rank(std::string_view key) {
  return static_cast<std::size_t>(std::find(kFirstKeys.begin(), kFirstKeys.end(), key) - kFirstKeys.begin());
}

std::vector<const JsObject::Member*> sorted_members(const JsObject& object) {
  std::vector<const JsObject::Member*> members = object.keys();
  std::stable_sort(members.begin(), members.end(), [](const JsObject::Member* a, const JsObject::Member* b) {
    const std::size_t one = rank(a->first);
    const std::size_t other = rank(b->first);
    if (one != other || one < kFirstKeys.size()) return one < other;
    return locale_compare(a->first, b->first) < 0;
  });
  return members;
}

std::u32string code_points(std::string_view text) {
  std::u32string all;
  all.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t c = size == 1 ? lead : lead & (0xFFU >> (size + 1));
    for (std::size_t i = 1; i < size && at + i < text.size(); ++i)
      c = c << 6U | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
    all += c;
    at += size;
  }
  return all;
}

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0U | c >> 6U);
    out += static_cast<char>(0x80U | (c & 0x3FU));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0U | c >> 12U);
    out += static_cast<char>(0x80U | (c >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (c & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | c >> 18U);
    out += static_cast<char>(0x80U | (c >> 12U & 0x3FU));
    out += static_cast<char>(0x80U | (c >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (c & 0x3FU));
  }
}

bool is_white(char32_t c) { return c == U' ' || c == U'\t'; }

bool is_printable(char32_t c) {
  return (c >= 0x20 && c <= 0x7E) || (c >= 0xA1 && c <= 0xD7FF && c != 0x2028 && c != 0x2029) ||
         (c >= 0xE000 && c <= 0xFFFD && c != 0xFEFF);
}

bool is_plain_first(char32_t c) {
  return is_printable(c) && !is_white(c) &&
         std::u32string_view(U"-?:,[]{}#&*!|=>'\"%@`").find(c) == std::u32string_view::npos;
}

bool is_plain(char32_t c, char32_t before) {
  return is_printable(c) && std::u32string_view(U",[]{}:").find(c) == std::u32string_view::npos &&
         (c != U'#' || (is_printable(before) && !is_white(before)));
}

/// Words that are booleans in YAML 1.1.
bool is_old_boolean(std::string_view text) {
  for (const char* const word :
       {"y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"})
    if (text == word) return true;
  return false;
}

/// Folds a line of a block. It is broken at the last space before `width`, or at the first one after it. It is never
/// broken before a space, because a line that begins with a space keeps its break.
void append_folded_line(std::u32string& out, std::u32string_view line, std::size_t width) {
  if (line.empty() || line[0] == U' ') {
    out += line;
    return;
  }
  std::size_t start = 0;
  std::size_t last = 0;  // the last place where the line can be broken
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    if (line[i] != U' ' || line[i + 1] == U' ') continue;
    if (i - start > width) {
      const std::size_t end = last > start ? last : i;
      out += line.substr(start, end - start);
      out += U'\n';
      start = end + 1;
    }
    last = i;
    ++i;  // no break begins at the character after the space
  }
  if (line.size() - start > width && last > start) {
    out += line.substr(start, last - start);
    out += U'\n';
    start = last + 1;
  }
  out += line.substr(start);
}

/// Returns `text` as a folded block has it: line ends are doubled, except beside lines that begin with a space.
std::u32string folded(std::u32string_view text, std::size_t width) {
  std::u32string out;
  std::size_t at = std::min(text.find(U'\n'), text.size());
  append_folded_line(out, text.substr(0, at), width);
  bool before_indented = text[0] == U'\n' || text[0] == U' ';
  while (at < text.size()) {
    const std::size_t content = std::min(text.find_first_not_of(U'\n', at), text.size());
    const std::size_t end = std::min(text.find(U'\n', content), text.size());
    const std::u32string_view line = text.substr(content, end - content);
    const bool indented = !line.empty() && line[0] == U' ';
    out += text.substr(at, content - at);
    if (!before_indented && !indented && !line.empty()) out += U'\n';
    append_folded_line(out, line, width);
    before_indented = indented;
    at = end;
  }
  return out;
}

/// Returns the indented lines of a block, without the last line end.
void append_block(std::string& out, std::u32string_view text, std::size_t indent) {
  if (text.ends_with(U'\n')) text.remove_suffix(1);
  bool at_start = true;
  for (const char32_t c : text) {
    if (at_start && c != U'\n') out.append(indent, ' ');
    at_start = c == U'\n';
    append_utf8(out, c);
  }
}

std::string block_header(std::u32string_view text) {
  const std::size_t content = text.find_first_not_of(U'\n');
  std::string header = content != std::u32string_view::npos && text[content] == U' ' ? std::to_string(kIndent) : "";
  if (!text.ends_with(U'\n'))
    header += '-';
  else if (text == U"\n" || text.ends_with(U"\n\n"))
    header += '+';
  return header + '\n';
}

void append_escaped(std::string& out, std::u32string_view text) {
  for (const char32_t c : text) {
    const char* short_escape = nullptr;
    switch (c) {
      case 0x00:
        short_escape = "\\0";
        break;
      case 0x07:
        short_escape = "\\a";
        break;
      case 0x08:
        short_escape = "\\b";
        break;
      case 0x09:
        short_escape = "\\t";
        break;
      case 0x0A:
        short_escape = "\\n";
        break;
      case 0x0B:
        short_escape = "\\v";
        break;
      case 0x0C:
        short_escape = "\\f";
        break;
      case 0x0D:
        short_escape = "\\r";
        break;
      case 0x1B:
        short_escape = "\\e";
        break;
      case 0x22:
        short_escape = "\\\"";
        break;
      case 0x5C:
        short_escape = "\\\\";
        break;
      case 0x85:
        short_escape = "\\N";
        break;
      case 0xA0:
        short_escape = "\\_";
        break;
      case 0x2028:
        short_escape = "\\L";
        break;
      case 0x2029:
        short_escape = "\\P";
        break;
      default:
        break;
    }
    if (short_escape) {
      out += short_escape;
    } else if (is_printable(c)) {
      append_utf8(out, c);
    } else {
      char buffer[16];
      std::snprintf(buffer, sizeof buffer,
                    c <= 0xFF     ? "\\x%02X"
                    : c <= 0xFFFF ? "\\u%04X"
                                  : "\\U%08X",
                    static_cast<unsigned>(c));
      out += buffer;
    }
  }
}

/// Returns a text in the style that js-yaml chooses: plain, in single quotes, in double quotes or, if it is no key, as
/// a block.
std::string written_text(const std::string& utf8, std::size_t level, bool is_key) {
  if (utf8.empty()) return "''";
  if (is_old_boolean(utf8)) return "'" + utf8 + "'";
  const std::size_t indent = kIndent * std::max<std::size_t>(1, level);
  const std::size_t width = std::max(kMinWidth, kWidth - std::min(indent, kWidth));
  const std::u32string text = code_points(utf8);
  bool plain = is_plain_first(text.front()) && !is_white(text.back());
  bool has_line_end = false;
  bool is_long = false;
  std::size_t line = 0;
  const auto end_line = [&](std::size_t end) {
    is_long = is_long || (end - line > width && text[line] != U' ');
    line = end + 1;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == U'\n' && !is_key) {
      has_line_end = true;
      end_line(i);
    } else if (!is_printable(text[i])) {
      std::string out = "\"";
      append_escaped(out, text);
      return out + '"';
    }
    plain = plain && is_plain(text[i], i > 0 ? text[i - 1] : U'\0');
  }
  if (!is_key) end_line(text.size());
  if (!has_line_end && !is_long) {
    if (plain && js_yaml_scalar(utf8) == JsYamlScalar::text) return utf8;
    std::string out = "'";
    for (const char c : utf8) out.append(c == '\'' ? 2 : 1, c);
    return out + '\'';
  }
  std::string out = (is_long ? '>' : '|') + block_header(text);
  append_block(out, is_long ? folded(text, width) : text, indent);
  return out;
}

class YamlWriter {
 public:
  std::string written(const JsValue& value) {
    find_shared(value);
    return node(value, 0, true, false) + '\n';
  }

 private:
  /// Numbers the shared objects and lists in the order of their second places.
  void find_shared(const JsValue& value) {
    if (!value.is_structured()) return;
    if (!seen_.insert(value.identity()).second) {
      references_.try_emplace(value.identity(), Reference{references_.size()});
      return;
    }
    if (value.is_list()) {
      for (const JsValue& item : value.list()) find_shared(item);
    } else {
      for (const JsObject::Member* const member : value.object().keys()) find_shared(member->second);
    }
  }

  /// Writes a value. If `compact`, its first line continues the current line.
  std::string node(const JsValue& value, std::size_t level, bool compact, bool is_key) {
    if (!value.is_structured()) return scalar(value, level, is_key);
    const auto reference = references_.find(value.identity());
    const bool is_shared = reference != references_.end();
    std::string anchor;
    if (is_shared) {
      anchor = "ref_" + std::to_string(reference->second.number);
      if (std::exchange(reference->second.written, true)) return '*' + anchor;
      anchor.insert(0, 1, '&');
      compact = false;
    }
    const bool is_empty = value.is_list() ? value.list().empty() : value.object().empty();
    if (is_empty) return anchor + (is_shared ? " " : "") + (value.is_list() ? "[]" : "{}");
    return anchor +
           (value.is_list() ? block_list(value.list(), level, compact) : block_object(value.object(), level, compact));
  }

  static std::string scalar(const JsValue& value, std::size_t level, bool is_key) {
    if (value.is_boolean()) return value.is(true) ? "true" : "false";
    if (value.is_text()) return written_text(value.text(), level, is_key);
    if (const auto* date = std::get_if<JsDate>(&value.variant())) return date->text;
    if (!value.is_number()) return "null";
    const double number = value.number();
    if (std::isnan(number)) return ".nan";
    if (std::isinf(number) && !std::holds_alternative<JsInteger>(value.variant())) return number < 0 ? "-.inf" : ".inf";
    if (number == 0 && std::signbit(number)) return "-0.0";
    std::string text = js_number_text(value);
    // A real number has a point in YAML. To JavaScript a whole number is an integer.
    const std::size_t e = text.find('e');
    if (e != std::string::npos && std::trunc(number) != number && text.find('.') == std::string::npos)
      text.insert(e, 1, '.');
    return text;
  }

  static void next_line(std::string& out, std::size_t level) {
    out += '\n';
    out.append(kIndent * level, ' ');
  }

  std::string block_list(const JsList& list, std::size_t level, bool compact) {
    std::string out;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (!compact || i > 0) next_line(out, level);
      const std::string item = node(list[i], level + 1, true, false);
      out += item.starts_with('\n') ? "-" : "- ";
      out += item;
    }
    return out;
  }

  std::string block_object(const JsObject& object, std::size_t level, bool compact) {
    std::string out;
    for (const JsObject::Member* const member : sorted_members(object)) {
      if (!compact || !out.empty()) next_line(out, level);
      const std::string key = scalar(member->first, level + 1, true);
      const bool is_explicit = key.size() > kMaxSimpleKey && code_units(key) > kMaxSimpleKey;
      if (is_explicit) out += "? ";
      out += key;
      if (is_explicit) next_line(out, level);
      const std::string value = node(member->second, level + 1, is_explicit, false);
      out += value.starts_with('\n') ? ":" : ": ";
      out += value;
    }
    return out;
  }

  static std::size_t code_units(const std::string& text) { return code_points(text).size(); }

  struct Reference {
    std::size_t number = 0;
    bool written = false;
  };
  std::unordered_set<const void*> seen_;
  std::unordered_map<const void*, Reference> references_;
};

void append_json(std::string& out, const JsValue& value, std::size_t level) {
  const auto next_line = [&](std::size_t at) {
    out += '\n';
    out.append(kIndent * at, ' ');
  };
  if (value.is_list()) {
    out += '[';
    const JsList& list = value.list();
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (i > 0) out += ',';
      next_line(level + 1);
      append_json(out, list[i], level + 1);
    }
    next_line(level);
    out += ']';
  } else if (value.is_object()) {
    out += '{';
    bool first = true;
    for (const JsObject::Member* const member : sorted_members(value.object())) {
      if (!first) out += ',';
      first = false;
      next_line(level + 1);
      append_json_string(out, member->first);
      out += ": ";
      append_json(out, member->second, level + 1);
    }
    next_line(level);
    out += '}';
  } else if (value.is_text()) {
    append_json_string(out, value.text());
  } else if (const auto* date = std::get_if<JsDate>(&value.variant())) {
    append_json_string(out, date->text);
  } else if (value.is_boolean()) {
    out += value.is(true) ? "true" : "false";
  } else {
    out += value.is_number() ? js_number_text(value) : "null";
  }
}

}  // namespace

std::string written_yaml(const JsValue& value) { return YamlWriter().written(value); }

std::string written_json(const JsValue& value) {
  std::string out;
  append_json(out, value, 0);
  return out;
}

}  // namespace eventgate
