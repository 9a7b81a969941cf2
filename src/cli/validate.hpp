#pragma once

#include <iosfwd>

#include "eventgate/cli/command_line.hpp"

namespace eventgate {

/// Takes each line of a file (`-`: standard input) through the gate that the config makes, as the body of a request,
/// and hands the records to nobody. Writes a verdict for each event: as text, and in the end how many there were; or as
/// JSON, a line each. Blank lines are none. `warnings` gets those of the config. The exit status: 1 if an event was
/// refused.
///
/// A line is held to the limits of a request, and no more than that of it is kept. Throws std::runtime_error, naming
/// what was expected, if the config, the lines, the stream configs or the output are not to be had. Blocks.
int run_validate(const CommandLine& line, std::ostream& out, std::ostream& warnings);

}  // namespace eventgate
