#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace eventgate {

/// Returns the changes from `older` to `newer` that are not compatible, each with its JSON pointer. Both are schemas
/// without
/// `$ref`. Compatible changes are: new optional fields; other descriptions, titles, examples and ids; a larger enum,
/// `maxLength`, `maxItems` or `maxProperties`.
std::vector<std::string> incompatible_changes(const nlohmann::ordered_json& older, const nlohmann::ordered_json& newer);

}  // namespace eventgate
