#pragma once

#include <iosfwd>
#include <set>
#include <string>
#include <vector>

#include "eventgate/cli/command_line.hpp"
#include "eventgate/repository/jsonschema_tools_config.hpp"
#include "eventgate/repository/repository_problem.hpp"

namespace eventgate {

class ObjectReader;

/// Runs `schema build`, under each of its names, and `schema dereference`. Returns the exit status: 1 if there are
/// problems or, with `check`, if something would be written; otherwise 0. The result goes to `out`, problems go to
/// `errors`.
int run_schema_build(const CommandLine& line, std::istream& in, std::ostream& out, std::ostream& errors);

/// Returns the config with the options of the command line, which override it. Warnings go to `errors`.
JsonschemaToolsConfig schema_tools_config(const CommandLine& line, ObjectReader& reader, std::ostream& errors);

/// Reads standard input. Throws std::runtime_error if it has more than 1 MB.
std::string input_text(std::istream& in);

/// The result of `build`.
struct SchemaBuild {
  std::vector<RepositoryProblem> problems;
  std::vector<RepositoryProblem> warnings;  ///< They do not keep versions from being written.
  std::vector<std::string> built;           ///< Such as `analytics/link_hover 1.1.0`.
  std::vector<std::string> files;           ///< The files that were written or, in a dry run, would be.
  std::vector<std::string> of_versions;     ///< All files of the versions, new or not.
  std::vector<std::string> dependents;      ///< Each file that refers to a changed version, and that version.
};

/// Builds the versions of `currents` and, unless it is a dry run or a check, writes their files. It writes none if
/// there are problems. It may overwrite the files in `own`, and adds those that it writes.
SchemaBuild build_schemas(const std::vector<std::string>& currents, const JsonschemaToolsConfig& config,
                          const SchemaBuildOptions& options, ObjectReader& reader, std::set<std::string>* own);

}  // namespace eventgate
