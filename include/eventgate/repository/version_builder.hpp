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

/// A `current`: where it is and what it says.
struct CurrentSchema {
  std::string file;    ///< As messages name it.
  std::string folder;  ///< Where its versions go.
  std::string title;  ///< The folder below the base, which `$id` and `title` must be. Empty: no folder holds it to one.
  std::string text;
};

/// The version made of a `current`.
struct MadeVersion {
  CurrentSchema current;
  std::string id;                                          ///< Its `$id`.
  std::string version;                                     ///< `1.0.0`.
  std::vector<std::pair<std::string, std::string>> texts;  ///< The content of its file of each content type.
  std::shared_ptr<const nlohmann::ordered_json> schema;
  bool is_plain = false;                    ///< JSON has all values of it, no date or long integer.
  std::set<std::string> references;         ///< The documents that a `$ref` of the current names.
  std::vector<RepositoryProblem> warnings;  ///< What is no reason not to make it.
};

/// Makes versions: `$ref` replaced, `allOf` merged, numbers bounded, an example made, as the config says.
///
/// Schemas that are made in one run may refer to versions that it makes. Not thread-safe. Blocks for hosts.
class VersionBuilder {
 public:
  template <typename T>
  using Result = boost::system::result<T, RepositoryProblem>;

  /// `reader` reads YAML by YamlRules::js_yaml. It and `config` must outlive this.
  VersionBuilder(const JsonschemaToolsConfig& config, ObjectReader& reader);
  ~VersionBuilder();

  /// The `current` files below the base but those of ignored `$id`, in order. Throws std::runtime_error if there is no
  /// such folder.
  std::vector<std::string> find_currents() const;

  /// The `current` in a file. An error if it cannot be read.
  Result<CurrentSchema> read_current(const std::string& file) const;

  /// Says that the version of this current is made in this run, so that a `$ref` to it finds it.
  void expect(const CurrentSchema& current);

  Result<MadeVersion> made(const CurrentSchema& current);

  /// What `made` would write, in one content type, without looking at version, `$id` or title. `bounded`: with numbers
  /// bounded, and an example.
  Result<std::string> merged(const CurrentSchema& current, std::string_view content_type, bool bounded);

  /// The same of several, as a list.
  Result<std::string> merged_list(const std::vector<CurrentSchema>& currents, std::string_view content_type);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct SemanticVersion;

/// The version that `made` may have, since its own is published with the text `published`: the next minor of its major
/// if it is compatible with that, else the next major; `newest` is the newest that there is.
SemanticVersion next_version(const MadeVersion& made, const std::string& published, const SemanticVersion& newest);

/// Whether `published`, the text of a version, says what `made` says, in other bytes.
bool says_the_same(const MadeVersion& made, const std::string& published);

/// The numbers of a version `X.Y.Z`; nothing if the text is none.
struct SemanticVersion {
  std::uint32_t major = 0, minor = 0, patch = 0;
  auto operator<=>(const SemanticVersion&) const = default;  // NOLINT(modernize-use-nullptr): a false finding
  std::string text() const;
};
bool read_version(std::string_view text, SemanticVersion& version);

}  // namespace eventgate
