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

/// `schema build` and its other names, and `schema dereference`. 0, or 1 if something is wrong or, with `check`, would
/// be written. What is found goes to `errors`, what is asked for to `out`.
int run_schema_build(const CommandLine& line, std::istream& in, std::ostream& out, std::ostream& errors);

/// The config, with what the command line says over it. Its warnings go to `errors`.
JsonschemaToolsConfig schema_tools_config(const CommandLine& line, ObjectReader& reader, std::ostream& errors);

/// The text of standard input, of at most 1 MB. Throws std::runtime_error beyond it.
std::string input_text(std::istream& in);

/// What a run of `build` came to.
struct SchemaBuild {
  std::vector<RepositoryProblem> problems;
  std::vector<RepositoryProblem> warnings;  ///< That keep nothing from being written.
  std::vector<std::string> built;           ///< `analytics/link_hover 1.1.0`.
  std::vector<std::string> files;           ///< Those that are written, or would be.
  std::vector<std::string> of_versions;     ///< All files of the versions, written or there before.
  std::vector<std::string> dependents;      ///< Files whose `$ref` leads to something that changed, and what that is.
};

/// Makes the versions of `currents` and, unless it is a dry run or a check, writes all their files, or none if there
/// are problems. `own`: files that may be written over, and those written are added.
SchemaBuild build_schemas(const std::vector<std::string>& currents, const JsonschemaToolsConfig& config,
                          const SchemaBuildOptions& options, ObjectReader& reader, std::set<std::string>* own);

}  // namespace eventgate
