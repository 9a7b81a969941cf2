#pragma once

#include <cstddef>
#include <string_view>

namespace eventgate {

/// Edits up to which one name may be a misspelling of another.
inline constexpr std::size_t kMaxNameEdits = 3;

/// Returns how many edits (insert, delete, replace, swap of neighbours; case does not count) make `b` of `a`. Returns
/// kMaxNameEdits + 1 if that is more than kMaxNameEdits, or more than half of the shorter name, or if a name has more
/// than 64 bytes. Costs little if the names have few letters in common. Thread-safe.
std::size_t name_edits(std::string_view a, std::string_view b);

}  // namespace eventgate
