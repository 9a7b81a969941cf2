#pragma once

#include <string>
#include <vector>

#include "eventgate/repository/version_builder.hpp"

namespace eventgate {

/// A file or link of a schema repository, as it should be.
struct VersionFile {
  std::string path;
  std::string text;  ///< Of a link its target.
  bool is_link = false;

  /// Whether it is there already. A file that holds a link's target counts as the link: git checks links out so where
  /// these are switched off.
  bool is_there() const;
};

/// The files of a version in `folder`: one of each content type; the link without extension; the links `latest`, if no
/// newer version is there.
std::vector<VersionFile> files_of(const MadeVersion& made, const JsonschemaToolsConfig& config,
                                  const std::string& folder);

/// The versions that have a file in `folder`, in order.
std::vector<SemanticVersion> versions_in(const std::string& folder);

/// Writes all of `files` or none: each under another name first, then, once all are there, by rename. A process of its
/// own does it, so that the end of this one ends nothing halfway. Throws std::runtime_error naming the file that cannot
/// be written.
void write_files(const std::vector<VersionFile>& files);

}  // namespace eventgate
