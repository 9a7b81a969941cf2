#pragma once

#include <cstddef>
#include <string>

namespace eventgate {

/// U+FFFD, which stands for what cannot be read.
inline constexpr char kReplacementCharacter[] = "\xEF\xBF\xBD";

/// The start of some bytes read as UTF-8 (RFC 3629): a whole code point, or what is no part of one.
struct Utf8Step {
  std::size_t size;  ///< Bytes of the code point, or of the maximal part that starts like one (at least 1).
  bool valid;
};

/// Reads at `at`, which is before `end`.
inline Utf8Step utf8_step(const char* at, const char* end) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(at[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, true};
  // What the second byte may be says it all: no overlong form, no surrogate, nothing above U+10FFFF.
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
  const auto there = static_cast<std::size_t>(end - at);
  for (std::size_t i = 1; i < size; ++i) {
    if (i == there || byte(i) < low || byte(i) > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {size, true};
}

/// Appends the code point, which is no surrogate, as UTF-8.
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

}  // namespace eventgate
