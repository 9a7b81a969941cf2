#pragma once

#include <string>
#include <vector>

#include "eventgate/repository/version_builder.hpp"

namespace eventgate {

/// A file or symbolic link that a schema repository should have.
struct VersionFile {
  std::string path;
  std::string text;  ///< The content of the file, or the target of the link.
  bool is_link = false;

  /// Returns true if it exists with this text. A file whose content is the target of the link counts as the link: git
  /// writes links so where symbolic links are switched off.
  bool is_there() const;
};

/// Returns the files of a version in `folder`: a file of each content type, a link without extension, and, if `folder`
/// has no newer version, the links `latest`.
std::vector<VersionFile> files_of(const MadeVersion& made, const JsonschemaToolsConfig& config,
                                  const std::string& folder);

/// Returns the versions that have a file in `folder`, sorted.
std::vector<SemanticVersion> versions_in(const std::string& folder);

/// Writes all of `files` or none. Each is first written under a temporary name. When all are written, they are renamed.
/// A child process does it, so a signal that ends this process leaves nothing half written. Throws std::runtime_error,
/// which names the file that cannot be written.
void write_files(const std::vector<VersionFile>& files);

}  // namespace eventgate
