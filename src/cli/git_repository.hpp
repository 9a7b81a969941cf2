#pragma once

#include <set>
#include <string>
#include <vector>

namespace eventgate {

/// The git working tree that holds a folder, asked by the program `git`.
class GitRepository {
 public:
  /// Finds it. Then `found` says whether there is one, and `git` itself.
  explicit GitRepository(const std::string& folder);

  bool found() const { return !root_.empty(); }

  /// The files below the folder that are changed, staged, or new and not ignored: absolute paths, in order. `staged`:
  /// only those that are staged.
  std::vector<std::string> changed_files(bool staged) const;

  /// Whether the file is in the commit HEAD.
  bool is_committed(const std::string& file) const;

  /// Stages files. Throws std::runtime_error with what git says.
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
