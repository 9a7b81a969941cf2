#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <string_view>

// Regular expressions of ECMA-262, which JSON Schema uses, run by RE2, which takes linear time. Thread-safe.

namespace eventgate {

/// Returns `pattern`, an ECMA-262 regular expression without flags and with the syntax of annex B, in the syntax of
/// RE2.
///
/// The error says why it is no regular expression, or what RE2 does not support: look-around, back-references, lone
/// surrogates. The result matches code points, where JavaScript matches UTF-16 units.
boost::system::result<std::string, std::string> re2_pattern(std::string_view pattern);

/// Returns true if JavaScript's `new RegExp(pattern)` accepts `pattern`. O(size of `pattern`), not recursive.
bool is_ecma_pattern(std::string_view pattern);

}  // namespace eventgate
