#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace eventgate {

/// Where a schema does not keep a convention.
struct ConventionProblem {
  std::string pointer;
  std::string message;
};

// jsonschema-tools' conventions, by the names that `skipSchemaTestCases` has for them. Of a version, as it is in its
// file.

/// `schema-snake-case-properties`.
std::vector<ConventionProblem> snake_case_problems(const nlohmann::ordered_json& schema);

/// `schema-deterministic-types`: each field has one type, lists and maps too, so that a table can have it.
std::vector<ConventionProblem> type_problems(const nlohmann::ordered_json& schema);

/// `schema-required-properties-exist`.
std::vector<ConventionProblem> required_problems(const nlohmann::ordered_json& schema);

/// `schema-enforced-numeric-bounds`: numbers have a minimum and a maximum within `bounds`.
std::vector<ConventionProblem> bound_problems(const nlohmann::ordered_json& schema,
                                              const std::pair<double, double>& bounds);

/// `schema-field-names`: fields of one object differ in more than case and the characters that a table's columns cannot
/// have.
std::vector<ConventionProblem> field_name_problems(const nlohmann::ordered_json& schema);

}  // namespace eventgate
