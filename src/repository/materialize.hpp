#pragma once

#include <boost/system/result.hpp>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "dereference.hpp"

namespace eventgate {

/// `schema`, without `$ref`, with every `allOf` merged into what it is in, as json-schema-merge-allof 0.6 does for
/// jsonschema-tools: of what describes the first stays, of bounds the narrowest, of types and enums what they share,
/// `required` is joined. Properties are joined, whatever `additionalProperties` says. The error says what cannot be
/// merged.
boost::system::result<nlohmann::ordered_json, SchemaProblem> merged_all_of(const nlohmann::ordered_json& schema);

/// Gives every number in `schema` that lacks a `minimum` or `maximum` this one (`enforcedNumericBounds`).
void set_numeric_bounds(nlohmann::ordered_json& schema, double minimum, double maximum);

/// Where and how `found` differs from `expected`, or nothing. The order of members, and that of names in `required`, is
/// no difference.
std::optional<std::string> difference(const nlohmann::ordered_json& expected, const nlohmann::ordered_json& found);

}  // namespace eventgate
