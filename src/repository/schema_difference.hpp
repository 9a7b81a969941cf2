#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace eventgate {

/// A difference between two schemas.
struct SchemaDifference {
  std::string pointer;
  std::string message;  ///< `has 1 at /a, expected 2`, `lacks /a`.
};

/// Returns the first difference, or nullopt if there is none. The order of members, and of names in `required`, does
/// not count.
std::optional<SchemaDifference> difference(const nlohmann::ordered_json& expected, const nlohmann::ordered_json& found);

}  // namespace eventgate
