#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace eventgate {

/// Appends `text` (UTF-8) as a JSON string with its quotes, escaped as JSON.stringify does: `"`, `\`, and controls
/// below U+0020 (\b \f \n \r \t by name, others \u00xx); nothing else. Invalid UTF-8 becomes U+FFFD, one for each
/// maximal part (Unicode, 3.9: U+FFFD Substitution of Maximal Subparts).
void append_json_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);

/// `number` as JavaScript's String(number) writes it (ECMA-262, Number::toString); `null`, as JSON.stringify does, for
/// what is not finite.
std::string js_number(double number);

/// The number of a key that JavaScript takes for an array index (ECMA-262, 6.1.7): "0" to "4294967294", written so.
/// Such keys come first in an object, in the order of their numbers.
std::optional<std::uint32_t> array_index(std::string_view key);

}  // namespace eventgate
