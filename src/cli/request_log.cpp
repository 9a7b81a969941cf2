#include "request_log.hpp"

#include <array>
#include <cstdio>
#include <string>

#include "eventgate/base/utf8.hpp"
#include "eventgate/logging/log.hpp"

namespace eventgate {
namespace {

/// Bytes of a client's target in a line.
constexpr std::size_t kMaxTarget = 200;

/// A line for people.
std::string readable_line(const AnsweredRequest& request, double milliseconds) {
  std::string line(request.method.empty() ? std::string_view("(no request)") : request.method);
  if (!request.target.empty()) (line += ' ') += utf8_prefix(request.target, kMaxTarget);
  if (request.target.size() > kMaxTarget) line += "...";
  ((line += ": ") += std::to_string(request.status) + ' ') += request.reason;
  if (!request.note.empty()) {
    if (line.ends_with('.')) line.pop_back();
    (line += ": ") += request.note;
  }
  std::array<char, 32> time;
  const int size = std::snprintf(time.data(), time.size(), "  (%.1f ms)", milliseconds);
  return line.append(time.data(), static_cast<std::size_t>(size));
}

}  // namespace

void log_request(const AnsweredRequest& request) {
  const LogLevel level = request.status >= 500                            ? LogLevel::error
                         : request.status >= 400 || request.status == 207 ? LogLevel::warn
                                                                          : LogLevel::info;
  const double milliseconds = std::chrono::duration<double, std::milli>(request.duration).count();
  if (log_is_readable()) {
    log(level, readable_line(request, milliseconds));
    return;
  }
  log(level, "Request answered",
      {{"method", request.method},
       {"target", request.target.substr(0, kMaxTarget)},
       {"status", static_cast<long long>(request.status)},
       {"reason", request.reason},
       {"note", request.note},
       {"milliseconds", milliseconds}});
}

}  // namespace eventgate
