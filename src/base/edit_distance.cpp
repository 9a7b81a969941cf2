#include "eventgate/base/edit_distance.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "eventgate/base/ascii.hpp"

namespace eventgate {

namespace {

constexpr std::size_t kMaxName = 64;  // bytes

/// Returns a bit for each byte that the name has, the case aside.
std::uint64_t letters(std::string_view name) {
  std::uint64_t set = 0;
  for (const char c : name) set |= std::uint64_t{1} << (static_cast<unsigned char>(to_ascii_lower(c)) & 63U);
  return set;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  a = a.substr(0, kMaxName);
  b = b.substr(0, kMaxName);
  using Row = std::array<std::size_t, kMaxName + 1>;
  // Edits from the first i - 2, i - 1 and i bytes of `a` to each start of `b`.
  Row before_last{}, last{}, row{};
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const char x = to_ascii_lower(a[i - 1]);
      const char y = to_ascii_lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (x == y ? 0 : 1)});
      if (i > 1 && j > 1 && x == to_ascii_lower(b[j - 2]) && y == to_ascii_lower(a[i - 2]))
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = row;
  }
  return last[b.size()];
}

std::size_t name_edits(std::string_view a, std::string_view b) {
  constexpr std::size_t kTooMany = kMaxNameEdits + 1;
  if (a.size() > kMaxName || b.size() > kMaxName) return kTooMany;
  const std::size_t most = std::min(kMaxNameEdits, std::min(a.size(), b.size()) / 2);
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > most) return kTooMany;
  // An edit changes two bits of the set at most.
  if (static_cast<std::size_t>(std::popcount(letters(a) ^ letters(b))) > 2 * most) return kTooMany;
  const std::size_t edits = edit_distance(a, b);
  return edits <= most ? edits : kTooMany;
}

}  // namespace eventgate
