#pragma once

#include <string>
#include <string_view>

namespace eventgate {

/// Where log lines go: standard output, standard error, or a file that is appended to.
///
/// Thread-safe. Lines of several threads and processes stay whole, in a pipe up to PIPE_BUF bytes each.
class LogOutput {
 public:
  /// `output`: `stdout`, `stderr`, or a path. Throws std::runtime_error naming the path that cannot be opened.
  explicit LogOutput(const std::string& output);
  LogOutput(const LogOutput&) = delete;
  LogOutput& operator=(const LogOutput&) = delete;
  ~LogOutput();

  /// Writes `lines`, each with its line end, and removes from it what is written. Waits while a pipe is full, without a
  /// bound. Returns 0, or the error that ended it.
  int write(std::string_view& lines) const;

 private:
  int fd_;
  bool owned_ = false;
  bool regular_ = false;
};

}  // namespace eventgate
