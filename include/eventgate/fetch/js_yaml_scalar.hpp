#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace eventgate {

/// What js-yaml 3 reads a plain scalar as, by its default schema: that of YAML 1.1, more or less.
enum class JsYamlScalar : std::uint8_t { null, boolean, integer, real, timestamp, merge, text };
JsYamlScalar js_yaml_scalar(std::string_view text);

/// Values that JSON has not, as `js_yaml_value` gives them: a binary value of this subtype, whose bytes are the text.
enum class JsYamlSubtype : std::uint8_t {
  date = 1,     ///< A Date, as its toISOString.
  integer = 2,  ///< An integer of decimal digits beyond 64 bits.
};

/// The value of a plain scalar. `<<` is a text.
nlohmann::ordered_json js_yaml_value(const std::string& text);

/// The key that a plain scalar is: js-yaml makes a text of each value.
std::string js_yaml_key(const std::string& text);

}  // namespace eventgate
