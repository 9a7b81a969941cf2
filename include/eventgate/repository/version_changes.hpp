#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace eventgate {

/// A difference between two versions of a schema.
struct SchemaChange {
  std::string pointer;      ///< JSON pointer to the keyword. `/` is the whole schema.
  std::string what;         ///< Such as `is new: "x"` or `is gone`.
  bool compatible = false;  ///< True if it is allowed within a major version.

  std::string text() const { return pointer + ": " + what; }
};

/// Returns the differences between two schemas without `$ref`. These are compatible: a new optional field;
/// descriptions, titles, examples, ids and definitions; an enum, `maxLength`, `maxItems` or `maxProperties` that grows;
/// a `maxLength` that is removed; a new default, and any other keyword that makes no event invalid.
std::vector<SchemaChange> schema_changes(const nlohmann::ordered_json& older, const nlohmann::ordered_json& newer);

/// Returns those of `schema_changes` that are not compatible.
std::vector<SchemaChange> incompatible_changes(const nlohmann::ordered_json& older,
                                               const nlohmann::ordered_json& newer);

}  // namespace eventgate
