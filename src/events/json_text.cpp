#include "eventgate/events/json_text.hpp"

#include <cstddef>

#include "utf8.hpp"

namespace eventgate {
namespace {

/// Whether the byte can stand in a JSON string as it is, and is no part of a longer code point.
bool is_plain(unsigned char byte) { return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\'; }

void append_escape(std::string& out, unsigned char byte) {
  switch (byte) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
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
      out += "\\u00";
      out += "0123456789abcdef"[byte >> 4];
      out += "0123456789abcdef"[byte & 15];
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  const char* const end = text.data() + text.size();
  const char* copied = text.data();  // up to here it is in `out`
  for (const char* at = copied; at != end;) {
    const auto byte = static_cast<unsigned char>(*at);
    if (is_plain(byte)) {
      ++at;
      continue;
    }
    const Utf8Step step = utf8_step(at, end);
    if (byte < 0x80 || !step.valid) {
      out.append(copied, at);
      if (step.valid)
        append_escape(out, byte);
      else
        out += kReplacementCharacter;
      copied = at + step.size;
    }
    at += step.size;
  }
  out.append(copied, end);
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_json_string(out, text);
  return out;
}

std::string to_valid_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  const char* const end = bytes.data() + bytes.size();
  for (const char* at = bytes.data(); at != end;) {
    const Utf8Step step = utf8_step(at, end);
    if (step.valid) {
      out.append(at, step.size);
      at += step.size;
    } else {
      out += kReplacementCharacter;
      ++at;
    }
  }
  return out;
}

std::string_view first_code_points(std::string_view text, std::size_t count) {
  std::size_t size = 0;
  for (; size < text.size(); ++size) {
    const bool starts_one = (static_cast<unsigned char>(text[size]) & 0xC0) != 0x80;
    if (starts_one && count-- == 0) break;
  }
  return text.substr(0, size);
}

}  // namespace eventgate
