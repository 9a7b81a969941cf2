#pragma once

#include <iosfwd>

#include "eventgate/cli/command_line.hpp"

namespace eventgate {

/// `eventgate canary`: prints the canaries of the interval that is now, an event a line, or posts each to `post`.
/// Streams that are named get one whether they have canaries or not. `errors` receives what fails. Returns the exit
/// status. Throws std::runtime_error if the config or the stream configs cannot be read.
int run_canary(const CommandLine& line, std::ostream& out, std::ostream& errors);

}  // namespace eventgate
