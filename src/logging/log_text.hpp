#pragma once

#include <string>
#include <string_view>

namespace eventgate {

// Texts of log lines. Control characters (C0, DEL, C1), which a terminal would obey, are escaped as JSON does it. Bytes
// that are not UTF-8 become U+FFFD. A text of more than 8 KB is cut, with a note.

/// Appends `text` as the inside of a JSON string.
void append_json_text(std::string& out, std::string_view text);

/// Appends `text` for people: quotes and backslashes stay as they are.
void append_plain_text(std::string& out, std::string_view text);

}  // namespace eventgate
