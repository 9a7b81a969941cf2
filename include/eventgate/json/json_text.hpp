#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// JSON texts as JavaScript writes them. Thread-safe.

namespace eventgate {

/// Appends `text` (UTF-8) as a JSON string in quotes, escaped as JSON.stringify does: `"`, `\` and controls below
/// U+0020
/// (\b \f \n \r \t by name, others as \u00xx). Replaces each maximal invalid part by one U+FFFD (Unicode, section 3.9:
/// Substitution of Maximal Subparts).
void append_json_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);

/// Returns `number` as JavaScript's String(number) writes it (ECMA-262, Number::toString). Returns `null` for infinity
/// and NaN, as JSON.stringify does.
std::string js_number(double number);

/// Returns the value of a key that JavaScript treats as an array index (ECMA-262, section 6.1.7): "0" to "4294967294"
/// without leading zeros. JavaScript lists such keys of an object first, in ascending order.
std::optional<std::uint32_t> array_index(std::string_view key);

}  // namespace eventgate
