#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <string_view>

namespace eventgate {

/// `pattern`, an ECMA-262 regular expression (without flags, with the syntax of annex B for web browsers), written for
/// RE2. The error says why it is none, or what in it RE2 cannot do: look-around, back-references, lone surrogates.
///
/// Strings are code points here, where JavaScript sees UTF-16 units.
boost::system::result<std::string, std::string> re2_pattern(std::string_view pattern);

/// Whether JavaScript's `new RegExp(pattern)` takes `pattern`. Linear, not recursive.
bool is_ecma_pattern(std::string_view pattern);

}  // namespace eventgate
