#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace eventgate {

/// The double nearest to a JSON number; infinite beyond them, zero below them, as JavaScript reads it.
double to_double(std::string_view number);

/// A JSON number as a point on the real line: what is an integer keeps every digit, anything else is the double
/// nearest to it, as in JavaScript. Keeps its memory when read into again.
struct ExactNumber {
  bool integer = true;
  bool negative = false;
  std::string digits;         ///< Of an integer, without zeros at either end; empty for zero.
  std::int64_t exponent = 0;  ///< Of an integer: digits * 10^exponent.
  double value = 0;           ///< The nearest double.

  void read(std::string_view number);
};

/// Less than, equal to or greater than zero, as `a` is to `b`. Exact.
int compare(const ExactNumber& a, const ExactNumber& b);

/// The number of a `multipleOf`: mantissa * 10^exponent, above zero.
struct Divisor {
  std::uint64_t mantissa = 1;
  std::int64_t exponent = 0;

  /// From a JSON number of at most 19 digits, or of any digits that fit 64 bits. False if it does not fit, or is not
  /// above zero.
  bool read(std::string_view number);
  /// Whether `number`, as written in decimal, is a multiple. Linear in its digits.
  bool divides(std::string_view number) const;
};

}  // namespace eventgate
