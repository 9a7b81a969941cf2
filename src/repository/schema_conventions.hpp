#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace eventgate {

/// A place where a schema breaks a convention.
struct ConventionProblem {
  std::string pointer;
  std::string message;
};

// The conventions of jsonschema-tools. Each function checks one of them in a version, as it is in its file. The names
// are those that `skipSchemaTestCases` has.

/// `schema-snake-case-properties`: names of fields are in snake_case.
std::vector<ConventionProblem> snake_case_problems(const nlohmann::ordered_json& schema);

/// `schema-deterministic-types`: each field, item and map value has one type, so that a table can have a column of it.
std::vector<ConventionProblem> type_problems(const nlohmann::ordered_json& schema);

/// `schema-required-properties-exist`: each name in `required` is declared.
std::vector<ConventionProblem> required_problems(const nlohmann::ordered_json& schema);

/// `schema-enforced-numeric-bounds`: each number has a minimum and a maximum within `bounds`.
std::vector<ConventionProblem> bound_problems(const nlohmann::ordered_json& schema,
                                              const std::pair<double, double>& bounds);

/// `schema-field-names`: the fields of an object still differ when case, and the characters that no column of a table
/// may have, are left out.
std::vector<ConventionProblem> field_name_problems(const nlohmann::ordered_json& schema);

}  // namespace eventgate
