#pragma once

#include <string>
#include <string_view>

#include "eventgate/json/json_nodes.hpp"

namespace eventgate {

/// Returns what was expected, where, what stands there instead, and which frequent mistake that looks like:
///
///     expected a key in quotes at byte 8, found '}': this looks like a comma behind the last element
///
/// `text` is the one that was parsed. Quotes at most 20 bytes of it. Thread-safe.
std::string json_error_text(std::string_view text, const JsonError& error);

}  // namespace eventgate
