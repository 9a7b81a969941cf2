#include "moment.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <optional>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/timestamp.hpp"

namespace eventgate {
namespace {

constexpr std::int64_t kMaxMoment = 8'640'000'000'000'000;  // milliseconds: the range of JavaScript's Date
constexpr std::size_t kMaxText = 100;                       // bytes: longer than any moment with a comment
constexpr std::string_view kBlanks = " \t\r\n\v\f";

/// Takes words, numbers and signs from the start of a text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }

  void skip_blanks() {
    while (!text_.empty() && kBlanks.find(text_[0]) != std::string_view::npos) text_.remove_prefix(1);
  }

  bool skip(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  std::string_view letters() {
    return take(
        static_cast<std::size_t>(std::find_if_not(text_.begin(), text_.end(), is_ascii_letter) - text_.begin()));
  }

  /// Reads a number of `least` to `most` digits.
  std::optional<int> number(std::size_t least, std::size_t most) {
    const auto size =
        static_cast<std::size_t>(std::find_if_not(text_.begin(), text_.end(), is_ascii_digit) - text_.begin());
    if (size < least || size > most) return std::nullopt;
    int value = 0;
    for (const char c : take(size)) value = value * 10 + (c - '0');
    return value;
  }

 private:
  std::string_view take(std::size_t size) {
    const std::string_view taken = text_.substr(0, size);
    text_.remove_prefix(size);
    return taken;
  }

  std::string_view text_;
};

/// Returns the place of `name` in `names`, or nullopt.
template <std::size_t Size>
std::optional<unsigned> place_of(std::string_view name, const std::array<std::string_view, Size>& names) {
  for (unsigned i = 0; i < Size; ++i)
    if (equals_ignoring_case(name, names[i])) return i;
  return std::nullopt;
}

/// Reads the zone of RFC 2822, section 3.3 and 4.3, as minutes east of UTC. None is UTC.
std::optional<int> zone_minutes(Cursor& text) {
  if (text.at_end()) return 0;
  const bool west = text.skip('-');
  if (west || text.skip('+')) {
    const auto offset = text.number(4, 4);
    if (!offset || *offset % 100 > 59 || *offset / 100 > 23) return std::nullopt;
    const int minutes = *offset / 100 * 60 + *offset % 100;
    return west ? -minutes : minutes;
  }
  struct Zone {
    std::string_view name;
    int hours;
  };
  static constexpr std::array<Zone, 12> kZones{{{"GMT", 0},
                                                {"UTC", 0},
                                                {"UT", 0},
                                                {"Z", 0},
                                                {"EST", -5},
                                                {"EDT", -4},
                                                {"CST", -6},
                                                {"CDT", -5},
                                                {"MST", -7},
                                                {"MDT", -6},
                                                {"PST", -8},
                                                {"PDT", -7}}};
  const std::string_view name = text.letters();
  for (const Zone& zone : kZones)
    if (equals_ignoring_case(name, zone.name)) return zone.hours * 60;
  return std::nullopt;
}

/// Reads `Sun, 01 Nov 2026 00:20:00 GMT`. The day of the week and the seconds may be missing, and a comment in
/// parentheses may follow.
std::optional<std::int64_t> parse_rfc_2822(std::string_view text) {
  static constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  text = trim(text, kBlanks);
  if (!text.empty() && text.back() == ')') {
    const std::size_t comment = text.find('(');
    if (comment == std::string_view::npos) return std::nullopt;
    text = trim(text.substr(0, comment), kBlanks);
  }
  Cursor cursor(text);
  if (const std::string_view day = cursor.letters(); !day.empty()) {
    if (!place_of(day, kDays)) return std::nullopt;
    cursor.skip_blanks();
    if (!cursor.skip(',')) return std::nullopt;
    cursor.skip_blanks();
  }
  const auto day = cursor.number(1, 2);
  cursor.skip_blanks();
  const auto month = place_of(cursor.letters(), kMonths);
  cursor.skip_blanks();
  auto year = cursor.number(2, 4);
  cursor.skip_blanks();
  const auto hour = cursor.number(2, 2);
  if (!day || !month || !year || !hour || !cursor.skip(':')) return std::nullopt;
  const auto minute = cursor.number(2, 2);
  std::optional<int> second = 0;
  if (cursor.skip(':')) second = cursor.number(2, 2);
  cursor.skip_blanks();
  const auto zone = zone_minutes(cursor);
  if (!minute || !second || !zone || !cursor.at_end()) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  // RFC 2822, section 4.3: years of two and three digits.
  if (*year < 50) *year += 2000;
  if (*year < 1000) *year += 1900;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month + 1),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return (((days * 24 + *hour) * 60 + *minute - *zone) * 60 + *second) * 1000;
}

/// Reads `-15m`: the milliseconds that it counts back.
std::optional<std::int64_t> parse_back(std::string_view text) {
  if (text.size() < 3 || text.size() > 11 || text[0] != '-') return std::nullopt;
  std::int64_t unit = 0;
  switch (text.back()) {
    case 's':
      unit = 1000;
      break;
    case 'm':
      unit = 60'000;
      break;
    case 'h':
      unit = 3'600'000;
      break;
    case 'd':
      unit = 86'400'000;
      break;
    default:
      return std::nullopt;
  }
  const std::string_view digits = text.substr(1, text.size() - 2);
  if (!is_all_digits(digits)) return std::nullopt;
  std::int64_t count = 0;
  for (const char c : digits) count = count * 10 + (c - '0');
  return count * unit;
}

/// Returns true if JavaScript's Number(text) is a number, infinity among them (ECMA-262, StringToNumber).
bool is_javascript_number(std::string_view text) {
  text = trim(text, kBlanks);
  if (text.empty()) return true;
  if (text.size() > 2 && text[0] == '0') {
    const char base = to_ascii_lower(text[1]);
    const auto all = [&](auto is_digit) { return std::all_of(text.begin() + 2, text.end(), is_digit); };
    if (base == 'x') return all(is_hex_digit);
    if (base == 'o') return all([](char c) { return c >= '0' && c <= '7'; });
    if (base == 'b') return all([](char c) { return c == '0' || c == '1'; });
  }
  if (text[0] == '-' || text[0] == '+') text.remove_prefix(1);
  if (text == "Infinity") return true;
  if (text.empty() || text[0] == '-' || text.find_first_not_of("0123456789.eE+-") != std::string_view::npos)
    return false;
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec != std::errc::invalid_argument && read.ptr == text.data() + text.size();
}

}  // namespace

boost::system::result<std::int64_t, MomentError> parse_moment(std::string_view text, std::int64_t now) {
  constexpr std::size_t kLeastDigits = 12;
  if (text == "0") return 0;
  if (is_all_digits(text) && text.size() >= kLeastDigits) {
    std::int64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    return read.ec == std::errc() ? std::min(value, kMaxMoment) : kMaxMoment;
  }
  if (is_javascript_number(text)) return MomentError::number;
  if (text.size() > kMaxText) return MomentError::unreadable;
  if (const auto back = parse_back(text)) return std::max<std::int64_t>(now - *back, 0);
  auto time = parse_timestamp(trim(text, kBlanks));
  if (!time) time = parse_rfc_2822(text);
  if (!time) return MomentError::unreadable;
  return std::max<std::int64_t>(*time, 0);
}

}  // namespace eventgate
