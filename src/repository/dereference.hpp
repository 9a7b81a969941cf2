#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "eventgate/schema/schema_compiler.hpp"

namespace eventgate {

/// What keeps a schema from being written out.
struct SchemaProblem {
  std::string message;
};

/// How a `$ref` is taken.
enum class RefRules : std::uint8_t {
  gate,  ///< As the drafts say: members beside it count for nothing.
  /// As jsonschema-tools takes those of a `current` (json-schema-ref-parser 7): members beside it stay, before those of
  /// what is referenced, and `./#...` is in the document itself.
  jsonschema_tools,
};

/// `document`, found at `uri` (absolute path in the repositories), with each `$ref` replaced by what it leads to, in
/// examples too. What refers to itself cannot be written out: inside itself it stays a `$ref`, made absolute. The error
/// says what leads nowhere, or that the result is too large.
boost::system::result<nlohmann::ordered_json, SchemaProblem> dereferenced(const std::string& uri,
                                                                          const nlohmann::ordered_json& document,
                                                                          const RefReader& refs, RefRules rules);

}  // namespace eventgate
