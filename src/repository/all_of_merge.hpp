#pragma once

#include <boost/system/result.hpp>
#include <string>

#include "js_value.hpp"

namespace eventgate {

/// Why the branches of an `allOf` do not go together.
struct MergeProblem {
  std::string pointer;  ///< Of the keyword, in the schema that was to be made.
  std::string message;
};

/// `schema`, without `$ref`, with every `allOf` merged into the schema that has it: json-schema-merge-allof 0.6, as
/// jsonschema-tools uses it. Of `title`, `description`, `default`, `$id`, `$schema` and `examples` the first value
/// stays, the schema's own before those of the branches; bounds become the narrowest, `type` and `enum` what they
/// share, `required` is joined, schemas are merged deeply. `additionalProperties: false` of one branch does not forbid
/// another's properties. Otherwise than there, lists of `dependencies` are joined always, and an `allOf` inside `not`
/// is merged. What is left without a value is the problem, and so are too many combinations.
boost::system::result<JsValue, MergeProblem> merged_all_of(const JsValue& schema);

/// Gives every schema of the type `number` or `integer` in `schema` the `minimum` and `maximum` that it lacks
/// (`enforcedNumericBounds`), in place.
void set_numeric_bounds(const JsValue& schema, const JsValue& minimum, const JsValue& maximum);

}  // namespace eventgate
