#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/repository/jsonschema_tools_config.hpp"
#include "eventgate/repository/repository_problem.hpp"

namespace eventgate {

class ObjectReader;

/// A `current` file, which people write and from which versions are built.
struct CurrentSchema {
  std::string file;    ///< Its path, as messages have it.
  std::string folder;  ///< The folder of its versions.
  std::string title;   ///< Its folder below the base. `$id` and `title` must have it. Empty: any title.
  std::string text;
};

/// The version that is built from a `current`.
struct MadeVersion {
  CurrentSchema current;
  std::string id;                                          ///< Its `$id`.
  std::string version;                                     ///< `1.0.0`.
  std::vector<std::pair<std::string, std::string>> texts;  ///< Each content type, and the text of its file.
  std::shared_ptr<const nlohmann::ordered_json> schema;
  bool is_plain = false;                    ///< JSON can express all its values: no dates, no integers beyond 64 bits.
  std::set<std::string> references;         ///< The URIs of the documents that the current refers to.
  std::vector<RepositoryProblem> warnings;  ///< Problems that do not keep it from being built.
};

/// Builds versions from `current` files. As the config says, it replaces each `$ref`, merges each `allOf`, sets the
/// bounds of numbers, and generates an example.
///
/// A schema may refer to a version that is built in the same run. Use on one thread. Blocks: it reads files and hosts.
class VersionBuilder {
 public:
  template <typename T>
  using Result = boost::system::result<T, RepositoryProblem>;

  /// `reader` reads YAML by YamlRules::js_yaml. `reader` and `config` must outlive this.
  VersionBuilder(const JsonschemaToolsConfig& config, ObjectReader& reader);
  ~VersionBuilder();

  /// Returns the paths of the `current` files below the base, sorted. Those whose `$id` is ignored are left out. Throws
  /// std::runtime_error if the base does not exist.
  std::vector<std::string> find_currents() const;

  /// Reads a `current` file. The error says why it cannot be read.
  Result<CurrentSchema> read_current(const std::string& file) const;

  /// Announces that the version of this current is built in this run. A `$ref` to that version then finds it.
  void expect(const CurrentSchema& current);

  /// Builds the version of a current, or returns what is wrong with it.
  Result<MadeVersion> made(const CurrentSchema& current);

  /// Returns the text of the version in one content type. Version, `$id` and title are not checked. If `bounded`, the
  /// numbers get their bounds, and an example is generated.
  Result<std::string> merged(const CurrentSchema& current, std::string_view content_type, bool bounded);

  /// Returns the text of a list of such versions.
  Result<std::string> merged_list(const std::vector<CurrentSchema>& currents, std::string_view content_type);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct SemanticVersion;

/// Returns a version number for `made` whose own number is taken by the version with the text `published`. It is the
/// next minor version if the two are compatible, otherwise the next major version. `newest` is the newest version.
SemanticVersion next_version(const MadeVersion& made, const std::string& published, const SemanticVersion& newest);

/// Returns true if `published`, the text of a version, has the same values as `made`.
bool says_the_same(const MadeVersion& made, const std::string& published);

/// The three numbers of a version.
struct SemanticVersion {
  std::uint32_t major = 0, minor = 0, patch = 0;
  auto operator<=>(const SemanticVersion&) const = default;  // NOLINT(modernize-use-nullptr): a false finding
  std::string text() const;
};
/// Reads `X.Y.Z`. Returns false, and leaves `version` as it is, if `text` is something else.
bool read_version(std::string_view text, SemanticVersion& version);

}  // namespace eventgate
