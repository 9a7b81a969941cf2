#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace eventgate {

enum class Metaschema { draft_04, draft_06, draft_07, secure };

/// The document of a metaschema, as published.
const nlohmann::ordered_json& metaschema_document(Metaschema metaschema);

/// The draft that a schema's `$schema` names: http or https, with or without a `#`. False if it names none of ours.
bool find_draft(std::string_view uri, Metaschema& draft);

}  // namespace eventgate
