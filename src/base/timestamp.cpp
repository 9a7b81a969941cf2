#include "eventgate/base/timestamp.hpp"

#include "eventgate/base/ascii.hpp"

namespace eventgate {
namespace {

/// Reads a date-time from the left.
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

  /// Exactly `count` digits.
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

  /// The digits behind a decimal point: the first three count.
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

/// Days since 1970-01-01 of the first of a month of the proleptic Gregorian calendar.
std::int64_t days_of_month_start(std::int64_t year, int month) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

}  // namespace

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  TimeReader reader(text);
  int year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, millisecond = 0, offset_minutes = 0;
  // An expanded year: a sign and six digits.
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
    // Without an offset it is local time to JavaScript; the service's is UTC.
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
  // A day behind the month's last is one of the next month, as V8 has it.
  const std::int64_t days = days_of_month_start(year, month) + day - 1;
  const std::int64_t minutes = (days * 24 + hour) * 60 + minute - offset_minutes;
  const std::int64_t milliseconds = (minutes * 60 + second) * 1000 + millisecond;
  constexpr std::int64_t kMaxTime = 8'640'000'000'000'000;  // of a JavaScript Date
  if (milliseconds > kMaxTime || milliseconds < -kMaxTime) return std::nullopt;
  return milliseconds;
}

}  // namespace eventgate
