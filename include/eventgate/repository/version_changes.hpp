#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace eventgate {

/// What differs between two versions of a schema.
struct SchemaChange {
  std::string pointer;      ///< JSON pointer to the keyword, `/` for the whole.
  std::string what;         ///< `is new: "x"`, `is gone`.
  bool compatible = false;  ///< Whether it may be within a major version.

  std::string text() const { return pointer + ": " + what; }
};

/// What differs from `older` to `newer`, two schemas without `$ref`. Compatible are optional fields that are new;
/// descriptions, titles, examples, ids and definitions; an enum, a `maxLength`, `maxItems` or `maxProperties` that
/// grows; a `maxLength` that is gone; a default that is new, and any other keyword that makes no event invalid.
std::vector<SchemaChange> schema_changes(const nlohmann::ordered_json& older, const nlohmann::ordered_json& newer);

/// Those of `schema_changes` that are not compatible.
std::vector<SchemaChange> incompatible_changes(const nlohmann::ordered_json& older,
                                               const nlohmann::ordered_json& newer);

}  // namespace eventgate
