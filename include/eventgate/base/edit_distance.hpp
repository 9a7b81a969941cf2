#pragma once

#include <cstddef>
#include <string_view>

namespace eventgate {

/// Returns the edits (insert, delete or replace a byte) from `a` to `b`: Levenshtein's distance. O(size of a * size of
/// b), so bound a text that a client chose. Pure.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace eventgate
