#pragma once

#include <string>
#include <string_view>

namespace eventgate {

/// The destination of log lines: standard output, standard error, or a file that is appended to. Lines of several
/// threads and processes do not mix; in a pipe, that holds for lines up to PIPE_BUF bytes.
///
/// Thread-safe.
class LogOutput {
 public:
  /// Opens `output`: `stdout`, `stderr`, or a path. Throws std::runtime_error naming the path if it cannot be opened.
  explicit LogOutput(const std::string& output);
  LogOutput(const LogOutput&) = delete;
  LogOutput& operator=(const LogOutput&) = delete;
  ~LogOutput();

  /// Writes `lines`, each with its line end, and removes the written ones. Waits without a bound while a pipe is full.
  /// Returns 0, or the errno of a write that failed.
  int write(std::string_view& lines) const;

  bool is_terminal() const { return terminal_; }

 private:
  int fd_;
  bool owned_ = false;
  bool regular_ = false;
  bool terminal_ = false;
};

}  // namespace eventgate
