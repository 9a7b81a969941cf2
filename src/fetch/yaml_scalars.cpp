#include "yaml_scalars.hpp"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <system_error>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/is_one_of.hpp"
#include "eventgate/base/timestamp.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

std::string_view without_sign(std::string_view text) {
  return !text.empty() && (text[0] == '-' || text[0] == '+') ? text.substr(1) : text;
}

/// Returns the integer written by `digits`. If it does not fit 64 bits, returns the nearest double.
Json integer(std::string_view digits, int base, bool negative) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error == std::errc() && end == digits.data() + digits.size()) {
    if (!negative) return value;
    if (value <= std::uint64_t{1} << 63U) return static_cast<std::int64_t>(0 - value);
  }
  double wide = 0;
  for (const char c : digits) {
    wide = wide * base + hex_value(c);
  }
  if (base == 10) std::from_chars(digits.data(), digits.data() + digits.size(), wide);
  return negative ? -wide : wide;
}

/// Returns the number that `text` writes in this form, or nullopt:
/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
std::optional<double> floating(std::string_view text) {
  const std::string_view number = without_sign(text);
  std::string_view mantissa = number;
  if (const auto e = number.find_first_of("eE"); e != std::string_view::npos) {
    if (!is_all_digits(without_sign(number.substr(e + 1)))) return std::nullopt;
    mantissa = number.substr(0, e);
  }
  const auto dot = mantissa.find('.');
  const std::string_view whole = mantissa.substr(0, dot);
  const std::string_view fraction = dot == std::string_view::npos ? "" : mantissa.substr(dot + 1);
  if (whole.empty() ? !is_all_digits(fraction)
                    : !is_all_digits(whole) || !(fraction.empty() || is_all_digits(fraction))) {
    return std::nullopt;
  }
  double value = 0;
  // from_chars sets no value if the number is out of range; strtod returns HUGE_VAL or 0.
  if (std::from_chars(number.data(), number.data() + number.size(), value).ec != std::errc()) {
    value = std::strtod(std::string(number).c_str(), nullptr);
  }
  return text[0] == '-' ? -value : value;
}

/// The fields of a timestamp as written.
struct TimestampFields {
  int year = 0, month = 0, day = 0;
  int hour = 0, minute = 0, second = 0, millisecond = 0;
  int offset = 0;  ///< Minutes east of UTC.
};

/// Reads a timestamp in the form that js-yaml accepts: `2001-12-14`, or with a time `2001-12-14 21:59:43.10 -5:00`.
class TimestampReader {
 public:
  explicit TimestampReader(std::string_view text) : text_(text) {}

  /// Returns nullopt if the text has another form. Does not check whether the numbers are a time of the calendar.
  std::optional<TimestampFields> read() {
    TimestampFields fields;
    if (!read_number(4, 4, fields.year) || !skip("-")) return std::nullopt;
    const std::size_t month_begin = at_;
    if (!read_number(1, 2, fields.month) || !skip("-")) return std::nullopt;
    const std::size_t day_begin = at_;
    if (!read_number(1, 2, fields.day)) return std::nullopt;
    const bool two_digits_each = day_begin - month_begin == 3 && at_ - day_begin == 2;
    const bool read = at_end() ? two_digits_each : read_time(fields) && read_offset(fields) && at_end();
    return read ? std::optional(fields) : std::nullopt;
  }

 private:
  bool at_end() const { return at_ == text_.size(); }
  bool at_digit() const { return !at_end() && is_ascii_digit(text_[at_]); }

  bool skip(std::string_view any_of) {
    if (at_end() || any_of.find(text_[at_]) == std::string_view::npos) return false;
    ++at_;
    return true;
  }

  void skip_blanks() {
    while (skip(" \t")) {
    }
  }

  bool read_number(int least_digits, int most_digits, int& number) {
    int digits = 0;
    for (number = 0; digits < most_digits && at_digit(); ++digits) number = number * 10 + (text_[at_++] - '0');
    return digits >= least_digits;
  }

  bool read_time(TimestampFields& fields) {
    if (!skip("Tt")) {
      if (!skip(" \t")) return false;
      skip_blanks();
    }
    if (!read_number(1, 2, fields.hour) || !skip(":") || !read_number(2, 2, fields.minute) || !skip(":") ||
        !read_number(2, 2, fields.second))
      return false;
    if (skip(".")) {
      for (int weight = 100; at_digit(); weight /= 10) fields.millisecond += weight * (text_[at_++] - '0');
    }
    return true;
  }

  bool read_offset(TimestampFields& fields) {
    skip_blanks();
    const bool is_west = skip("-");
    if (!is_west && !skip("+")) {
      skip("Z");
      return true;
    }
    int hours = 0, minutes = 0;
    if (!read_number(1, 2, hours) || (skip(":") && !read_number(2, 2, minutes))) return false;
    fields.offset = (is_west ? -1 : 1) * (hours * 60 + minutes);
    return true;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<std::string> yaml_timestamp(std::string_view text) {
  const auto fields = TimestampReader(text).read();
  if (!fields) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{fields->year},
                                         std::chrono::month{static_cast<unsigned>(fields->month)},
                                         std::chrono::day{static_cast<unsigned>(fields->day)}};
  if (!date.ok() || fields->hour > 23 || fields->minute > 59 || fields->second > 59) return std::nullopt;
  return format_timestamp(std::chrono::sys_days{date} + std::chrono::hours{fields->hour} +
                          std::chrono::minutes{fields->minute - fields->offset} + std::chrono::seconds{fields->second} +
                          std::chrono::milliseconds{fields->millisecond});
}

Json plain_scalar(const std::string& text) {
  if (text.empty() || is_one_of(text, {"~", "null", "Null", "NULL"})) return nullptr;
  if (is_one_of(text, {"true", "True", "TRUE"})) return true;
  if (is_one_of(text, {"false", "False", "FALSE"})) return false;
  if (is_all_digits(without_sign(text))) return integer(without_sign(text), 10, text[0] == '-');
  const auto only = [&](std::string_view digits) {
    return text.size() > 2 && text.find_first_not_of(digits, 2) == std::string::npos;
  };
  if (text.starts_with("0x") && only("0123456789abcdefABCDEF")) return integer(text.substr(2), 16, false);
  if (text.starts_with("0o") && only("01234567")) return integer(text.substr(2), 8, false);
  if (is_one_of(without_sign(text), {".inf", ".Inf", ".INF"})) {
    const double infinity = std::numeric_limits<double>::infinity();
    return text[0] == '-' ? -infinity : infinity;
  }
  if (is_one_of(text, {".nan", ".NaN", ".NAN"})) return std::numeric_limits<double>::quiet_NaN();
  if (const auto number = floating(text)) return *number;
  if (auto time = yaml_timestamp(text)) return *std::move(time);
  return text;
}

}  // namespace eventgate
