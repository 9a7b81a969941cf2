#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <string_view>

namespace eventgate {

/// Why a text is no moment.
enum class MomentError : std::uint8_t {
  unreadable,  ///< No form that is known.
  number,      ///< A number as JavaScript reads it, and not one of milliseconds.
};

/// Reads the moment that `since` and `until` name, in milliseconds since 1970, at least 0: ISO 8601 (without a zone:
/// UTC), RFC 2822 with the zones of RFC 822, a whole number of 12 digits or more, `0`, or `-15m` with `s`, `m`, `h` or
/// `d`, which counts back from `now`. Thread-safe.
boost::system::result<std::int64_t, MomentError> parse_moment(std::string_view text, std::int64_t now);

}  // namespace eventgate
