#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "eventgate/schema/schema_compiler.hpp"

namespace eventgate {

/// The reason why a schema cannot be written out or merged.
struct SchemaProblem {
  std::string message;
};

/// How a `$ref` is replaced.
enum class RefRules : std::uint8_t {
  gate,  ///< As the drafts say: members beside a `$ref` are ignored.
  /// As jsonschema-tools does in a `current` (json-schema-ref-parser 7): members beside a `$ref` stay, before those of
  /// its target, and `./#...` refers to the document itself.
  jsonschema_tools,
};

/// Returns `document`, found at `uri` (absolute path in the repositories), with each `$ref` replaced by its target, in
/// examples too. Inside a schema that refers to itself the `$ref` stays, as an absolute one. The error names a
/// reference that leads nowhere, or says that the result is too large. Recursive, with a limit of levels.
boost::system::result<nlohmann::ordered_json, SchemaProblem> dereferenced(const std::string& uri,
                                                                          const nlohmann::ordered_json& document,
                                                                          const RefReader& refs, RefRules rules);

}  // namespace eventgate
