#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// Percent encoding (RFC 3986, section 2.1). Every function is pure, so any thread may call it.

namespace eventgate {

/// Returns the byte that the escape at `at` stands for, for example `/` for `%2F`. Returns -1 if there is no escape:
/// `text[at]` is no `%`, or two hexadecimal digits do not follow it.
int percent_escape_at(std::string_view text, std::size_t at);

/// Returns `text` with its escapes decoded. A `%` that begins no escape stays.
std::string percent_decode(std::string_view text);

/// Returns `text` with its escapes decoded. Returns nullopt if a `%` begins no escape.
std::optional<std::string> percent_decode_strict(std::string_view text);

/// Returns a name or value of a query with its escapes decoded and `+` as a space
/// (application/x-www-form-urlencoded). A `%` that begins no escape stays.
std::string form_decode(std::string_view text);

/// Returns `text` (UTF-8) encoded as JavaScript's encodeURIComponent does: letters, digits and `-_.!~*'()` stay.
std::string percent_encode(std::string_view text);

}  // namespace eventgate
