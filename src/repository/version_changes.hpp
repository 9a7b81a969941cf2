#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace eventgate {

/// What makes `newer` more than `older` with optional fields added: each with its JSON pointer. Both are schemas
/// without
/// `$ref`. Descriptions, titles, examples and ids may change; an enum may grow, a `maxLength`, `maxItems` or
/// `maxProperties` too.
std::vector<std::string> incompatible_changes(const nlohmann::ordered_json& older, const nlohmann::ordered_json& newer);

}  // namespace eventgate
