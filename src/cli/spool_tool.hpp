#pragma once

#include <iosfwd>

#include "eventgate/cli/command_line.hpp"

namespace eventgate {

/// Runs `eventgate spool ...` and returns the exit status. Throws std::runtime_error that says what was expected.
int run_spool_tool(const CommandLine& line, std::ostream& out);

}  // namespace eventgate
