#pragma once

#include <string>
#include <vector>

#include "program.hpp"

// The steps of the compiler that need all schemas and references of a Program. In all functions `places` names each
// schema of the program for error messages.

namespace eventgate {

/// Sets `has_defaults` of every schema.
void mark_defaults(CompiledSchema::Program& program);

/// Throws CompileError if a schema leads back to itself for one value, or if too many schemas, one inside the other,
/// apply to one value.
void check_nesting(const CompiledSchema::Program& program, const std::vector<std::string>& places);

/// Fills the defaults inside each default, so that events need not. Throws CompileError if a default makes itself again
/// without end. Needs `mark_defaults` and `check_nesting` before it.
void complete_constants(CompiledSchema::Program& program, const std::vector<std::string>& places);

}  // namespace eventgate
