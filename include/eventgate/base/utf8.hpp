#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

// UTF-8 (RFC 3629): reading one code point, cutting a text between code points, finding and replacing invalid bytes.
// Every function is pure, so any thread may call it.

namespace eventgate {

/// U+FFFD as UTF-8. It replaces bytes that are not valid UTF-8.
inline constexpr char kReplacementCharacter[] = "\xEF\xBF\xBD";

/// Returns true if `c` belongs to a code point and is not its first byte.
constexpr bool is_utf8_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// The result of reading one code point.
struct Utf8Step {
  std::size_t size;  ///< Bytes of the code point. If `valid` is false: bytes of the longest valid start, at least 1.
  bool valid;
};

/// Reads the code point at `at`, which must be before `end`. Surrogates and overlong forms are invalid.
inline Utf8Step utf8_step(const char* at, const char* end) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(at[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, true};
  // The range of the second byte excludes overlong forms, surrogates and everything above U+10FFFF.
  std::size_t size;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    size = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    size = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    size = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  } else {
    return {1, false};
  }
  const auto available = static_cast<std::size_t>(end - at);
  for (std::size_t i = 1; i < size; ++i) {
    if (i == available || byte(i) < low || byte(i) > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {size, true};
}

/// Appends `code_point` as UTF-8. It must not be a surrogate.
inline void append_utf8(std::string& out, unsigned code_point) {
  const auto put = [&](unsigned byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

/// Returns the number of code points of valid UTF-8.
inline std::size_t count_code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !is_utf8_continuation(c); }));
}

/// Returns the first `count` code points of valid UTF-8, or all of `text` if it has fewer.
std::string_view first_code_points(std::string_view text, std::size_t count);

/// Returns the start of `text` in at most `max_size` bytes, without a code point that the end would cut. If `text` is
/// not UTF-8 where the cut falls, the result has exactly `max_size` bytes.
std::string_view utf8_prefix(std::string_view text, std::size_t max_size);

/// Returns the end of `text` in at most `max_size` bytes, without a code point that the start would cut. If `text` is
/// not UTF-8 where the cut falls, the result has exactly `max_size` bytes.
std::string_view utf8_suffix(std::string_view text, std::size_t max_size);

/// Returns the offset of the first byte that is not part of valid UTF-8, or npos.
std::size_t find_invalid_utf8(std::string_view text);

/// Returns `bytes` with U+FFFD for each byte that is not part of valid UTF-8.
std::string to_valid_utf8(std::string_view bytes);

}  // namespace eventgate
