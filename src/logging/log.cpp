#include "eventgate/logging/log.hpp"

#include <pthread.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/sink.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <climits>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>

#include "eventgate/base/timestamp.hpp"
#include "log_output.hpp"
#include "log_queue.hpp"
#include "log_text.hpp"
#include "terminal_line.hpp"

namespace eventgate {
namespace {

constexpr std::array<std::string_view, 6> kLevels{"trace", "debug", "info", "warn", "error", "fatal"};
constexpr std::array<std::string_view, 6> kLevelWords{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};

template <typename Integer>
void append_integer(std::string& out, Integer value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

/// Appends `text` as a JSON string.
void append_string(std::string& out, std::string_view text) {
  out += '"';
  append_json_text(out, text);
  out += '"';
}

void append_value(std::string& out, const LogField& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    append_string(out, *text);
  } else if (const auto* integer = std::get_if<long long>(&field.value)) {
    append_integer(out, *integer);
  } else if (const auto* flag = std::get_if<bool>(&field.value)) {
    out += *flag ? "true" : "false";
  } else {
    const double number = std::get<double>(field.value);
    if (!std::isfinite(number)) {
      out += "null";
      return;
    }
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
  }
}

/// The sink of spdlog: the queue of the log thread, or `output` itself while there is no such thread. spdlog's own
/// sinks hold a lock while they write; that of stdio blocks exit().
class LineSink final : public spdlog::sinks::sink {
 public:
  explicit LineSink(std::shared_ptr<const LogOutput> output) : output_(std::move(output)) {}

  void log(const spdlog::details::log_msg& message) override;
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  const std::shared_ptr<const LogOutput> output_;
};

/// The state that `start_logging` replaces. Immutable.
struct Output {
  explicit Output(const LoggingOptions& options)
      : named_levels(options.named_levels), lines(std::make_shared<const LogOutput>(options.output)) {
    if (options.readable_on_terminal && (lines->is_terminal() || wants_terminal_lines())) terminal.emplace();
    std::array<char, HOST_NAME_MAX + 1> host{};
    if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
    head = "{\"name\":";
    append_string(head, options.name);
    head += ",\"hostname\":";
    append_string(head, host.data());
    head += ",\"pid\":";
    logger = std::make_shared<spdlog::logger>("eventgate", std::make_shared<LineSink>(lines));
    logger->set_level(spdlog::level::trace);
  }

  bool named_levels;
  std::optional<TerminalLine> terminal;  ///< Set if lines are readable, not JSON.
  std::string head;                      ///< The line up to the process id.
  std::shared_ptr<const LogOutput> lines;
  std::shared_ptr<spdlog::logger> logger;  ///< `log` compares levels, so this logger has none.
};

void append_json_line(std::string& line, const Output& output, LogLevel level, std::string_view msg,
                      std::initializer_list<LogField> fields, std::chrono::system_clock::time_point now) {
  const auto index = static_cast<std::size_t>(level);
  line += output.head;
  append_integer(line, static_cast<long long>(getpid()));
  line += ",\"level\":";
  if (output.named_levels) {
    append_string(line, kLevelWords[index]);
  } else {
    append_integer(line, 10 * (index + 1));
  }
  line += ",\"msg\":";
  append_string(line, msg);
  line += ",\"time\":\"";
  append_timestamp(line, now);
  line += "\",\"v\":0";
  for (const LogField& field : fields) {
    line += ',';
    append_string(line, field.name);
    line += ':';
    append_value(line, field);
  }
  line += "}\n";
}

struct Logging {
  Logging() {
    ::pthread_atfork([] { instance().before_fork(); }, [] { instance().after_fork_in_parent(); },
                     [] { instance().after_fork_in_child(); });
  }

  /// Returns the log of the process. It is never destroyed, because destructors that run after main may log.
  static Logging& instance() {
    static auto* const logging = new Logging;
    return *logging;
  }

  void before_fork() {
    mutex.lock();
    queue.before_fork();
  }
  void after_fork_in_parent() {
    queue.after_fork_in_parent();
    mutex.unlock();
  }
  void after_fork_in_child() {
    queue.after_fork_in_child();
    mutex.unlock();
  }

  std::atomic<LogLevel> level{LogLevel::info};
  std::mutex mutex;
  std::shared_ptr<const Output> output = std::make_shared<const Output>(LoggingOptions{});

  LogQueue queue{[this] { return current()->lines; },
                 [](std::uint64_t count) {
                   log(LogLevel::warn, "Log lines were dropped because the output did not take them",
                       {{"lines", static_cast<long long>(count)}});
                 }};

  std::shared_ptr<const Output> current() {
    const std::lock_guard lock(mutex);
    return output;
  }
};

Logging& logging() { return Logging::instance(); }

void LineSink::log(const spdlog::details::log_msg& message) {
  std::string line(message.payload.data(), message.payload.size());
  if (logging().queue.push(line)) return;
  std::string_view left = line;
  if (const int error = output_->write(left); error != 0)
    std::fprintf(stderr, "A log line is lost: %s\n", std::generic_category().message(error).c_str());
}

}  // namespace

bool parse_log_level(std::string_view name, LogLevel& level) {
  for (std::size_t i = 0; i < kLevels.size(); ++i) {
    if (kLevels[i] != name) continue;
    level = static_cast<LogLevel>(i);
    return true;
  }
  return false;
}

void start_logging(const LoggingOptions& options) {
  auto output = std::make_shared<const Output>(options);
  Logging& process = logging();
  process.level.store(options.level, std::memory_order_relaxed);
  const std::lock_guard lock(process.mutex);
  process.output.swap(output);
}

void set_log_level(LogLevel level) { logging().level.store(level, std::memory_order_relaxed); }

bool log_is_readable() { return logging().current()->terminal.has_value(); }

bool log_enabled(LogLevel level) { return level >= logging().level.load(std::memory_order_relaxed); }

void log(LogLevel level, std::string_view msg, std::initializer_list<LogField> fields) {
  if (!log_enabled(level)) return;
  try {
    const std::shared_ptr<const Output> output = logging().current();
    std::string line;
    line.reserve(256 + msg.size());
    const auto now = std::chrono::system_clock::now();
    if (output->terminal)
      output->terminal->append(line, level, msg, fields, now);
    else
      append_json_line(line, *output, level, msg, fields, now);
    output->logger->log(spdlog::source_loc{}, spdlog::level::info, spdlog::string_view_t(line));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "A log line is lost: %s\n", e.what());
  }
}

void start_log_thread() { logging().queue.start(); }

bool flush_log(std::chrono::milliseconds limit) {
  return logging().queue.flush(std::chrono::steady_clock::now() + limit);
}

std::uint64_t log_lines_dropped() { return logging().queue.dropped(); }

}  // namespace eventgate
