#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "eventgate/json/json_nodes.hpp"
#include "validation_scratch.hpp"

// Equality of JSON values, for `const`, `enum` and `uniqueItems`. Numbers are compared by value: 1, 1.0 and 1e0 are
// equal. Objects are equal if they have equal members in any order; of a duplicate key the last value counts.

namespace eventgate {

/// Returns the value of a number that is written without fraction and exponent and has at most 18 digits, so that it
/// fits 64 bits. Returns nullopt for any other number.
inline std::optional<std::int64_t> small_integer(JsonValue number) {
  const JsonNode& node = number.node();
  if ((node.flags & JsonNode::kFraction) || node.end - node.begin > 18) return std::nullopt;
  const char* at = number.base() + node.begin;
  const char* end = number.base() + node.end;
  const bool negative = *at == '-';
  std::int64_t value = 0;
  for (at += negative; at != end; ++at) value = value * 10 + (*at - '0');
  return negative ? -value : value;
}

/// Returns true if the values are equal, as AJV's fast-deep-equal decides. Recursive in the depth of the flatter value.
bool equal_values(JsonValue a, JsonValue b, ValidationScratch& scratch);

/// Returns a hash that is the same for equal values. Recursive in the depth of `value`.
std::uint64_t hash_value(JsonValue value, ValidationScratch& scratch);

/// Returns the indexes of two equal items of `array`, or nullopt: those that AJV reports.
///
/// AJV searches from the end of the array. If `types` is 0, it looks for an equal item before each item. Otherwise it
/// compares the items of these types only, and looks behind each.
std::optional<std::pair<Index, Index>> find_equal_items(JsonValue array, TypeSet types, ValidationScratch& scratch);

}  // namespace eventgate
