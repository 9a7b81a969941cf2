#pragma once

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
/// Never throws: a line that cannot be written is lost, and standard error says so.
void log(LogLevel level, std::string_view msg, std::initializer_list<LogField> fields = {});

/// Writes out what is buffered.
void flush_log();

}  // namespace eventgate
