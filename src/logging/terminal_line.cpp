#include "terminal_line.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "log_text.hpp"

namespace eventgate {
namespace {

// Select Graphic Rendition (ECMA-48, section 8.3.117).
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kReset = "\x1b[0m";

struct LevelStyle {
  std::string_view word;  ///< All of one width.
  std::string_view colour;
};
constexpr std::array<LevelStyle, 6> kLevels{{{"TRACE", kDim},
                                             {"DEBUG", kDim},
                                             {"INFO ", "\x1b[32m"},
                                             {"WARN ", "\x1b[33m"},
                                             {"ERROR", "\x1b[31m"},
                                             {"FATAL", "\x1b[1;31m"}}};

/// True if a variable of the environment is set to anything but an empty text.
bool is_set(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

void append_value(std::string& out, const LogField& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    const bool quoted = text->empty() || text->find_first_of(" =\"") != std::string_view::npos;
    if (quoted) out += '"';
    append_plain_text(out, *text);
    if (quoted) out += '"';
  } else if (const auto* flag = std::get_if<bool>(&field.value)) {
    out += *flag ? "true" : "false";
  } else if (const auto* integer = std::get_if<long long>(&field.value)) {
    out += std::to_string(*integer);
  } else {
    std::array<char, 32> digits;
    const double number = std::get<double>(field.value);
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
  }
}

/// Appends `14:03:22.104`, in the time zone of the process.
void append_local_time(std::string& out, std::chrono::system_clock::time_point time) {
  using std::chrono::milliseconds;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  const auto fraction = std::chrono::floor<milliseconds>(time) -
                        std::chrono::floor<std::chrono::seconds>(std::chrono::floor<milliseconds>(time));
  std::array<char, 40> text;
  const int size = std::snprintf(text.data(), text.size(), "%02d:%02d:%02d.%03d", local.tm_hour, local.tm_min,
                                 local.tm_sec, static_cast<int>(fraction.count()));
  out.append(text.data(), static_cast<std::size_t>(size));
}

}  // namespace

bool wants_terminal_lines() {
  return is_set("CLICOLOR_FORCE") && std::string_view(std::getenv("CLICOLOR_FORCE")) != "0";
}

TerminalLine::TerminalLine() : coloured_(!is_set("NO_COLOR")) {}

void TerminalLine::append(std::string& out, LogLevel level, std::string_view msg,
                          std::initializer_list<LogField> fields, std::chrono::system_clock::time_point time) const {
  const LevelStyle& style = kLevels[static_cast<std::size_t>(level)];
  const auto paint = [&](std::string_view colour) {
    if (coloured_) out += colour;
  };
  paint(kDim);
  append_local_time(out, time);
  paint(kReset);
  out += ' ';
  paint(style.colour);
  out += style.word;
  paint(kReset);
  out += ' ';
  append_plain_text(out, msg);
  if (fields.size() > 0) {
    out += ' ';
    paint(kDim);
    for (const LogField& field : fields) {
      out += ' ';
      append_plain_text(out, field.name);
      out += '=';
      append_value(out, field);
    }
    paint(kReset);
  }
  out += '\n';
}

}  // namespace eventgate
