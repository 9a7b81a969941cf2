#pragma once

#include <filesystem>
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

 private:
  template <typename Iterator>
  void read_files(Iterator end, const std::filesystem::path& directory);

  ObjectReader& reader_;
  const std::stop_token stop_;
  const std::string latest_;
  std::vector<std::filesystem::path> directories_;
  std::vector<std::string> hosts_;
  bool are_all_read_ = false;
  std::set<std::string> titles_;
  std::set<std::string> absent_;  // titles that no schema has
};

}  // namespace eventgate
