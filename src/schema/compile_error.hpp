#pragma once

#include <stdexcept>

namespace eventgate {

/// Thrown while a schema is compiled: names the place in the document, what is wrong there and what was expected.
/// `compile_schema` catches it and returns its message.
struct CompileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace eventgate
