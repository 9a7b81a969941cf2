#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace eventgate {

/// Returns true if AJV compiles `schema` into code: it is `false`, or has a keyword that constrains values. Every value
/// is valid under any other schema. Returns true for a value that is not a schema too, so that the
/// compiler rejects it.
bool has_rules(const nlohmann::ordered_json& schema);

/// Returns true if AJV inlines `schema` where it is referenced: no object inside it has a key `$ref`. Recursive.
bool is_inlined(const nlohmann::ordered_json& schema);

}  // namespace eventgate
