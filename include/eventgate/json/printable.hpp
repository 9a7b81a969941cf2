#pragma once

#include <string>
#include <string_view>

namespace eventgate {

/// Returns `text` of a client for a line on a terminal. Escapes control characters (C0, DEL, C1) as JSON does, and
/// replaces bytes that are not UTF-8 by U+FFFD. Thread-safe.
std::string printable(std::string_view text);

}  // namespace eventgate
