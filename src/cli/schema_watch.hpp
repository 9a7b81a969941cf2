#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "eventgate/cli/command_line.hpp"
#include "eventgate/repository/jsonschema_tools_config.hpp"

namespace eventgate {

class ObjectReader;

/// Builds `currents`. Then it builds each current below the base when it is saved, and each that refers to what
/// changed, until the process ends. It prints a line for each. Returns 1 if the folders cannot be watched.
int watch_schemas(const std::vector<std::string>& currents, const JsonschemaToolsConfig& config,
                  const SchemaBuildOptions& options, ObjectReader& reader, std::ostream& out);

}  // namespace eventgate
