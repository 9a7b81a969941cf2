#include "eventgate/base/utf8.hpp"

namespace eventgate {

std::string_view first_code_points(std::string_view text, std::size_t count) {
  std::size_t size = 0;
  for (; size < text.size(); ++size) {
    if (!is_utf8_continuation(text[size]) && count-- == 0) break;
  }
  return text.substr(0, size);
}

std::string_view utf8_prefix(std::string_view text, std::size_t max_size) {
  if (text.size() <= max_size) return text;
  std::size_t size = max_size;
  // A code point has at most three bytes behind its first.
  for (int i = 0; i < 3 && size > 0 && is_utf8_continuation(text[size]); ++i) --size;
  return text.substr(0, is_utf8_continuation(text[size]) ? max_size : size);
}

std::string_view utf8_suffix(std::string_view text, std::size_t max_size) {
  if (text.size() <= max_size) return text;
  const std::size_t earliest = text.size() - max_size;
  std::size_t begin = earliest;
  for (int i = 0; i < 3 && begin < text.size() && is_utf8_continuation(text[begin]); ++i) ++begin;
  const bool is_boundary = begin == text.size() || !is_utf8_continuation(text[begin]);
  return text.substr(is_boundary ? begin : earliest);
}

std::size_t find_invalid_utf8(std::string_view text) {
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    const Utf8Step step = utf8_step(at, end);
    if (!step.valid) return static_cast<std::size_t>(at - text.data());
    at += step.size;
  }
  return std::string_view::npos;
}

std::string to_valid_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  const char* const end = bytes.data() + bytes.size();
  const char* copied = bytes.data();  // `out` holds everything before it
  for (const char* at = copied; at != end;) {
    const Utf8Step step = utf8_step(at, end);
    if (step.valid) {
      at += step.size;
    } else {
      out.append(copied, at);
      out += kReplacementCharacter;
      copied = ++at;
    }
  }
  return out.append(copied, end);
}

}  // namespace eventgate
