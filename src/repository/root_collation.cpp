#include "root_collation.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace eventgate {
namespace {

/// The order of the ASCII characters that are no letters. Letters come after them.
constexpr std::string_view kOrder = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789";
/// The bare letters of U+00C0 to U+017F. A space stands for none.
constexpr std::string_view kBare =
    "AAAAAA CEEEEIIII NOOOOO  UUUUY  aaaaaa ceeeeiiii nooooo  uuuuy y"
    "AaAaAaCcCcCcCcDd  EeEeEeEeEeGgGgGgGgHh  IiIiIiIiI   JjKk LlLlLl "
    "   NnNnNn   OoOoOo  RrRrRrSsSsSsSsTtTt  UuUuUuUuUuUuWwYyYZzZzZz ";

/// The weights of a character: the first level counts before the second, and that before the third.
struct Weight {
  std::uint32_t primary = 0;  ///< 0: the character is ignored.
  std::uint32_t accent = 0;
  bool capital = false;
};

Weight letter(char c) {
  const bool capital = c >= 'A' && c <= 'Z';
  return {(100U + static_cast<std::uint32_t>((c | 0x20) - 'a')) << 21U, 0, capital};
}

struct Range {
  std::uint32_t first, last;
};

bool is_in(std::initializer_list<Range> ranges, std::uint32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

/// Returns true for format characters, which are ignored.
bool is_ignored(std::uint32_t c) {
  return is_in({{0x80, 0x84},
                {0x86, 0x9F},
                {0xAD, 0xAD},
                {0x200B, 0x200F},
                {0x202A, 0x202E},
                {0x2060, 0x206F},
                {0xFE00, 0xFE0F},
                {0xFEFF, 0xFEFF}},
               c);
}
bool is_space(std::uint32_t c) {
  return is_in({{0x85, 0x85},
                {0xA0, 0xA0},
                {0x1680, 0x1680},
                {0x2000, 0x200A},
                {0x2028, 0x2029},
                {0x202F, 0x202F},
                {0x205F, 0x205F},
                {0x3000, 0x3000}},
               c);
}
/// Returns true for punctuation and symbols beyond ASCII, which come before the digits.
bool is_symbol(std::uint32_t c) {
  return is_in({{0xA1, 0xA9},
                {0xAB, 0xB1},
                {0xB4, 0xB4},
                {0xB6, 0xB8},
                {0xBB, 0xBB},
                {0xBF, 0xBF},
                {0xD7, 0xD7},
                {0xF7, 0xF7},
                {0x2010, 0x205E},
                {0x20A0, 0x20BF},
                {0x2190, 0x245F},
                {0x2500, 0x2BFF},
                {0x2E00, 0x2E7F},
                {0x3001, 0x3004},
                {0x3008, 0x3030},
                {0x1F000, 0x1FAFF}},
               c);
}

Weight weight(std::uint32_t c) {
  constexpr std::uint32_t kReturn = 5;  // weights of ASCII's characters
  constexpr std::uint32_t kSpace = 6;
  constexpr std::uint32_t kDigits = 39;  // the weight of 0
  if (is_ignored(c)) return {};
  if (is_in({{0x85, 0x85}, {0x2028, 0x2029}}, c)) return {(kReturn << 21U) + c, 0, false};
  if (is_space(c)) return {kSpace << 21U, c, false};
  // After `~` and before currencies.
  if (is_symbol(c)) return {((kDigits - 2) << 21U) + c, 0, false};
  if (c < 0x80) {
    const char ascii = static_cast<char>(c);
    if ((ascii >= 'a' && ascii <= 'z') || (ascii >= 'A' && ascii <= 'Z')) return letter(ascii);
    const std::size_t at = kOrder.find(ascii);
    return at == std::string_view::npos ? Weight{} : Weight{(static_cast<std::uint32_t>(at) + 1) << 21U, 0, false};
  }
  if (c >= 0xC0 && c - 0xC0 < kBare.size() && kBare[c - 0xC0] != ' ') {
    Weight bare = letter(kBare[c - 0xC0]);
    bare.accent = c;
    return bare;
  }
  return {(200U << 21U) + c, 0, false};
}

std::vector<Weight> weights(std::string_view text) {
  std::vector<Weight> all;
  all.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    std::uint32_t c = size == 1 ? lead : lead & (0xFFU >> (size + 1));
    for (std::size_t i = 1; i < size && at + i < text.size(); ++i)
      c = c << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
    at += size;
    if (const Weight one = weight(c); one.primary != 0) all.push_back(one);
  }
  return all;
}

template <typename Part>
int compare_by(const std::vector<Weight>& a, const std::vector<Weight>& b, const Part& part) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
    if (part(a[i]) != part(b[i])) return part(a[i]) < part(b[i]) ? -1 : 1;
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

}  // namespace

int locale_compare(std::string_view a, std::string_view b) {
  const std::vector<Weight> one = weights(a);
  const std::vector<Weight> other = weights(b);
  if (const int order = compare_by(one, other, [](const Weight& weight) { return weight.primary; })) return order;
  if (const int order = compare_by(one, other, [](const Weight& weight) { return weight.accent; })) return order;
  return compare_by(one, other, [](const Weight& weight) { return weight.capital; });
}

}  // namespace eventgate
