#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "eventgate/schema/schema_compiler.hpp"

namespace eventgate {

/// The reason why a schema cannot be written out or merged.
struct SchemaProblem {
  std::string message;
};

/// Returns `document`, found at `uri` (absolute path in the repositories), with each `$ref` replaced by its target, in
/// examples too. Members beside a `$ref` are ignored, as the drafts say. Inside a schema that refers to itself the
/// `$ref` stays, as an absolute one. The error names a reference that leads nowhere, or says that the result is too
/// large. Recursive, with a limit of levels.
boost::system::result<nlohmann::ordered_json, SchemaProblem> dereferenced(const std::string& uri,
                                                                          const nlohmann::ordered_json& document,
                                                                          const RefReader& refs);

}  // namespace eventgate
