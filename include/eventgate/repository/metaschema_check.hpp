#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace eventgate {

/// Checks a schema document against the metaschema that its `$schema` names, and against json-schema-secure unless
/// `allow_insecure`. Drafts 04, 06 and 07 are known, with http or https, with or without `#`; 07 is the default.
///
/// Returns nullopt if the document is valid, otherwise the JSON pointer of the error and what was expected. valijson
/// runs here, so call it for documents of the repositories only, never for client data. Thread-safe.
std::optional<std::string> check_schema(const nlohmann::ordered_json& document, bool allow_insecure);

}  // namespace eventgate
