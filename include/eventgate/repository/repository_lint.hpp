#pragma once

#include <string>
#include <vector>

namespace eventgate {

class ObjectReader;

/// What is wrong with a repository of schemas as jsonschema-tools lays them out: in the folder of a title
/// `current.yaml`, which people write, and the versions made of it, `1.0.0.yaml`, with `1.0.0` and `latest` beside
/// them. One line each: the file, and what was expected.
///
/// - Every version can be used by the gate, and is where its `$id` and `title` say.
/// - Every example is valid without defaults, and names the version whose example it is.
/// - Of the versions of a major each adds no more than optional fields to the one before.
/// - `current`, made a version (`$ref` and `allOf` merged, numbers bounded), equals the newest one. Examples that only
/// the
///   version has were generated, and are no difference.
/// - All files of one version say the same, and `latest` what the newest says.
/// - Fields are in snake_case, if the repository has a `.jsonschema-tools.yaml`.
///
/// Of that file, in `directory` or (if it names `directory`) in the folder around it, these are heeded: schemaBasePath,
/// schemaBaseUris, contentTypes, currentName, enforcedNumericBounds, ignoreSchemas, and skipSchemaTestCases with
/// schema-is-valid, schema-is-secure, schema-snake-case-properties, schema-examples-$schema-matches-schema-$id,
/// schema-examples-are-valid and schema-version-compatibility. Without it the schemas are in `directory/jsonschema`, if
/// that is there, else in `directory`.
///
/// `reader` reads files, and hosts that the repository names. Throws std::runtime_error if `directory` is none or the
/// repository's options are no good. Blocks.
std::vector<std::string> repository_problems(const std::string& directory, ObjectReader& reader);

}  // namespace eventgate
