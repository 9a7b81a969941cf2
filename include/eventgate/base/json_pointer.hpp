#pragma once

#include <string>
#include <string_view>

// Tokens of JSON pointers (RFC 6901): `/a~1b/0` has the tokens `a/b` and `0`. Every function is pure, so any thread may
// call it.

namespace eventgate {

/// Returns `token` as it stands in a pointer: `~` as `~0`, `/` as `~1`.
std::string escape_pointer_token(std::string_view token);

/// Returns the token that `escaped` stands for. A `~` that neither 0 nor 1 follows stays.
std::string unescape_pointer_token(std::string_view escaped);

}  // namespace eventgate
