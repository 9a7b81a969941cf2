#include "log_text.hpp"

#include <cstddef>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/utf8.hpp"

namespace eventgate {
namespace {

/// Bytes of a text in a line. A longer one is cut, so that a line that quotes a client stays readable.
constexpr std::size_t kMaxText = 8 * 1024;

void append_escaped(std::string& out, unsigned char code) {
  (out += "\\u00") += kLowerHexDigits[code >> 4];
  out += kLowerHexDigits[code & 0xF];
}

void append_ascii(std::string& out, char character, bool is_json) {
  switch (character) {
    case '"':
    case '\\':
      if (is_json) out += '\\';
      out += character;
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (static_cast<unsigned char>(character) < 0x20 || character == 0x7F)
    append_escaped(out, static_cast<unsigned char>(character));
  else
    out += character;
}

void append(std::string& out, std::string_view text, bool is_json) {
  const std::size_t size = text.size();
  if (size > kMaxText) text = utf8_prefix(text, kMaxText);
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    const Utf8Step step = utf8_step(at, end);
    if (!step.valid) {
      out += kReplacementCharacter;
      ++at;
      continue;
    }
    if (step.size == 1)
      append_ascii(out, *at, is_json);
    else if (step.size == 2 && at[0] == '\xC2' && static_cast<unsigned char>(at[1]) < 0xA0)
      append_escaped(out, static_cast<unsigned char>(at[1]));
    else
      out.append(at, step.size);
    at += step.size;
  }
  if (size > kMaxText) (out += " ... (cut, ") += std::to_string(size) + " bytes in all)";
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) { append(out, text, true); }

void append_plain_text(std::string& out, std::string_view text) { append(out, text, false); }

}  // namespace eventgate
