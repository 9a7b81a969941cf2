#pragma once

#include "eventgate/json/field_path.hpp"
#include "program.hpp"

// Which fields a schema declares: through `properties`, also behind `allOf` and `$ref`. What `anyOf`, `oneOf` and `if`
// add applies to some events only and does not count.

namespace eventgate {

/// Returns true if the schema declares a property at `field`. Returns false for the empty path.
bool declares_field(const CompiledSchema::Program& program, const FieldPath& field);

/// Returns true if the schema declares the parent of `field` as `type: object`. The parent of a top-level field is the
/// event. Returns false for the empty path.
bool declares_parent_object(const CompiledSchema::Program& program, const FieldPath& field);

}  // namespace eventgate
