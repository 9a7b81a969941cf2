#include "eventgate/json/decimal.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace eventgate {
namespace {

/// An exponent beyond this counts as this: far more than a text has digits, and ten times it is no overflow.
constexpr std::int64_t kHugeExponent = std::int64_t{1} << 59;

/// What a decimal text says, exactly: digits * 10^exponent.
struct Decimal {
  bool negative = false;
  std::int64_t exponent = 0;
};

/// The value of `text`, which is empty or an exponent with its `e`.
std::int64_t exponent_of(std::string_view text) {
  if (text.empty()) return 0;
  text.remove_prefix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::int64_t exponent = 0;
  for (const char digit : text) exponent = std::min(exponent * 10 + (digit - '0'), kHugeExponent);
  return negative ? -exponent : exponent;
}

/// Reads `number`, a JSON number, with its digits into `digits`, without zeros at either end. Zero has no digits.
Decimal read_decimal(std::string_view number, std::string& digits) {
  Decimal decimal;
  digits.clear();
  std::size_t at = 0;
  if (at < number.size() && number[at] == '-') {
    decimal.negative = true;
    ++at;
  }
  bool fraction = false;
  for (; at < number.size(); ++at) {
    const char c = number[at];
    if (c == '.') {
      fraction = true;
    } else if (c == 'e' || c == 'E') {
      break;
    } else {
      if (!(digits.empty() && c == '0')) digits.push_back(c);
      if (fraction) --decimal.exponent;
    }
  }
  decimal.exponent += exponent_of(number.substr(at));
  while (!digits.empty() && digits.back() == '0') {
    digits.pop_back();
    ++decimal.exponent;
  }
  if (digits.empty()) decimal = {};
  return decimal;
}

int compare_magnitudes(const ExactNumber& a, const ExactNumber& b) {
  if (a.digits.empty() || b.digits.empty()) return static_cast<int>(b.digits.empty()) - a.digits.empty();
  const std::int64_t a_size = static_cast<std::int64_t>(a.digits.size()) + a.exponent;
  const std::int64_t b_size = static_cast<std::int64_t>(b.digits.size()) + b.exponent;
  if (a_size != b_size) return a_size < b_size ? -1 : 1;
  return a.digits.compare(b.digits);
}

__extension__ using Wide = unsigned __int128;

std::uint64_t multiply(std::uint64_t a, std::uint64_t b, std::uint64_t modulus) {
  return static_cast<std::uint64_t>(Wide{a} * b % modulus);
}

}  // namespace

double to_double(std::string_view number) {
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error == std::errc::result_out_of_range) {
    std::string digits;
    const Decimal decimal = read_decimal(number, digits);
    value =
        static_cast<std::int64_t>(digits.size()) + decimal.exponent > 0 ? std::numeric_limits<double>::infinity() : 0.0;
    if (decimal.negative) value = -value;
  }
  return value;
}

bool is_whole(std::string_view number) {
  const std::size_t end = std::min(number.find_first_of("eE"), number.size());
  const std::string_view mantissa = number.substr(0, end);
  const std::size_t last = mantissa.find_last_of("123456789");
  if (last == std::string_view::npos) return true;
  const auto point = static_cast<std::int64_t>(std::min(mantissa.find('.'), end));
  // The power of ten of the last digit that is not 0: that of the digit in front of the point is 0.
  const std::int64_t behind = static_cast<std::int64_t>(last) - point;
  const std::int64_t power = behind < 0 ? -behind - 1 : -behind;
  return power + exponent_of(number.substr(end)) >= 0;
}

void ExactNumber::read(std::string_view number) {
  value = to_double(number);
  const Decimal decimal = read_decimal(number, digits);
  negative = decimal.negative;
  exponent = decimal.exponent;
  // An infinite value counts too: every number outside a double is told from others by its digits.
  exact = value == std::trunc(value);
}

int compare(const ExactNumber& a, const ExactNumber& b) {
  // Rounding to a double does not change an order, but may make two numbers equal.
  if (a.value != b.value) return a.value < b.value ? -1 : 1;
  if (!a.exact) return 0;
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  const int order = compare_magnitudes(a, b);
  return a.negative ? -order : order;
}

bool Divisor::read(std::string_view number) {
  std::string digits;
  const Decimal decimal = read_decimal(number, digits);
  if (digits.empty() || decimal.negative) return false;
  exponent = decimal.exponent;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), mantissa);
  return error == std::errc{} && end == digits.data() + digits.size();
}

bool Divisor::divides(std::string_view number) const {
  thread_local std::string digits;
  const Decimal decimal = read_decimal(number, digits);
  if (digits.empty()) return true;
  // Its digits do not end in a zero, so what is finer than the divisor's last digit is no multiple.
  std::int64_t shift = decimal.exponent - exponent;
  if (shift < 0) return false;
  std::uint64_t rest = 0;
  for (const char digit : digits)
    rest = static_cast<std::uint64_t>((Wide{rest} * 10 + static_cast<unsigned>(digit - '0')) % mantissa);
  std::uint64_t power = 10 % mantissa;
  for (; shift > 0 && rest != 0; shift >>= 1) {
    if (shift & 1) rest = multiply(rest, power, mantissa);
    power = multiply(power, power, mantissa);
  }
  return rest == 0;
}

std::optional<std::int64_t> integer_literal(std::string_view number) {
  constexpr std::int64_t kMaxDigits = 19;  // of an int64
  std::string digits;
  const Decimal decimal = read_decimal(number, digits);
  if (digits.empty()) return 0;
  if (decimal.exponent < 0 || decimal.exponent + static_cast<std::int64_t>(digits.size()) > kMaxDigits)
    return std::nullopt;
  digits.append(static_cast<std::size_t>(decimal.exponent), '0');
  if (decimal.negative) digits.insert(0, 1, '-');
  std::int64_t value = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc()) return std::nullopt;
  return value;
}

}  // namespace eventgate
