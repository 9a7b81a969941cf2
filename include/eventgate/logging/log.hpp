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

/// `trace` to `fatal`; nothing else.
bool parse_log_level(std::string_view name, LogLevel& level);

struct LoggingOptions {
  LogLevel level = LogLevel::info;
  bool named_levels = false;  ///< Levels as words (TRACE to FATAL), not bunyan's numbers (10 to 60).
  std::string name = "eventgate";
  /// Where lines go: `stdout`, `stderr`, or the path of a file to append to.
  std::string output = "stdout";
};

/// Sets up logging for the process. Until then lines go to stdout as configured by default. May be called again.
/// Throws std::runtime_error naming the file that cannot be opened.
void start_logging(const LoggingOptions& options);
void set_log_level(LogLevel level);
bool log_enabled(LogLevel level);

/// A named value beside the message.
struct LogField {
  std::string_view name;
  std::variant<std::string_view, long long, double, bool> value;
};

/// Writes one JSON line: name, hostname, pid, level, msg, time, v as bunyan does, then `fields`. Invalid UTF-8 becomes
/// U+FFFD; a text is cut at 8 KB and says so. Thread-safe; touches no signal, and may be used on both sides of a fork.
/// Never throws. Without a log thread it blocks as long as the output does, and standard error says that a line is
/// lost. With one it does not block: `start_log_thread` says what becomes of the line.
void log(LogLevel level, std::string_view msg, std::initializer_list<LogField> fields = {});

/// From now on a thread of its own writes the lines, so that an output that takes nothing holds up no other thread. Up
/// to 10,000 lines or 8 MB wait for it; what does not fit is dropped and counted. A process that is forked has no such
/// thread. Throws std::system_error if there can be no thread.
void start_log_thread();

/// Waits until the lines logged so far are written, at most for `limit`. Whether they are written or lost.
bool flush_log(std::chrono::milliseconds limit = std::chrono::seconds(2));

/// Lines that the log thread has dropped, or that the output has refused.
std::uint64_t log_lines_dropped();

}  // namespace eventgate
