#pragma once

#include "keyword_errors.hpp"
#include "program.hpp"
#include "validation_scratch.hpp"

// Duplicate keys of an object. JSON allows them, readers disagree about them (RFC 8259, section 4), and JavaScript
// takes the last value. An event is invalid if a key occurs twice that a schema declares.

namespace eventgate {

/// Returns true if an object in `event` has a key twice. Linear in the size of `event`.
bool has_duplicate_keys(JsonValue event, ValidationScratch& scratch);

/// Adds an error for each key that an object has twice and that a schema for this object declares in `properties`.
void add_duplicate_key_errors(const CompiledSchema::Program& program, JsonValue event, KeywordErrors& errors,
                              ValidationScratch& scratch);

}  // namespace eventgate
