#pragma once

#include <string>
#include <vector>

#include "eventgate/repository/jsonschema_tools_config.hpp"
#include "eventgate/repository/repository_problem.hpp"

namespace eventgate {

class ObjectReader;

/// What is wrong with a repository of schemas as jsonschema-tools lays them out: in the folder of a title
/// `current.yaml`, which people write, and the versions made of it, `1.0.0.yaml`, with `1.0.0` and `latest` beside
/// them.
///
/// - Every version can be used by the gate, and is where its `$id` and `title` say.
/// - Every example is valid without defaults, and names the version whose example it is.
/// - Of the versions of a major each adds no more than optional fields to the one before.
/// - `current`, made a version, equals the newest one. Examples that only the version has were generated, and are no
///   difference.
/// - All files of one version say the same, and `latest` what the newest says.
///
/// Where the repository has a `.jsonschema-tools.yaml`, jsonschema-tools' conventions hold, too: each version has a
/// file of each content type, and links that lead to them; fields are in snake_case, differ in more than case, and have
/// one type; required fields exist; numbers are bounded. `skipSchemaTestCases` knows the names of the rules.
///
/// `reader` reads YAML by YamlRules::js_yaml, files and hosts that the repository names. Throws std::runtime_error if
/// the repository's options are no good. Blocks.
std::vector<RepositoryProblem> repository_problems(const JsonschemaToolsConfig& config, ObjectReader& reader);

}  // namespace eventgate
