#pragma once

#include <iosfwd>

#include "eventgate/cli/command_line.hpp"

namespace eventgate {

/// `eventgate streams`: prints the stream configs that a wiki gets, as JSON, or, with `diff`, what a changed file would
/// change for each wiki. Returns the exit status. Throws std::runtime_error if the config or a document cannot be read.
int run_streams(const CommandLine& line, std::ostream& out);

}  // namespace eventgate
