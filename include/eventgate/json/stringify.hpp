#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "eventgate/json/json_nodes.hpp"

namespace eventgate {

/// Returns the rank of a member of a JavaScript object: integer keys come first in ascending order, then all others as
/// they were added. `order` is the number of members added before.
std::uint64_t javascript_member_rank(std::string_view key, std::size_t order);

/// Appends `root` as `JSON.stringify(JSON.parse(text))` writes it. Does not recurse.
void append_as_javascript(std::string& out, JsonValue root);

}  // namespace eventgate
