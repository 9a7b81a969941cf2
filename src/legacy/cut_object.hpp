#pragma once

#include <cstddef>
#include <string_view>

namespace eventgate {

/// Returns true if `text` is the start of a JSON object and ends before the object does: more text could make it JSON.
/// At most `max_depth` levels of arrays and objects. UTF-8 is not looked at. Not recursive, O(size of `text`). Pure.
bool is_cut_object(std::string_view text, std::size_t max_depth);

}  // namespace eventgate
