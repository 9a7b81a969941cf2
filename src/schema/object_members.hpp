#pragma once

#include <cstddef>

#include "validation_scratch.hpp"

namespace eventgate {

/// Appends the members of `object` to `scratch.members`: each name once, in the order of their first occurrence.
/// Returns true if a name occurs twice.
bool append_members(JsonValue object, ValidationScratch& scratch);

/// Sorts the members of `object`, which begin at `begin` in `scratch.members`, into the order in which JavaScript
/// enumerates them: array indices first.
void sort_members(JsonValue object, std::size_t begin, ValidationScratch& scratch);

}  // namespace eventgate
