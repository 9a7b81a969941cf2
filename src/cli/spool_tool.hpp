#pragma once

#include <iosfwd>

#include "eventgate/cli/command_line.hpp"

namespace eventgate {

/// Does what `eventgate spool ...` asks for: the exit status. Throws std::runtime_error with what was expected.
int run_spool_tool(const CommandLine& line, std::ostream& out);

}  // namespace eventgate
