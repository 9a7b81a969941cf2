#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// Foreign text in messages: bounded, and cut between code points.

namespace eventgate {

/// Returns `text`, or its first `max_size` bytes and `...` if it is longer.
std::string shorten(std::string_view text, std::size_t max_size);

/// Returns `text` in single quotes, shortened to `max_size` bytes: `'abc...'`.
std::string quote(std::string_view text, std::size_t max_size = 200);

}  // namespace eventgate
