#include "beacon_text.hpp"

#include <array>
#include <cstdint>

#include "eventgate/base/ascii.hpp"
#include "eventgate/json/json_nodes.hpp"

namespace eventgate {

namespace {

constexpr std::string_view kMarks = "?;&";

/// The values of hexadecimal digits by their byte; -1 for others.
constexpr std::array<std::int8_t, 256> kHexValues = [] {
  std::array<std::int8_t, 256> values{};
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<std::int8_t>(i < 128 ? hex_value(static_cast<char>(i)) : -1);
  return values;
}();

int hex_value_of(char c) { return kHexValues[static_cast<unsigned char>(c)]; }

bool ends_with_cut_escape(std::string_view text) {
  if (text.ends_with('%')) return true;
  return text.size() >= 2 && text[text.size() - 2] == '%' && is_hex_digit(text.back());
}

}  // namespace

BeaconText decode_beacon(std::string_view query) {
  BeaconText beacon;
  query.remove_prefix(std::min(query.find_first_not_of(kMarks), query.size()));
  const std::size_t end = query.find_last_not_of(kMarks) + 1;
  beacon.has_end_mark = query.find(';', end) != std::string_view::npos;
  query = query.substr(0, end);
  beacon.has_cut_escape = ends_with_cut_escape(query);

  beacon.text.reserve(query.size() + kJsonPadding);
  beacon.text.resize(query.size());
  char* out = beacon.text.data();
  const char* at = query.data();
  const char* const last = at + query.size();
  while (at != last) {
    const char c = *at++;
    if (c == '%' && last - at >= 2) {
      const int high = hex_value_of(at[0]);
      const int low = hex_value_of(at[1]);
      if (high >= 0 && low >= 0) {
        *out++ = static_cast<char>(high * 16 + low);
        at += 2;
        continue;
      }
    }
    *out++ = c == '+' ? ' ' : c;
  }
  beacon.text.resize(static_cast<std::size_t>(out - beacon.text.data()));
  return beacon;
}

}  // namespace eventgate
