#pragma once

#include <optional>
#include <string>

#include "js_value.hpp"

namespace eventgate {

/// An event that `schema` (without `$ref`) takes: every field, by `const`, the first of its `enum`, `default`, or of
/// its type. `$schema` is `id`. Nothing if what is made so is not valid.
std::optional<JsValue> example_event(const JsValue& schema, const std::string& id);

/// Whether each of `examples`, a list, is valid by `schema`. Defaults are not filled in.
bool are_valid_examples(const JsValue& examples, const JsValue& schema);

}  // namespace eventgate
