#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// ISO 8601 times in UTC, read and written: `2020-04-02T19:11:20.942Z`. Every function is pure, so any thread may call
// it.

namespace eventgate {

/// A moment in milliseconds since the epoch.
using TimeMilliseconds = std::chrono::sys_time<std::chrono::milliseconds>;

/// Returns the milliseconds since the epoch of an ISO 8601 or RFC 3339 date-time, as JavaScript's Date reads it. A time
/// without an offset is UTC. Returns nullopt if `text` is no date-time.
std::optional<std::int64_t> parse_timestamp(std::string_view text);

/// A moment as fields of the Gregorian calendar in UTC.
struct UtcTime {
  std::int64_t year;
  unsigned month;    ///< 1 to 12.
  unsigned day;      ///< 1 to 31.
  unsigned weekday;  ///< 0 to 6, 0 is Sunday.
  unsigned hour;
  unsigned minute;
  unsigned second;
  unsigned millisecond;
};

/// Returns the calendar fields of `time`.
UtcTime to_utc_time(TimeMilliseconds time);
UtcTime to_utc_time(std::chrono::system_clock::time_point time);

/// Appends `time` with milliseconds, as JavaScript's `toISOString` writes it: `2020-04-02T19:11:20.942Z`. A year
/// outside 0000 to 9999 gets a sign and six digits.
void append_timestamp(std::string& out, TimeMilliseconds time);
void append_timestamp(std::string& out, std::chrono::system_clock::time_point time);

/// Returns what `append_timestamp` appends.
std::string format_timestamp(TimeMilliseconds time);
std::string format_timestamp(std::chrono::system_clock::time_point time);

/// Returns `time` without its milliseconds: `2020-04-02T19:11:20Z`.
std::string format_timestamp_seconds(TimeMilliseconds time);
std::string format_timestamp_seconds(std::chrono::system_clock::time_point time);

}  // namespace eventgate
