#include "stream_regex.hpp"

#include <algorithm>
#include <cstdint>

#include "eventgate/base/ascii.hpp"

namespace eventgate {
namespace {

/// Bytes that RE2 may use for a regex. A larger one makes its entry unusable.
constexpr std::int64_t kRegexMemory = 8 << 20;

/// Returns the letters behind the last slash.
std::string_view flags_of(std::string_view name) { return name.substr(name.rfind('/') + 1); }

}  // namespace

bool is_stream_regex(std::string_view name) {
  if (!name.starts_with('/') || name.rfind('/') == 0) return false;
  const std::string_view flags = flags_of(name);
  return std::all_of(flags.begin(), flags.end(), is_ascii_letter);
}

std::unique_ptr<RE2> compile_stream_regex(std::string_view name, std::string& error) {
  const std::string_view flags = flags_of(name);
  if (!flags.empty() && flags != "i") {
    error = "unknown flag `" + std::string(flags) + "`, only `i` is known";
    return nullptr;
  }
  RE2::Options options;
  options.set_max_mem(kRegexMemory);
  options.set_log_errors(false);
  options.set_case_sensitive(flags.empty());
  const std::string_view pattern = name.substr(1, name.rfind('/') - 1);
  auto regex = std::make_unique<RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (regex->ok()) return regex;
  error = regex->error();
  return nullptr;
}

bool occurs_in(const RE2& regex, std::string_view stream) {
  return RE2::PartialMatch(re2::StringPiece(stream.data(), stream.size()), regex);
}

}  // namespace eventgate
