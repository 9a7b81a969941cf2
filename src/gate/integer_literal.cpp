#include "integer_literal.hpp"

#include <charconv>
#include <string>
#include <system_error>

namespace eventgate {

std::optional<std::int64_t> integer_literal(std::string_view number) {
  const bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  const std::size_t exponent_at = number.find_first_of("eE");
  std::int64_t exponent = 0;
  if (exponent_at != std::string_view::npos) {
    std::string_view text = number.substr(exponent_at + 1);
    const bool down = text.starts_with('-');
    if (down || text.starts_with('+')) text.remove_prefix(1);
    constexpr std::int64_t kHuge = std::int64_t{1} << 40;  // more than any text has digits
    if (std::from_chars(text.data(), text.data() + text.size(), exponent).ec != std::errc() || exponent > kHuge)
      exponent = kHuge;
    if (down) exponent = -exponent;
  }
  std::string digits;
  const std::string_view mantissa = number.substr(0, exponent_at);
  for (const char c : mantissa)
    if (c != '.') digits += c;
  const std::size_t point = mantissa.find('.');
  if (point != std::string_view::npos) exponent -= static_cast<std::int64_t>(mantissa.size() - point - 1);
  digits.erase(0, digits.find_first_not_of('0'));
  if (digits.empty()) return 0;
  while (digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  if (exponent < 0 || exponent + static_cast<std::int64_t>(digits.size()) > 19) return std::nullopt;
  digits.append(static_cast<std::size_t>(exponent), '0');
  if (negative) digits.insert(0, 1, '-');
  std::int64_t value = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc()) return std::nullopt;
  return value;
}

}  // namespace eventgate
