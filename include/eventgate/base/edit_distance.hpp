#pragma once

#include <cstddef>
#include <string_view>

namespace eventgate {

/// Returns the edits from `a` to `b`: a byte inserted, deleted or replaced, or two neighbours swapped (optimal string
/// alignment). Case does not count. Of each text the first 64 bytes are compared. Pure.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// Edits up to which one name may be a misspelling of another.
inline constexpr std::size_t kMaxNameEdits = 3;

/// Returns edit_distance() of two names that may be misspellings of each other. Returns kMaxNameEdits + 1 if that is
/// more than kMaxNameEdits, or more than half of the shorter name, or if a name has more than 64 bytes. Costs little if
/// the names have few letters in common, so a client may have chosen one. Pure.
std::size_t name_edits(std::string_view a, std::string_view b);

}  // namespace eventgate
