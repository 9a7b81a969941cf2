#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eventgate/json/json_nodes.hpp"
#include "eventgate/schema/validation_error.hpp"

// Errors of an event that is JSON by its grammar and yet has values on which readers disagree. They have AJV's form:
//
//     {"keyword": "json", "dataPath": ".any.x", "schemaPath": "#", "params": {"offset": 52},
//      "message": "should NOT have a lone surrogate"}

namespace eventgate {

/// Returns AJV's dataPath of the value at `node` inside `event`. For a key it is the path of the key's object.
std::string data_path(JsonValue event, std::uint32_t node);

/// Returns an error for each of `flaws`, which lie in `event`: at most kMaxErrors, then one that says there are more.
/// `params.offset` counts bytes from the start of the event to the value, or to the first byte that is no UTF-8.
std::vector<ValidationError> flaw_errors(JsonValue event, std::span<const JsonInteropIssue> flaws);

}  // namespace eventgate
