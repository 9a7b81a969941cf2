#pragma once

#include <optional>
#include <string>

#include "js_value.hpp"

namespace eventgate {

/// Returns an event that is valid by `schema`, which has no `$ref`. It has every field. A value is the field's `const`,
/// else the first of its `enum`, its `default`, or a value of its type. `$schema` is `id`. Returns nullopt if the event
/// that is made so is invalid.
std::optional<JsValue> example_event(const JsValue& schema, const std::string& id);

/// Returns true if every item of the list `examples` is valid by `schema`, without defaults.
bool are_valid_examples(const JsValue& examples, const JsValue& schema);

}  // namespace eventgate
