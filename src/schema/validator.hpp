#pragma once

#include <vector>

#include "keyword_errors.hpp"
#include "program.hpp"
#include "validation_scratch.hpp"

// Runs a Program over a parsed event, with the rules and the order of AJV 6.
//
// An event is validated fast first, which stops at the first error and lists none: nearly all events are valid. Only an
// invalid event is validated a second time, for its errors. The caller clears `scratch.verdicts` before each.

namespace eventgate {

/// Returns true if `event` is valid. Returns false if it is not, or if an object has a key twice that a schema
/// declares.
///
/// Appends to `integers` the node of each number that is accepted as `integer` but written with a fraction or an
/// exponent, possibly more than once. If the result is false, the content of `integers` is meaningless.
bool validate_fast(const CompiledSchema::Program& program, JsonValue event, std::vector<Index>& integers,
                   ValidationScratch& scratch);

/// Returns true if `value` is valid under `schema`. The last value of a duplicate key counts, as in JavaScript.
bool is_valid(const CompiledSchema::Program& program, Index schema, JsonValue value, ValidationScratch& scratch);

/// Adds every error of `event`, in AJV's order. The last value of a duplicate key counts.
void collect_errors(const CompiledSchema::Program& program, JsonValue event, KeywordErrors& errors,
                    ValidationScratch& scratch);

}  // namespace eventgate
