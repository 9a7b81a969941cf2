#include "exact_number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

namespace eventgate {
namespace {

/// Beyond any number of digits that fits a text, and far from overflow.
constexpr std::int64_t kHugeExponent = std::int64_t{1} << 40;

/// What a decimal text says, exactly: digits * 10^exponent.
struct Decimal {
  bool negative = false;
  std::int64_t exponent = 0;
};

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
  if (at < number.size()) {
    ++at;
    bool negative = false;
    if (at < number.size() && (number[at] == '-' || number[at] == '+')) negative = number[at++] == '-';
    std::int64_t exponent = 0;
    for (; at < number.size(); ++at) exponent = std::min(exponent * 10 + (number[at] - '0'), kHugeExponent);
    decimal.exponent += negative ? -exponent : exponent;
  }
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

void ExactNumber::read(std::string_view number) {
  value = to_double(number);
  const Decimal decimal = read_decimal(number, digits);
  negative = decimal.negative;
  exponent = decimal.exponent;
  integer = exponent >= 0;
  if (integer || !std::isfinite(value) || value != std::trunc(value)) return;
  // Written with a fraction, and yet an integer once it is a double: all its digits.
  char text[400];
  const int size = std::snprintf(text, sizeof text, "%.0f", value);
  const Decimal whole = read_decimal({text, static_cast<std::size_t>(size)}, digits);
  negative = whole.negative;
  exponent = whole.exponent;
  integer = true;
}

int compare(const ExactNumber& a, const ExactNumber& b) {
  if (a.integer && b.integer) {
    if (a.negative != b.negative) return a.negative ? -1 : 1;
    const int order = compare_magnitudes(a, b);
    return a.negative ? -order : order;
  }
  // One of them is a double, so rounding the other to a double does not change the order.
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
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

}  // namespace eventgate
