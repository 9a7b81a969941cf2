#pragma once

#include <boost/system/result.hpp>
#include <string>

#include "js_value.hpp"

namespace eventgate {

/// The reason why the branches of an `allOf` cannot be merged.
struct MergeProblem {
  std::string pointer;  ///< JSON pointer to the keyword, in the merged schema.
  std::string message;
};

/// Merges every `allOf` in `schema`, which has no `$ref`, into the schema around it. The result is that of
/// json-schema-merge-allof 0.6 as jsonschema-tools uses it. `title`, `description`, `default`, `$id`, `$schema` and
/// `examples` keep their first value; the schema's own comes before those of its branches. Bounds become the narrowest.
/// `type` and `enum` keep the common values. `required` is the union. Schemas are merged recursively. If a branch has
/// `additionalProperties: false`, the properties of other branches stay. Two things differ: lists in `dependencies` are
/// always joined, and an `allOf` inside `not` is merged. Returns a problem if a keyword is left without a value, or if
/// there are too many combinations.
boost::system::result<JsValue, MergeProblem> merged_all_of(const JsValue& schema);

/// Sets a missing `minimum` and `maximum` of every schema of the type `number` or `integer` in `schema`
/// (`enforcedNumericBounds`).
void set_numeric_bounds(const JsValue& schema, const JsValue& minimum, const JsValue& maximum);

}  // namespace eventgate
