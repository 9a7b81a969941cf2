#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace eventgate {

/// The double nearest to a JSON number; infinite beyond them, zero below them, as JavaScript reads it.
double to_double(std::string_view number);

/// Whether a JSON number is an integer by its decimal value: `1.0` and `1.5e1` are, `1.0000000000000000000001` and
/// `1e-400` are not, though the nearest doubles are. Linear in the length of `number`, whatever its exponent.
bool is_whole(std::string_view number);

/// Returns the value of a JSON number that is an integer, however it is written: `1.0`, `1.5e1`, `1e3`. Returns nullopt
/// if it is no integer or does not fit 64 bits with a sign.
std::optional<std::int64_t> integer_literal(std::string_view number);

/// A JSON number as a point on the real line. Numbers whose nearest double is no integer are equal if these doubles
/// are, as in JavaScript. All other numbers keep every digit, so an integer equals nothing but itself. Keeps its memory
/// when read into again.
struct ExactNumber {
  bool exact = true;  ///< Every digit counts, because the nearest double is an integer.
  bool negative = false;
  std::string digits;         ///< Without zeros at either end; empty for zero.
  std::int64_t exponent = 0;  ///< The number is digits * 10^exponent.
  double value = 0;           ///< The nearest double.

  void read(std::string_view number);
};

/// Less than, equal to or greater than zero, as `a` is to `b`: a total order.
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
