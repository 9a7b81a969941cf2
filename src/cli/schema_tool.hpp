#pragma once

#include <iosfwd>

#include "eventgate/cli/command_line.hpp"

namespace eventgate {

/// Does what `eventgate schema ...` asks for: the exit status. Throws std::runtime_error with what was expected.
int run_schema_tool(const CommandLine& line, std::ostream& out);

}  // namespace eventgate
