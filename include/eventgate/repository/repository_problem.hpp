#pragma once

#include <cstddef>
#include <string>

namespace eventgate {

/// A problem of a file in a schema repository.
struct RepositoryProblem {
  std::string file;      ///< Its path, as the message should have it. Empty: no file.
  std::size_t line = 0;  ///< Counted from 1. 0: the whole file.
  std::string pointer;   ///< JSON pointer to the place. Empty: the whole document.
  std::string rule;      ///< The name of the test or step, such as `schema-snake-case-properties`.
  std::string message;   ///< What was expected.

  /// Returns `file:line: pointer: message` without the parts that are empty. Control characters are escaped.
  std::string text() const;
};

}  // namespace eventgate
