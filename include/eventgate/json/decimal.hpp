#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Numbers as JSON writes them, in decimal and of any length. A double holds only 15 of their digits, so the functions
// here work on the text where more digits matter. Every `number` must be a well-formed JSON number. Thread-safe.

namespace eventgate {

/// Returns the double nearest to `number`, as JavaScript reads it: infinite or zero if it is outside their range.
double to_double(std::string_view number);

/// Returns true if the decimal value is an integer. `1.0` and `1.5e1` are; `1.0000000000000000000001` and `1e-400` are
/// not, although the nearest doubles are. O(size of `number`) for any exponent.
bool is_whole(std::string_view number);

/// Returns the value of a number that is an integer, however it is written: `1.0`, `1.5e1`, `1e3`. Returns nullopt if
/// it is not an integer or does not fit int64.
std::optional<std::int64_t> integer_literal(std::string_view number);

/// A JSON number that can be compared.
///
/// If the nearest double is an integer, every digit counts, so an integer equals only itself. Other numbers are equal
/// if their nearest doubles are, as in JavaScript. Keeps its memory when `read` is called again.
struct ExactNumber {
  bool exact = true;  ///< Every digit counts.
  bool negative = false;
  std::string digits;         ///< Without zeros at either end. Empty for zero.
  std::int64_t exponent = 0;  ///< The number is digits * 10^exponent.
  double value = 0;           ///< The nearest double.

  void read(std::string_view number);
};

/// Returns less than, equal to or greater than zero, as `a` is to `b`. This is a total order.
int compare(const ExactNumber& a, const ExactNumber& b);

/// The value of `multipleOf`: mantissa * 10^exponent, above zero.
struct Divisor {
  std::uint64_t mantissa = 1;
  std::int64_t exponent = 0;

  /// Reads a number whose digits, without zeros at either end, fit 64 bits. Returns false if they do not, or if the
  /// number is not above zero.
  bool read(std::string_view number);
  /// Returns true if `number` is a multiple by its decimal value. O(size of `number`).
  bool divides(std::string_view number) const;
};

}  // namespace eventgate
