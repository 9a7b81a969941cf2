#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>

#include "eventgate/logging/log.hpp"

namespace eventgate {

/// Returns true if CLICOLOR_FORCE is set in the environment and not 0.
bool wants_terminal_lines();

/// Writes log lines for people:
///
///     14:03:22.104 INFO  Schema loaded  uri=/test/event/1.0.0 seconds=0.01
///
/// Thread-safe: immutable.
class TerminalLine {
 public:
  /// Reads NO_COLOR.
  TerminalLine();

  /// Appends a line with its line end. Texts are escaped, so that no client's text moves the cursor.
  void append(std::string& out, LogLevel level, std::string_view msg, std::initializer_list<LogField> fields,
              std::chrono::system_clock::time_point time) const;

 private:
  const bool coloured_;
};

}  // namespace eventgate
