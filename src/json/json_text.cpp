#include "eventgate/json/json_text.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/utf8.hpp"

namespace eventgate {
namespace {

/// Writes the escape of a control character. Returns its end.
char* write_escape(char* to, unsigned char byte) {
  const auto named = [to](char name) {
    to[0] = '\\';
    to[1] = name;
    return to + 2;
  };
  switch (byte) {
    case '\b':
      return named('b');
    case '\f':
      return named('f');
    case '\n':
      return named('n');
    case '\r':
      return named('r');
    case '\t':
      return named('t');
    default:
      std::memcpy(to, "\\u00", 4);  // NOLINT(bugprone-not-null-terminated-result): more text follows
      to[4] = kLowerHexDigits[byte >> 4];
      to[5] = kLowerHexDigits[byte & 15];
      return to + 6;
  }
}

/// Copies ASCII that needs no escape from `at` to `to`, up to the first other byte, at most 16 bytes. Returns the
/// number of bytes. May write 16 bytes in any case.
std::size_t copy_plain(char* to, const char* at, const char* end) {
#ifdef __SSE2__
  if (end - at >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    const __m128i quotes =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    // The comparison is signed, so bytes from 0x80 on are less than 0x20.
    const __m128i others = _mm_or_si128(quotes, _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)));
    return static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(_mm_movemask_epi8(others)) | 1u << 16));
  }
#endif
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x80 * kOnes;
  // Sets the high bit of each zero byte. It may set that of bytes above the lowest zero byte too.
  const auto zeros = [](std::uint64_t bytes) { return (bytes - kOnes) & ~bytes; };
  std::uint64_t bytes = 0;  // little endian; bytes behind the end are 0, which needs an escape
  if (const auto left = static_cast<std::size_t>(end - at); left >= 8) {
    std::memcpy(&bytes, at, 8);
  } else if (left >= 4) {
    std::uint32_t low, high;
    std::memcpy(&low, at, 4);
    std::memcpy(&high, end - 4, 4);
    bytes = low | std::uint64_t{high} << (8 * (left - 4));
  } else {
    for (std::size_t i = 0; i < left; ++i) bytes |= std::uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
  }
  std::memcpy(to, &bytes, 8);
  const std::uint64_t others =
      (zeros(bytes ^ '"' * kOnes) | zeros(bytes ^ '\\' * kOnes) | (bytes - 0x20 * kOnes) | bytes);
  return static_cast<std::size_t>(std::countr_zero(others & kHighs)) / 8;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::size_t kPiece = 512;
  std::array<char, 6 * kPiece + 48> piece;  // an escape has six bytes; the last step may exceed kPiece
  const char* const end = text.data() + text.size();
  const char* at = text.data();
  char* to = piece.data();
  *to++ = '"';
  for (;;) {
    const char* const stop = static_cast<std::size_t>(end - at) > kPiece ? at + kPiece : end;
    while (at < stop) {
      const std::size_t plain = copy_plain(to, at, end);
      at += plain;
      to += plain;
      if (at == end) break;
      const auto byte = static_cast<unsigned char>(*at);
      if (byte == '"' || byte == '\\') {
        *to++ = '\\';
        *to++ = static_cast<char>(byte);
        ++at;
        continue;
      }
      if (byte < 0x20) {
        to = write_escape(to, byte);
        ++at;
        continue;
      }
      if (byte < 0x80) continue;
      do {
        const Utf8Step step = utf8_step(at, end);
        const std::string_view point = step.valid ? std::string_view(at, step.size) : kReplacementCharacter;
        to = std::copy(point.begin(), point.end(), to);
        at += step.size;
      } while (at < stop && static_cast<unsigned char>(*at) >= 0x80);
    }
    if (at == end) break;
    out.append(piece.data(), to);
    to = piece.data();
  }
  *to++ = '"';
  out.append(piece.data(), to);
}

std::string json_string(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_json_string(out, text);
  return out;
}

std::string js_number(double number) {
  if (!std::isfinite(number)) return "null";
  if (number == 0) return "0";
  // The shortest digits that are read back as the same double: d.ddde+xx.
  std::array<char, 32> text;
  const char* const end =
      std::to_chars(text.data(), text.data() + text.size(), std::abs(number), std::chars_format::scientific).ptr;
  std::string digits;
  const char* at = text.data();
  for (; *at != 'e'; ++at)
    if (*at != '.') digits += *at;
  int exponent = 0;
  std::from_chars(at + 1 + (at[1] == '+'), end, exponent);
  const int size = static_cast<int>(digits.size());
  const int point = exponent + 1;  // digits before the decimal point
  std::string out = number < 0 ? "-" : "";
  if (size <= point && point <= 21) {
    out += digits;
    out.append(static_cast<std::size_t>(point - size), '0');
  } else if (0 < point && point <= 21) {
    out.append(digits, 0, static_cast<std::size_t>(point));
    out += '.';
    out.append(digits, static_cast<std::size_t>(point), std::string::npos);
  } else if (-6 < point && point <= 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-point), '0');
    out += digits;
  } else {
    out += digits[0];
    if (size > 1) {
      out += '.';
      out.append(digits, 1, std::string::npos);
    }
    out += exponent < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(exponent));
  }
  return out;
}

std::optional<std::uint32_t> array_index(std::string_view key) {
  if (key.empty() || key.size() > 10 || (key[0] == '0' && key.size() > 1)) return std::nullopt;
  std::uint64_t index = 0;
  for (const char c : key) {
    if (c < '0' || c > '9') return std::nullopt;
    index = index * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (index >= 0xFFFFFFFFu) return std::nullopt;
  return static_cast<std::uint32_t>(index);
}

}  // namespace eventgate
