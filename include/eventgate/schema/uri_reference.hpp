#pragma once

#include <string>
#include <string_view>

namespace eventgate {

/// `reference` resolved against `base` (RFC 3986, 5.2), scheme and host in lower case. An empty base, or one that is a
/// path only, will do.
std::string resolve_uri(std::string_view base, std::string_view reference);

/// What is before the `#`, and what behind it.
std::string_view without_fragment(std::string_view uri);
std::string_view fragment_of(std::string_view uri);

}  // namespace eventgate
