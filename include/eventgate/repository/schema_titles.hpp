#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/repository/schema_repository.hpp"

// Finds out whether some schema of the repositories has a title. A stream admits only events of one title, so a title
// that no schema has is a mistake in the stream config.

namespace eventgate {

/// Returns the directory of a schema base, or nullopt if the base is a host.
std::optional<std::filesystem::path> schema_directory(const std::string& base);

/// The schemas that have a title.
struct TitledSchemas {
  std::string newest_uri;   ///< That of the newest version: `/test/event/1.0.0`. Empty: no file is a version.
  std::string newest_file;  ///< A file of it.
  /// The URIs of all versions, oldest first. Of a host, which cannot be listed, only the newest.
  std::vector<std::string> versions;
  std::string other_file;  ///< A file that is no version, such as `current.yaml`. Empty: there is none.
};

/// The titles of the schemas in `schema_base_uris`.
///
/// A schema usually lies in the folder named like its title, so that folder is read first, and only then all others. In
/// a host, which cannot be listed, only `latest` in that folder is read.
///
/// Use on one thread. Blocks.
class SchemaTitles {
 public:
  /// `reader` must outlive this. No further directory is read once `stop` is requested.
  SchemaTitles(const SchemaOptions& options, ObjectReader& reader, std::stop_token stop = {});

  /// Returns true if a schema has `title`. Returns nullopt if a host does not answer, or after `stop`.
  std::optional<bool> contains(const std::string& title);

  /// Returns the schemas of `title`, or nullopt if `contains` does not return true. Of a host only the version that
  /// `latest` is.
  std::optional<TitledSchemas> find(const std::string& title);

 private:
  template <typename Iterator>
  void read_files(Iterator end, const std::filesystem::path& directory, const std::filesystem::path& base);
  void add_file(const std::string& title, const std::filesystem::path& file, const std::filesystem::path& base);

  ObjectReader& reader_;
  const std::stop_token stop_;
  const std::string latest_;
  std::vector<std::filesystem::path> directories_;
  std::vector<std::string> hosts_;
  bool are_all_read_ = false;
  std::map<std::string, TitledSchemas> titles_;
  std::set<std::string> absent_;  // titles that no schema has
};

}  // namespace eventgate
