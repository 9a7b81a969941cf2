#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>
#include <string_view>

namespace eventgate {

/// Returns true if `name` declares streams by a regex: `/regex/`, or `/regex/i`, which ignores case.
bool is_stream_regex(std::string_view name);

/// Compiles the regex `name`. Returns null, and sets `error` to the reason, if RE2 rejects it or if it has another flag
/// than `i`.
std::unique_ptr<RE2> compile_stream_regex(std::string_view name, std::string& error);

/// Returns true if `regex` occurs in `stream`.
bool occurs_in(const RE2& regex, std::string_view stream);

}  // namespace eventgate
