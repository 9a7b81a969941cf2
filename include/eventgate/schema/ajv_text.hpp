#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace eventgate {

// Texts as JavaScript writes them: AJV's errors are made of them.

/// Whether JavaScript lists the key `a` before `b`, which was inserted after it.
bool precedes(std::string_view a, std::string_view b);

/// The members of `object` in the order of Object.keys.
std::vector<std::pair<std::string_view, const nlohmann::ordered_json*>> js_members(
    const nlohmann::ordered_json& object);

/// `JSON.stringify(value)`. Recursive in the depth of `value`.
std::string js_json(const nlohmann::ordered_json& value);

/// AJV's path to the property `key`: `.key` or `['a-b']`, with quotes, backslashes and line ends escaped.
std::string js_property(std::string_view key);

/// AJV's part of a schemaPath: a JSON pointer's token, percent-encoded by encodeURIComponent.
std::string js_fragment(std::string_view key);

}  // namespace eventgate
