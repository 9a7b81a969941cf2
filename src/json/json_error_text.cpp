#include "eventgate/json/json_error_text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/utf8.hpp"

namespace eventgate {

namespace {

constexpr std::size_t kMaxQuoted = 20;  // bytes of the text
constexpr std::string_view kSpace = " \t\r\n";

bool is_word(char c) {
  return c == '_' || c == '$' || is_ascii_digit(c) || (to_ascii_lower(c) >= 'a' && to_ascii_lower(c) <= 'z');
}

/// Returns the word at the start of `text`, or its first character. Returns an empty text for a control character or
/// a byte that is not UTF-8.
std::string_view first_token(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() && size < kMaxQuoted && is_word(text[size])) ++size;
  if (size > 0) return text.substr(0, size);
  const Utf8Step step = utf8_step(text.data(), text.data() + text.size());
  const auto byte = static_cast<unsigned char>(text.front());
  const bool is_control = byte < 0x20 || byte == 0x7F || (step.size == 2 && byte == 0xC2 && (text[1] & 0x20) == 0);
  return step.valid && !is_control ? text.substr(0, step.size) : std::string_view();
}

std::string hex_byte(char c) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  return std::string("0x") + kDigits[byte >> 4] + kDigits[byte & 0xF];
}

std::string found_text(std::string_view rest) {
  if (rest.empty()) return "the end";
  const std::string_view token = first_token(rest);
  if (token.empty()) return "the byte " + hex_byte(rest.front());
  return "'" + std::string(token) + "'";
}

bool is_comment(std::string_view rest) {
  return rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#');
}

bool is_curly_quote(std::string_view rest) {
  return rest.starts_with("\u201c") || rest.starts_with("\u201d") || rest.starts_with("\u2018") ||
         rest.starts_with("\u2019");
}

/// Values of other languages that JSON does not have.
bool is_foreign_value(std::string_view word) {
  constexpr std::array<std::string_view, 7> kValues{"NaN", "Infinity", "undefined", "None", "True", "False", "nil"};
  return std::ranges::find(kValues, word) != kValues.end();
}

/// Returns true if the text begins as `name=value` of a form.
bool is_form(std::string_view text) {
  const std::size_t name = text.find_first_of("={[\"<" + std::string(kSpace));
  return name != std::string_view::npos && name > 0 && text[name] == '=';
}

/// Returns what a text looks like that goes on behind its value.
std::string_view several_values(std::string_view before, std::string_view rest) {
  const bool is_new_line = before.find('\n', before.find_last_not_of(kSpace) + 1) != std::string_view::npos;
  if (rest.starts_with('{') || rest.starts_with('['))
    return is_new_line ? "this looks like an event on each line (NDJSON); several events have to be one array"
                       : "this looks like one event behind the other; several events have to be one array";
  if (rest.starts_with(',')) return "this looks like a list without its brackets; several events have to be one array";
  return {};
}

/// Returns the mistake that the text looks like, or an empty text.
std::string_view likely_mistake(std::string_view text, const JsonError& error) {
  const std::string_view before = text.substr(0, error.offset);
  const std::string_view rest = text.substr(error.offset);
  const std::size_t last = before.find_last_not_of(kSpace);
  const char previous = last == std::string_view::npos ? '\0' : before[last];
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF") || text.substr(0, 4).find('\0') != text.npos)
    return "this looks like UTF-16; JSON has to be UTF-8";
  if (rest.empty()) return "the text looks cut off";
  if (rest.front() == '\'') return "this looks like single quotes; JSON has double quotes";
  if (is_curly_quote(rest)) return "this looks like typographic quotes; JSON has straight double quotes";
  if (is_comment(rest)) return "this looks like a comment; JSON has none";
  if (previous == ',' && (rest.front() == '}' || rest.front() == ']'))
    return "this looks like a comma behind the last element";
  if (error.expected == "the end of the text") return several_values(before, rest);
  if (is_foreign_value(first_token(rest))) return "JSON has no such value; it has null, true, false and numbers";
  if (error.expected.starts_with("a key in quotes") && is_word(rest.front()))
    return "this looks like a key without quotes";
  if (previous == '\0' && rest.front() == '<') return "this looks like HTML or XML";
  if (previous == '\0' && is_form(text)) return "this looks like a form";
  return {};
}

}  // namespace

std::string json_error_text(std::string_view text, const JsonError& error) {
  std::string out = "expected " + error.expected + " at byte " + std::to_string(error.offset);
  if (error.offset > text.size()) return out;
  out += ", found " + found_text(text.substr(error.offset));
  const std::string_view mistake = likely_mistake(text, error);
  if (!mistake.empty()) out.append(": ").append(mistake);
  return out;
}

}  // namespace eventgate
