#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace eventgate {

/// Checks a schema document against the metaschema its `$schema` names (draft 04, 06, 07; http or https, with or
/// without `#`; absent: 07) and, unless `allow_insecure`, against json-schema-secure. What is wrong, with the JSON
/// pointer, or nothing.
///
/// Thread-safe. Trusted, bounded input only: valijson runs here.
std::optional<std::string> check_schema(const nlohmann::ordered_json& document, bool allow_insecure);

}  // namespace eventgate
