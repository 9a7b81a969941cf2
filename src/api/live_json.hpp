#pragma once

#include <string>
#include <string_view>

#include "eventgate/json/json_text.hpp"

namespace eventgate {

/// Appends `,"KEY":` and the name of a stream or a schema, or null if it is empty: the JSON of the live routes.
inline void append_live_name(std::string& out, std::string_view key, std::string_view name) {
  out.append(",\"").append(key).append("\":");
  if (name.empty()) {
    out += "null";
  } else {
    append_json_string(out, name);
  }
}

}  // namespace eventgate
