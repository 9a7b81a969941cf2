#pragma once

#include <optional>
#include <string_view>

#include "js_value.hpp"

namespace eventgate {

/// The value of a text that `written_yaml` made; nothing if it is no such text, which is for another reader. Nearly all
/// versions are such texts, and this takes a tenth of the time of one that knows all of YAML. What is read is written
/// again and compared, so it is right or nothing.
std::optional<JsValue> read_written_yaml(std::string_view text);

}  // namespace eventgate
