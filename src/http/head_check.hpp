#pragma once

#include <string_view>

// Checks of a request's head beside Beast's grammar. Every function is pure, so any thread may call it.

namespace eventgate {

/// Returns true for a character of a token (RFC 9110, section 5.6.2).
bool is_token_character(char c);

/// Returns true for a character of a field value or a chunk extension: HTAB, and all but control characters.
bool is_field_text(char c);

/// Returns true for the value of a Host field (RFC 9110, section 7.2): a host and an optional port, or nothing.
bool is_host(std::string_view value);

/// Returns true if no further bytes can complete `start`, the first bytes of a head, to a valid one. It has a line that
/// does not end in CRLF, a control character, a folded line, or a first line that is no request line. Beast reports
/// none of them before the head has ended, which can take until `header_timeout`.
bool is_malformed_start(std::string_view start);

/// The same for `fields`, which begin behind the request line.
bool has_malformed_field(std::string_view fields);

}  // namespace eventgate
