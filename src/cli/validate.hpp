#pragma once

#include <iosfwd>

#include "eventgate/cli/command_line.hpp"

namespace eventgate {

/// Processes each line of a file (`-` for stdin) as the body of a request and produces nothing. Writes the gate's
/// answer to each event: as text with a sum at the end, or as a JSON line each. Skips blank lines. `warnings` receives
/// the warnings of the config. Returns the exit status, 1 if an event was refused.
///
/// With `line.beacon` it takes that legacy beacon instead of lines, and writes its event.
///
/// A line has the limits of a request; no more of it is kept in memory. Throws std::runtime_error that says what was
/// expected if config, lines, stream configs or output fail. Blocks.
int run_validate(const CommandLine& line, std::ostream& out, std::ostream& warnings);

}  // namespace eventgate
