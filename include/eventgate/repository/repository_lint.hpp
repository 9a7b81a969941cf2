#pragma once

#include <string>
#include <vector>

namespace eventgate {

class ObjectReader;

/// Checks a repository of schemas in the layout of jsonschema-tools. Returns one line for each problem: the file, and
/// what was expected.
///
/// The folder of a title has `current.yaml`, which people write, and the versions made from it: `1.0.0.yaml`, with
/// `1.0.0` and `latest` beside them. The rules:
///
/// - The gate can use every version. Its place matches its `$id` and `title`.
/// - Every example is valid without defaults and names its own version.
/// - Each version of a major only adds optional fields to the one before.
/// - The newest version equals the one made from `current` (`$ref` and `allOf` merged, numbers bounded). Examples that
/// only
///   the version has do not count, because they were generated.
/// - All files of one version are equal, and `latest` equals the newest version.
/// - Field names are in snake_case, if the repository has a `.jsonschema-tools.yaml`.
///
/// That file lies in `directory`, or in the folder around it if it names `directory`. These options are used:
/// schemaBasePath, schemaBaseUris, contentTypes, currentName, enforcedNumericBounds, ignoreSchemas, and
/// skipSchemaTestCases with schema-is-valid, schema-is-secure, schema-snake-case-properties,
/// schema-examples-$schema-matches-schema-$id, schema-examples-are-valid and schema-version-compatibility. Without it
/// the schemas are in `directory/jsonschema` if this exists, otherwise in `directory`.
///
/// `reader` reads the files, and documents of hosts that the repository names. Throws std::runtime_error if `directory`
/// is not a folder or an option is invalid. Blocks.
std::vector<std::string> repository_problems(const std::string& directory, ObjectReader& reader);

}  // namespace eventgate
