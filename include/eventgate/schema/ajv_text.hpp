#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace eventgate {

// The parts of AJV's errors, as JavaScript writes them. Thread-safe.

/// Returns true if JavaScript lists the key `a` of an object before `b`, which was inserted later.
bool precedes(std::string_view a, std::string_view b);

/// Returns the members of `object` in the order of Object.keys.
std::vector<std::pair<std::string_view, const nlohmann::ordered_json*>> js_members(
    const nlohmann::ordered_json& object);

/// Returns `JSON.stringify(value)`. Recursive in the depth of `value`.
std::string js_json(const nlohmann::ordered_json& value);

/// Returns the property `key` in AJV's data path: `.key`, or `['a-b']` with quotes, backslashes and line ends escaped.
std::string js_property(std::string_view key);

/// Returns the property `key` in AJV's schema path: a JSON pointer token, encoded by encodeURIComponent.
std::string js_fragment(std::string_view key);

}  // namespace eventgate
