#pragma once

#include <iosfwd>

#include "eventgate/cli/command_line.hpp"

namespace eventgate {

// The commands of `eventgate schema`, except `build`. Each returns the exit status, and throws std::runtime_error if
// something does not exist or cannot be read.

int run_schema_new(const CommandLine& line, std::ostream& out);
int run_schema_show(const CommandLine& line, std::istream& in, std::ostream& out);
int run_schema_diff(const CommandLine& line, std::ostream& out);
int run_schema_types(const CommandLine& line, std::ostream& out);
int run_schema_test(const CommandLine& line, std::ostream& out, std::ostream& errors);

}  // namespace eventgate
