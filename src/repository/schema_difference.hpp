#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace eventgate {

/// Where one schema differs from another, and how.
struct SchemaDifference {
  std::string pointer;
  std::string message;  ///< `has 1 at /a, expected 2`, `lacks /a`.
};

/// The first place where `found` differs from `expected`, or nothing. The order of members, and that of names in
/// `required`, is no difference.
std::optional<SchemaDifference> difference(const nlohmann::ordered_json& expected, const nlohmann::ordered_json& found);

}  // namespace eventgate
