#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace eventgate {

class ObjectReader;

/// What a schema repository says of itself in `.jsonschema-tools.yaml`. The members are named as its keys.
struct JsonschemaToolsConfig {
  std::string schemaBasePath = ".";  ///< Where `current` files are looked for; relative to `folder`.
  std::vector<std::string>
      schemaBaseUris;  ///< Where a `$ref` that begins with `/` is looked for. Empty: in the former.
  std::vector<std::string> contentTypes{"yaml", "json"};  ///< At least one, each `yaml` or `json`.
  std::string currentName = "current";
  std::string schemaVersionField = "$id";
  std::string schemaTitleField = "title";
  bool shouldDereference = true;
  bool shouldSymlinkExtensionless = true;
  bool shouldSymlinkLatest = true;
  bool shouldGenerateExample = false;
  std::optional<std::pair<double, double>> enforcedNumericBounds{{-9007199254740991, 9007199254740991}};
  std::vector<std::string> ignoreSchemas;  ///< Regular expressions, searched for in `$id`.
  std::vector<std::pair<std::string, std::vector<std::string>>>
      skipSchemaTestCases;  ///< The same, with names of tests.
  bool gitStaged = false;
  bool shouldGitAdd = true;
  bool dryRun = false;

  std::filesystem::path folder = ".";  ///< Of the file; paths in it begin there.
  bool has_file = false;
  std::vector<std::string> warnings;  ///< Unknown keys.

  /// The folder of the schemas.
  std::filesystem::path base() const;
  /// schemaBaseUris, paths as readers take them, without a slash at the end.
  std::vector<std::string> base_uris() const;
  /// `current.yaml`: with the extension of the first content type, if it has none.
  std::string current_file() const;
};

/// The config of the working directory: its `.jsonschema-tools.yaml`, or that of the nearest folder above. Of `files`
/// instead, if there are any, later ones over earlier ones. Throws std::runtime_error naming file and key.
JsonschemaToolsConfig read_jsonschema_tools_config(const std::vector<std::string>& files, ObjectReader& reader);

/// The config of a repository of which `directory` is the schemas' folder or what is above it. Without a file the
/// schemas are in `directory/jsonschema`, if that is there, else in `directory`. Throws as above.
JsonschemaToolsConfig find_jsonschema_tools_config(const std::filesystem::path& directory, ObjectReader& reader);

}  // namespace eventgate
