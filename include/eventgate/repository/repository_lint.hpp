#pragma once

#include <string>
#include <vector>

#include "eventgate/repository/jsonschema_tools_config.hpp"
#include "eventgate/repository/repository_problem.hpp"

namespace eventgate {

class ObjectReader;

/// Checks a schema repository and returns its problems. The layout is that of jsonschema-tools. The folder of a title
/// has `current.yaml`, which people write, and the versions that are built from it: `1.0.0.yaml`, the links `1.0.0` and
/// `latest`.
///
/// - The gate can use every version. A version is in the folder that its `$id` and `title` name.
/// - Every example is valid without defaults, and its `$schema` is the version that has it.
/// - Within a major version, each version adds only optional fields to the one before.
/// - A version built from `current` equals the newest version. If only the version has examples, they were generated,
///   which is no problem.
/// - All files of a version have the same content, and `latest` has that of the newest version.
///
/// If the repository has a `.jsonschema-tools.yaml`, the conventions of jsonschema-tools are checked, too. Each version
/// has a file of each content type, and links to them. Names of fields are in snake_case and differ in more than case.
/// A field has one type. Required fields exist. Numbers are bounded. `skipSchemaTestCases` has the names of the rules.
///
/// `reader` reads YAML by YamlRules::js_yaml. Throws std::runtime_error if the options of the repository are invalid.
/// Blocks: it reads files, and the hosts that the repository names.
std::vector<RepositoryProblem> repository_problems(const JsonschemaToolsConfig& config, ObjectReader& reader);

}  // namespace eventgate
