#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace eventgate {

/// The drafts of JSON Schema that are supported, and json-schema-secure, which forbids expensive schemas.
enum class Metaschema { draft_04, draft_06, draft_07, secure };

/// Returns the document of a metaschema as published. Thread-safe.
const nlohmann::ordered_json& metaschema_document(Metaschema metaschema);

/// Sets `draft` to the draft that the `$schema` of a document names: with http or https, with or without a `#`. Returns
/// false if `uri` names no supported draft.
bool find_draft(std::string_view uri, Metaschema& draft);

}  // namespace eventgate
