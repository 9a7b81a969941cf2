#pragma once

#include <string>
#include <string_view>

// URI references (RFC 3986). Thread-safe.

namespace eventgate {

/// Returns `reference` resolved against `base` (section 5.2), with scheme and host in lower case. `base` may be empty
/// or a path only.
std::string resolve_uri(std::string_view base, std::string_view reference);

/// Returns the part before the `#`, or all of `uri`.
std::string_view without_fragment(std::string_view uri);
/// Returns the part behind the `#`, or an empty text.
std::string_view fragment_of(std::string_view uri);

}  // namespace eventgate
