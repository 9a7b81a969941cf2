#include "eventgate/fetch/js_yaml_scalar.hpp"
#include "eventgate/base/ascii.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

/// Takes characters off the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view rest) : rest_(rest) {}

  bool done() const { return rest_.empty(); }
  bool one_of(std::string_view any) {
    if (rest_.empty() || any.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::size_t all_of(std::string_view any) {
    const std::size_t size = std::min(rest_.find_first_not_of(any), rest_.size());
    rest_.remove_prefix(size);
    return size;
  }
  /// Between `least` and `most` digits, as their number.
  std::optional<int> number(std::size_t least, std::size_t most) {
    std::size_t size = 0;
    int value = 0;
    while (size < most && size < rest_.size() && is_ascii_digit(rest_[size]))
      value = value * 10 + (rest_[size++] - '0');
    if (size < least) return std::nullopt;
    rest_.remove_prefix(size);
    return value;
  }
  std::string_view digits() {
    const std::string_view all = rest_.substr(0, rest_.find_first_not_of("0123456789"));
    rest_.remove_prefix(all.size());
    return all;
  }

 private:
  std::string_view rest_;
};

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kDigitsAndUnderscore = "0123456789_";

/// `(:[0-5]?[0-9])+`: minutes and seconds of a sexagesimal number.
bool sexagesimal_places(Scanner& scanner) {
  std::size_t places = 0;
  while (scanner.one_of(":")) {
    const bool tens = scanner.one_of("012345");
    if (!scanner.one_of(kDigits) && !tens) return false;
    ++places;
  }
  return places > 0;
}

bool is_integer(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return false;
  if (text == "0") return true;
  const auto digits_of = [](std::string_view digits, std::string_view allowed) {
    return digits.find_first_not_of(allowed) == std::string_view::npos &&
           digits.find_first_not_of('_') != std::string_view::npos && digits.back() != '_';
  };
  if (text[0] == '0') {
    if (text[1] == 'b') return digits_of(text.substr(2), "01_");
    if (text[1] == 'x') return digits_of(text.substr(2), "0123456789abcdefABCDEF_");
    return digits_of(text.substr(1), "01234567_");
  }
  if (text[0] == '_') return false;
  const std::size_t end = text.find_first_not_of(kDigitsAndUnderscore);
  if (end == 0) return false;
  if (end == std::string_view::npos) return text.back() != '_';
  if (text[end] != ':') return false;
  Scanner rest(text.substr(end));
  return sexagesimal_places(rest) && rest.done();
}

bool is_real(std::string_view text) {
  if (text.ends_with('_')) return false;
  const bool signed_text = text.starts_with('-') || text.starts_with('+');
  const std::string_view unsigned_text = text.substr(signed_text ? 1 : 0);
  for (const char* const name : {".inf", ".Inf", ".INF"})
    if (unsigned_text == name) return true;
  for (const char* const name : {".nan", ".NaN", ".NAN"})
    if (text == name) return true;
  const auto exponent = [](Scanner& scanner) {
    if (!scanner.one_of("eE")) return true;
    scanner.one_of("-+");
    return scanner.all_of(kDigits) > 0;
  };
  {  // [-+]? (0 | [1-9][0-9_]*) (\.[0-9_]*)? ([eE][-+]?[0-9]+)?
    Scanner scanner(unsigned_text);
    bool whole = scanner.one_of("0");
    if (!whole && scanner.one_of("123456789")) {
      scanner.all_of(kDigitsAndUnderscore);
      whole = true;
    }
    if (whole) {
      if (scanner.one_of(".")) scanner.all_of(kDigitsAndUnderscore);
      if (exponent(scanner) && scanner.done()) return true;
    }
  }
  {  // \.[0-9_]+ ([eE][-+]?[0-9]+)?
    Scanner scanner(text);
    if (scanner.one_of(".") && scanner.all_of(kDigitsAndUnderscore) > 0 && exponent(scanner) && scanner.done())
      return true;
  }
  // [-+]? [0-9][0-9_]* (:[0-5]?[0-9])+ \.[0-9_]*
  Scanner scanner(unsigned_text);
  if (!scanner.one_of(kDigits)) return false;
  scanner.all_of(kDigitsAndUnderscore);
  if (!sexagesimal_places(scanner) || !scanner.one_of(".")) return false;
  scanner.all_of(kDigitsAndUnderscore);
  return scanner.done();
}

struct Timestamp {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millisecond = 0;
  int offset = 0;  ///< Minutes.
};

std::optional<Timestamp> timestamp(std::string_view text) {
  Timestamp time;
  const auto take = [](std::optional<int> number, int& to) {
    if (number) to = *number;
    return number.has_value();
  };
  if (Scanner date(text); take(date.number(4, 4), time.year) && date.one_of("-") &&
                          take(date.number(2, 2), time.month) && date.one_of("-") &&
                          take(date.number(2, 2), time.day) && date.done())
    return time;
  Scanner scanner(text);
  if (!take(scanner.number(4, 4), time.year) || !scanner.one_of("-") || !take(scanner.number(1, 2), time.month) ||
      !scanner.one_of("-") || !take(scanner.number(1, 2), time.day))
    return std::nullopt;
  if (!scanner.one_of("Tt") && scanner.all_of(" \t") == 0) return std::nullopt;
  if (!take(scanner.number(1, 2), time.hour) || !scanner.one_of(":") || !take(scanner.number(2, 2), time.minute) ||
      !scanner.one_of(":") || !take(scanner.number(2, 2), time.second))
    return std::nullopt;
  if (scanner.one_of(".")) {
    int weight = 100;
    for (const char digit : scanner.digits()) {
      time.millisecond += weight * (digit - '0');
      weight /= 10;
    }
  }
  if (scanner.done()) return time;
  scanner.all_of(" \t");
  if (scanner.one_of("Z")) return scanner.done() ? std::optional(time) : std::nullopt;
  int sign = 0;
  if (scanner.one_of("-")) {
    sign = -1;
  } else if (scanner.one_of("+")) {
    sign = 1;
  } else {
    return std::nullopt;
  }
  int hours = 0;
  int minutes = 0;
  if (!take(scanner.number(1, 2), hours)) return std::nullopt;
  if (scanner.one_of(":") && !take(scanner.number(2, 2), minutes)) return std::nullopt;
  if (!scanner.done()) return std::nullopt;
  time.offset = sign * (hours * 60 + minutes);
  return time;
}

/// Date.UTC takes what is beyond the calendar, too (the 13th month is January of the next year), and counts the years 0
/// to 99 from 1900.
std::string iso_text(const Timestamp& time) {
  using namespace std::chrono;
  const int months = time.month - 1 + (time.year < 100 ? time.year + 1900 : time.year) * 12;
  const int month = ((months % 12) + 12) % 12;
  const year_month_day first{year{(months - month) / 12}, std::chrono::month{static_cast<unsigned>(month + 1)}, day{1}};
  const auto at = sys_days{first} + days{time.day - 1} + hours{time.hour} + minutes{time.minute - time.offset} +
                  seconds{time.second} + milliseconds{time.millisecond};
  const auto days_at = floor<days>(at);
  const year_month_day date{days_at};
  const hh_mm_ss clock{at - days_at};
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%s%0*d-%02u-%02uT%02d:%02d:%02d.%03dZ", int(date.year()) > 9999 ? "+" : "",
                int(date.year()) > 9999 ? 6 : 4, int(date.year()), unsigned(date.month()), unsigned(date.day()),
                int(clock.hours().count()), int(clock.minutes().count()), int(clock.seconds().count()),
                int(clock.subseconds().count()));
  return buffer;
}

Json binary(const std::string& text, JsYamlSubtype subtype) {
  return Json::binary(std::vector<std::uint8_t>(text.begin(), text.end()), static_cast<std::uint64_t>(subtype));
}

Json whole_number(double value) {
  constexpr double kExact = 9007199254740992;
  if (std::abs(value) <= kExact && value == std::trunc(value)) return static_cast<std::int64_t>(value);
  return value;
}

double sexagesimal(const std::string& text) {
  double value = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(':', at), text.size());
    value = value * 60 + std::strtod(text.substr(at, end - at).c_str(), nullptr);
    at = end + 1;
  }
  return value;
}

Json integer_value(std::string text) {
  std::erase(text, '_');
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.erase(0, 1);
  if (text == "0") return 0;
  if (text.find(':') != std::string::npos) return whole_number(negative ? -sexagesimal(text) : sexagesimal(text));
  int base = 10;
  if (text[0] == '0') {
    base = text[1] == 'b' ? 2 : text[1] == 'x' ? 16 : 8;
    text.erase(0, base == 8 ? 1 : 2);
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  static_cast<void>(end);
  if (error == std::errc()) {
    if (!negative) return value;
    if (value <= std::uint64_t{1} << 63U) return static_cast<std::int64_t>(0 - value);
  }
  if (base == 10) return binary((negative ? "-" : "") + text, JsYamlSubtype::integer);
  double wide = 0;
  for (const char c : text) wide = wide * base + (is_ascii_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
  return negative ? -wide : wide;
}

double real_value(std::string text) {
  std::erase(text, '_');
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.erase(0, 1);
  double value = 0;
  if (text == ".inf" || text == ".Inf" || text == ".INF") {
    value = std::numeric_limits<double>::infinity();
  } else if (text == ".nan" || text == ".NaN" || text == ".NAN") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (text.find(':') != std::string::npos) {
    value = sexagesimal(text);
  } else {
    value = std::strtod(text.c_str(), nullptr);
  }
  return negative ? -value : value;
}

}  // namespace

JsYamlScalar js_yaml_scalar(std::string_view text) {
  for (const char* const word : {"~", "null", "Null", "NULL"})
    if (text == word) return JsYamlScalar::null;
  for (const char* const word : {"true", "True", "TRUE", "false", "False", "FALSE"})
    if (text == word) return JsYamlScalar::boolean;
  if (text == "<<") return JsYamlScalar::merge;
  if (text.empty() || std::string_view("-+.0123456789").find(text[0]) == std::string_view::npos)
    return JsYamlScalar::text;
  if (is_integer(text)) return JsYamlScalar::integer;
  if (is_real(text)) return JsYamlScalar::real;
  if (timestamp(text)) return JsYamlScalar::timestamp;
  return JsYamlScalar::text;
}

Json js_yaml_value(const std::string& text) {
  if (text.empty()) return nullptr;
  switch (js_yaml_scalar(text)) {
    case JsYamlScalar::null:
      return nullptr;
    case JsYamlScalar::boolean:
      return text[0] == 't' || text[0] == 'T';
    case JsYamlScalar::integer:
      return integer_value(text);
    case JsYamlScalar::real: {
      const double value = real_value(text);
      // JavaScript has one kind of number; zero keeps its sign.
      return value == 0 && std::signbit(value) ? Json(value) : whole_number(value);
    }
    case JsYamlScalar::timestamp:
      return binary(iso_text(*timestamp(text)), JsYamlSubtype::date);
    case JsYamlScalar::merge:
    case JsYamlScalar::text:
      break;
  }
  return text;
}

std::string js_yaml_key(const std::string& text) {
  const Json value = js_yaml_value(text);
  if (value.is_null()) return "null";
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number_integer()) return value.dump();
  if (value.is_number_float() && value.get<double>() == 0) return "0";
  if (value.is_number_float() && std::abs(value.get<double>()) >= 1e-6 && std::abs(value.get<double>()) < 1e21) {
    char buffer[64];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value.get<double>(), std::chars_format::fixed).ptr;
    return {buffer, end};
  }
  return text;
}

}  // namespace eventgate
