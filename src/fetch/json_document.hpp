#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {

/// The result of reading a JSON text.
struct JsonDocument {
  nlohmann::ordered_json value;  ///< Meaningless if there is an error.
  std::string error;             ///< Empty if the text was read.
  bool is_syntax_error = false;  ///< The text is not JSON. Otherwise the error is a duplicate key or the depth.
};

/// Reads `text` (valid UTF-8) as JSON. The members keep their order. Duplicate keys are an error, and so are more than
/// `max_depth` levels of objects and arrays. With `YamlRules::js_yaml` a number that is no 64-bit integer is what
/// `js_yaml_value` returns. Not recursive.
JsonDocument parse_json_document(std::string_view text, std::size_t max_depth, YamlRules rules = YamlRules::core);

}  // namespace eventgate
