#include "eventgate/base/timestamp.hpp"

#include <cstddef>

#include "eventgate/base/ascii.hpp"

namespace eventgate {
namespace {

/// Consumes a date-time from its start.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  bool at_digit() const { return !text_.empty() && is_ascii_digit(text_[0]); }

  bool skip(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  /// Reads exactly `count` digits.
  bool digits(int count, int& value) {
    if (text_.size() < static_cast<std::size_t>(count)) return false;
    value = 0;
    for (int i = 0; i < count; ++i) {
      const char c = text_[static_cast<std::size_t>(i)];
      if (!is_ascii_digit(c)) return false;
      value = value * 10 + (c - '0');
    }
    text_.remove_prefix(static_cast<std::size_t>(count));
    return true;
  }

  /// Reads the digits behind a decimal point. Those behind the third are ignored.
  bool milliseconds(int& value) {
    if (!at_digit()) return false;
    int weight = 100;
    for (value = 0; at_digit(); text_.remove_prefix(1)) {
      value += (text_[0] - '0') * weight;
      weight /= 10;
    }
    return true;
  }

 private:
  std::string_view text_;
};

// The two conversions are those of Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms": an era is 400 years,
// and a year begins in March.

/// Returns the days from 1970-01-01 to the first day of a month of the proleptic Gregorian calendar.
std::int64_t days_of_month_start(std::int64_t year, int month) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

/// Sets year, month and day of `utc` from the days since 1970-01-01.
void set_date(UtcTime& utc, std::int64_t days) {
  const std::int64_t shifted = days + 719468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const std::int64_t day_of_era = shifted - era * 146097;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
  utc.day = static_cast<unsigned>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  utc.month = static_cast<unsigned>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  utc.year = year_of_era + era * 400 + (utc.month <= 2 ? 1 : 0);
}

template <typename Number>
void append_digits(std::string& out, Number value, std::size_t count) {
  out.resize(out.size() + count);
  for (auto at = out.rbegin(); count > 0; --count, ++at, value /= 10) *at = static_cast<char>('0' + value % 10);
}

void append_date_and_time(std::string& out, const UtcTime& utc) {
  if (utc.year >= 0 && utc.year <= 9999) {
    append_digits(out, utc.year, 4);
  } else {
    out += utc.year < 0 ? '-' : '+';
    append_digits(out, utc.year < 0 ? -utc.year : utc.year, 6);
  }
  out += '-';
  append_digits(out, utc.month, 2);
  out += '-';
  append_digits(out, utc.day, 2);
  out += 'T';
  append_digits(out, utc.hour, 2);
  out += ':';
  append_digits(out, utc.minute, 2);
  out += ':';
  append_digits(out, utc.second, 2);
}

TimeMilliseconds in_milliseconds(std::chrono::system_clock::time_point time) {
  return std::chrono::floor<std::chrono::milliseconds>(time);
}

}  // namespace

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  TimeReader reader(text);
  int year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, millisecond = 0, offset_minutes = 0;
  // An expanded year has a sign and six digits.
  bool negative_year = false;
  if (reader.skip('+') || (negative_year = reader.skip('-'))) {
    if (!reader.digits(6, year) || (negative_year && year == 0)) return std::nullopt;
    if (negative_year) year = -year;
  } else if (!reader.digits(4, year)) {
    return std::nullopt;
  }
  bool whole_date = false;
  if (reader.skip('-')) {
    if (!reader.digits(2, month)) return std::nullopt;
    if (reader.skip('-')) {
      if (!reader.digits(2, day)) return std::nullopt;
      whole_date = true;
    }
  }
  if (reader.skip('T') || reader.skip('t') || (whole_date && reader.skip(' '))) {
    if (!reader.digits(2, hour) || !reader.skip(':') || !reader.digits(2, minute)) return std::nullopt;
    if (reader.skip(':')) {
      if (!reader.digits(2, second)) return std::nullopt;
      if (reader.skip('.') && !reader.milliseconds(millisecond)) return std::nullopt;
    }
    // JavaScript reads a time without an offset as local time, which is UTC in the service.
    if (!reader.skip('Z') && !reader.skip('z') && !reader.at_end()) {
      const bool west = reader.skip('-');
      int hours = 0, minutes = 0;
      if ((!west && !reader.skip('+')) || !reader.digits(2, hours)) return std::nullopt;
      if (reader.skip(':') ? !reader.digits(2, minutes) : reader.at_digit() && !reader.digits(2, minutes))
        return std::nullopt;
      if (hours > 23 || minutes > 59) return std::nullopt;
      offset_minutes = (west ? -1 : 1) * (hours * 60 + minutes);
    }
  }
  if (!reader.at_end() || month < 1 || month > 12 || day < 1 || day > 31 || minute > 59 || second > 59)
    return std::nullopt;
  if (hour > 24 || (hour == 24 && (minute != 0 || second != 0 || millisecond != 0))) return std::nullopt;
  // V8 reads a day behind the last of its month as a day of the next month.
  const std::int64_t days = days_of_month_start(year, month) + day - 1;
  const std::int64_t minutes = (days * 24 + hour) * 60 + minute - offset_minutes;
  const std::int64_t milliseconds = (minutes * 60 + second) * 1000 + millisecond;
  constexpr std::int64_t kMaxTime = 8'640'000'000'000'000;  // milliseconds: the range of JavaScript's Date
  if (milliseconds > kMaxTime || milliseconds < -kMaxTime) return std::nullopt;
  return milliseconds;
}

UtcTime to_utc_time(TimeMilliseconds time) {
  constexpr std::int64_t kDay = 86'400'000;  // milliseconds
  const std::int64_t milliseconds = time.time_since_epoch().count();
  std::int64_t days = milliseconds / kDay;
  std::int64_t rest = milliseconds % kDay;
  if (rest < 0) {
    rest += kDay;
    --days;
  }
  UtcTime utc{};
  set_date(utc, days);
  const std::int64_t weekday = (days + 4) % 7;  // 1970-01-01 was a Thursday
  utc.weekday = static_cast<unsigned>(weekday < 0 ? weekday + 7 : weekday);
  utc.hour = static_cast<unsigned>(rest / 3'600'000);
  utc.minute = static_cast<unsigned>(rest / 60'000 % 60);
  utc.second = static_cast<unsigned>(rest / 1000 % 60);
  utc.millisecond = static_cast<unsigned>(rest % 1000);
  return utc;
}

UtcTime to_utc_time(std::chrono::system_clock::time_point time) { return to_utc_time(in_milliseconds(time)); }

void append_timestamp(std::string& out, TimeMilliseconds time) {
  const UtcTime utc = to_utc_time(time);
  append_date_and_time(out, utc);
  out += '.';
  append_digits(out, utc.millisecond, 3);
  out += 'Z';
}

void append_timestamp(std::string& out, std::chrono::system_clock::time_point time) {
  append_timestamp(out, in_milliseconds(time));
}

std::string format_timestamp(TimeMilliseconds time) {
  std::string text;
  append_timestamp(text, time);
  return text;
}

std::string format_timestamp(std::chrono::system_clock::time_point time) {
  return format_timestamp(in_milliseconds(time));
}

std::string format_timestamp_seconds(TimeMilliseconds time) {
  std::string text;
  append_date_and_time(text, to_utc_time(time));
  text += 'Z';
  return text;
}

std::string format_timestamp_seconds(std::chrono::system_clock::time_point time) {
  return format_timestamp_seconds(in_milliseconds(time));
}

}  // namespace eventgate
