#pragma once

#include <boost/system/result.hpp>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "dereference.hpp"

namespace eventgate {

/// Returns `schema`, which has no `$ref`, with every `allOf` merged into the schema around it, as
/// json-schema-merge-allof 0.6 does for jsonschema-tools. Of titles and descriptions the first stays, of bounds the
/// narrowest, of types and enums the common values. `required` and `properties` are joined, whatever
/// `additionalProperties` says. The error names what cannot be merged.
boost::system::result<nlohmann::ordered_json, SchemaProblem> merged_all_of(const nlohmann::ordered_json& schema);

/// Adds `minimum` and `maximum` to every schema of a number that lacks them (`enforcedNumericBounds`).
void set_numeric_bounds(nlohmann::ordered_json& schema, double minimum, double maximum);

/// Returns the first difference of `found` from `expected`, with its JSON pointer, or nullopt. The order of members,
/// and of the names in `required`, makes no difference.
std::optional<std::string> difference(const nlohmann::ordered_json& expected, const nlohmann::ordered_json& found);

}  // namespace eventgate
