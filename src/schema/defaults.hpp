#pragma once

#include "eventgate/json/event_patch.hpp"
#include "program.hpp"

namespace eventgate {

/// Adds to `patch` each `default` that `value` lacks under `schema`, as AJV's useDefaults fills them in. Returns false
/// if it lacks none. `patch` must edit the text that `value` is part of.
///
/// A default may bring in others: a new object has properties with defaults, a `then` begins to apply. Apply the patch
/// and call again until the result is false. `schema` must not be kNone.
bool fill_defaults(const CompiledSchema::Program& program, Index schema, JsonValue value, EventPatch& patch);

}  // namespace eventgate
