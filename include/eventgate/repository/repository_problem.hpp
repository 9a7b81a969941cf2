#pragma once

#include <cstddef>
#include <string>

namespace eventgate {

/// What is wrong with a file of a schema repository.
struct RepositoryProblem {
  std::string file;      ///< Its path, as a reader of the message finds it. Empty: of no file.
  std::size_t line = 0;  ///< From 1; 0: of the whole file.
  std::string pointer;   ///< JSON pointer to the place; empty: of the whole document.
  std::string rule;      ///< The name of the test or step, such as `schema-snake-case-properties`.
  std::string message;   ///< What was expected.

  /// `file:line: pointer: message`, without what is not known; printable.
  std::string text() const;
};

}  // namespace eventgate
