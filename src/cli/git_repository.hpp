#pragma once

#include <set>
#include <string>
#include <vector>

namespace eventgate {

/// The git working tree around a folder. It is read and changed by the program `git`.
class GitRepository {
 public:
  /// Looks for the working tree of `folder`.
  explicit GitRepository(const std::string& folder);

  /// Returns true if there is a working tree and the program `git`.
  bool found() const { return !root_.empty(); }

  /// Returns the absolute paths of the files below the folder that are changed, staged, or new and not ignored, sorted.
  /// If `staged`, it returns staged files only.
  std::vector<std::string> changed_files(bool staged) const;

  /// Returns true if the commit HEAD has the file.
  bool is_committed(const std::string& file) const;

  /// Stages files. Throws std::runtime_error with the message of git.
  void add(const std::vector<std::string>& files) const;

 private:
  struct Output {
    int status = 0;
    std::string text;
    std::string error;
  };
  Output run(std::vector<std::string> arguments) const;

  std::string folder_;
  std::string root_;
  mutable std::set<std::string> committed_;
  mutable bool knows_committed_ = false;
};

}  // namespace eventgate
