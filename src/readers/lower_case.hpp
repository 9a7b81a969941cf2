#pragma once

namespace eventgate {

/// Returns the lower case of a code point by Unicode's simple mapping, in any locale. Thread-safe.
unsigned to_unicode_lower(unsigned code_point);

}  // namespace eventgate
