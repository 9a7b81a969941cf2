#pragma once

#include <string>
#include <string_view>

namespace eventgate {

/// `text`, which a client may have written, for a line on a terminal: control characters (C0, DEL, C1) are escaped as
/// in JSON, bytes that are no UTF-8 become U+FFFD.
std::string printable(std::string_view text);

}  // namespace eventgate
