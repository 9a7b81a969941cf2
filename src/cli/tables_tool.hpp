#pragma once

#include <iosfwd>

#include "eventgate/cli/command_line.hpp"

namespace eventgate {

/// `eventgate tables`: prints the statements that make tables of streams, or what keeps schemas from being tables.
/// Returns the exit status. If anything is wrong, `out` gets no statement. Throws std::runtime_error if the config, the
/// stream configs or the folder cannot be read.
int run_tables(const CommandLine& line, std::ostream& out, std::ostream& errors);

/// `eventgate tables compact`: makes the folder of a run, and prints the statements that write Parquet files into it.
int run_tables_compact(const CommandLine& line, std::ostream& out, std::ostream& errors);

/// `eventgate tables publish`: puts what a run wrote into its place.
int run_tables_publish(const CommandLine& line, std::ostream& out, std::ostream& errors);

/// `eventgate tables purge`: prints the partitions that are past their retention, or removes them. Without `--yes` it
/// returns 1 if more than 7 days' worth is due at once, which a script can ask before it removes.
int run_tables_purge(const CommandLine& line, std::ostream& out, std::ostream& errors);

}  // namespace eventgate
