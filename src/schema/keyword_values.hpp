#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "compile_error.hpp"
#include "program.hpp"

// Reads the values of keywords that hold no schemas: types, numbers and counts.

namespace eventgate {

/// A place in a schema document, for error messages.
struct SchemaPosition {
  std::string place;  ///< For example `/fragment/x/1.0.0#/properties/a`.

  SchemaPosition at(const std::string& keyword) const { return {place + "/" + keyword}; }
  /// Throws CompileError: the place, then `reason`.
  [[noreturn]] void fail(const std::string& reason) const { throw CompileError(place + " " + reason); }
};

/// Reads the value of `type`, which stands at `position`. Appends the names of the types to `names`, separated by
/// commas. Throws CompileError if it is no type and no array of types.
TypeSet read_types(const nlohmann::ordered_json& type, const SchemaPosition& position, std::string& names);

/// Reads a keyword such as `maxLength` of the schema at `position`. Leaves `count` alone if the schema lacks it.
/// `maximum` tells whether the keyword is an upper bound. Throws CompileError if the value is not an integer from 0.
void read_count(const nlohmann::ordered_json& schema, const SchemaPosition& position, const char* keyword, bool maximum,
                Count& count);

/// Reads the limits and `multipleOf` of the schema at `position`. Returns nullopt if it has none of them. Throws
/// CompileError if a value has a wrong type.
std::optional<NumberRules> read_number_rules(const nlohmann::ordered_json& schema, const SchemaPosition& position);

}  // namespace eventgate
