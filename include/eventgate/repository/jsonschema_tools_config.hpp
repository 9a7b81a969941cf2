#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace eventgate {

class ObjectReader;

/// The options of a schema repository, from its `.jsonschema-tools.yaml`. The members have the names of its keys.
struct JsonschemaToolsConfig {
  std::string schemaBasePath = ".";  ///< The folder of the schemas, relative to `folder`.
  std::vector<std::string>
      schemaBaseUris;  ///< The places where a `$ref` that begins with `/` is looked up. Empty: schemaBasePath.
  std::vector<std::string> contentTypes{"yaml", "json"};  ///< At least one, each `yaml` or `json`.
  std::string currentName = "current";
  std::string schemaVersionField = "$id";
  std::string schemaTitleField = "title";
  bool shouldDereference = true;
  bool shouldSymlinkExtensionless = true;
  bool shouldSymlinkLatest = true;
  bool shouldGenerateExample = false;
  std::optional<std::pair<double, double>> enforcedNumericBounds{{-9007199254740991, 9007199254740991}};
  std::vector<std::string> ignoreSchemas;  ///< Regular expressions. A schema is ignored if one matches in its `$id`.
  std::vector<std::pair<std::string, std::vector<std::string>>>
      skipSchemaTestCases;  ///< Such an expression, and the names of the tests that its schemas skip.
  bool gitStaged = false;
  bool shouldGitAdd = true;
  bool dryRun = false;

  std::filesystem::path folder = ".";  ///< The folder of the file. The paths in the file are relative to it.
  bool has_file = false;
  std::vector<std::string> warnings;  ///< A text for each unknown key.

  /// Returns the folder of the schemas.
  std::filesystem::path base() const;
  /// Returns schemaBaseUris. A path in them is as ObjectReader takes it. No entry ends in a slash.
  std::vector<std::string> base_uris() const;
  /// Returns the name of the file that people write, such as `current.yaml`. A `currentName` without an extension gets
  /// that of the first content type.
  std::string current_file() const;
};

/// Reads the config from `files`; a later file overrides an earlier one. If `files` is empty, it reads the
/// `.jsonschema-tools.yaml` of the working directory or of the nearest folder above. Throws std::runtime_error, which
/// names file and key.
JsonschemaToolsConfig read_jsonschema_tools_config(const std::vector<std::string>& files, ObjectReader& reader);

/// Reads the config of a repository. `directory` is the folder of its schemas, or a folder above. If the repository has
/// no config file, its schemas are in `directory/jsonschema`, or in `directory` if that does not exist. Throws
/// std::runtime_error, which names file and key.
JsonschemaToolsConfig find_jsonschema_tools_config(const std::filesystem::path& directory, ObjectReader& reader);

}  // namespace eventgate
