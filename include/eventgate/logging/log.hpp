#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace eventgate {

enum class LogLevel { trace, debug, info, warn, error, fatal };

/// Sets `level` to the level named `name`: `trace` to `fatal`. Returns false for any other name.
bool parse_log_level(std::string_view name, LogLevel& level);

struct LoggingOptions {
  LogLevel level = LogLevel::info;
  bool named_levels = false;  ///< True: levels are words (TRACE to FATAL). False: bunyan's numbers (10 to 60).
  std::string name = "eventgate";
  /// The destination of lines: `stdout`, `stderr`, or the path of a file to append to.
  std::string output = "stdout";
  /// True: a line is for people if the output is a terminal: `14:03:22.104 INFO  Schema loaded  uri=/test/1.0.0`, with
  /// the local time, in colours unless NO_COLOR is set (no-color.org). CLICOLOR_FORCE, if it is set and not 0, makes
  /// any output count as a terminal (bixense.com/clicolors).
  bool readable_on_terminal = false;
};

/// Sets the options of the process's log. Before the first call, the default options hold. May be called again.
/// Throws std::runtime_error naming the file if it cannot be opened. Thread-safe.
void start_logging(const LoggingOptions& options);

/// Sets the lowest level that is logged. Thread-safe.
void set_log_level(LogLevel level);

/// Returns true if lines of `level` are logged. Thread-safe.
bool log_enabled(LogLevel level);

/// Returns true if lines are for people, and not JSON: `readable_on_terminal`. Thread-safe.
bool log_is_readable();

/// A field of a line: a name and a value.
struct LogField {
  std::string_view name;
  std::variant<std::string_view, long long, double, bool> value;
};

/// Writes one JSON line with bunyan's fields name, hostname, pid, level, msg, time, v, and then `fields`:
///
///     {"name":"eventgate","hostname":"h","pid":1,"level":30,"msg":"Stopped","time":"2026-11-22T02:39:06.102Z","v":0}
///
/// Invalid UTF-8 becomes U+FFFD. A text of more than 8 KB is cut, with a note. Without a log thread it blocks as long
/// as the output does; a line that the output refuses is reported on standard error. With a log thread it does not
/// block. Never throws. Thread-safe, also in both processes after a fork.
void log(LogLevel level, std::string_view msg, std::initializer_list<LogField> fields = {});

/// Starts a thread that writes the lines from now on, so that a blocked output blocks no other thread. Up to 10,000
/// lines or 8 MB wait for it; further lines are dropped and counted. A forked process has no such thread. Throws
/// std::system_error if the thread cannot start.
void start_log_thread();

/// Waits until the lines logged so far are written or lost, at most for `limit`. Returns true if they are.
bool flush_log(std::chrono::milliseconds limit = std::chrono::seconds(2));

/// Returns the number of lines that the log thread has dropped, or the output has refused.
std::uint64_t log_lines_dropped();

}  // namespace eventgate
