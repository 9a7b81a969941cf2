#pragma once

#include <string_view>

namespace eventgate {

/// A character of a token (RFC 9110, section 5.6.2).
bool is_token_character(char c);

/// A character that may stand in a field's value or a chunk extension: all but the control characters, and HTAB.
bool is_field_text(char c);

/// A Host field's value by RFC 9110, section 7.2: a host and an optional port, or nothing.
bool is_host(std::string_view value);

/// True if no further bytes can make an HTTP/1 head of `start`, the first bytes of a head that is not complete: a line
/// that does not end in CRLF, a control character, a folded line, or a first line that is no request line. Beast waits
/// for the end of the head before it looks at a line, which may be the end of `header_timeout`.
bool is_malformed_start(std::string_view start);

/// The same of `fields`, which begin with a line behind the request line.
bool has_malformed_field(std::string_view fields);

}  // namespace eventgate
