#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>

#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {

/// Reads `text` (valid UTF-8 without NUL) as one YAML 1.2 document. Anchors and merge keys (`<<`) are resolved as
/// js-yaml does. Errors: duplicate keys, keys that are not scalars, unknown tags, more than `max_depth` levels, and
/// aliases that copy too much.
boost::system::result<nlohmann::ordered_json, ReadError> parse_yaml_document(std::string_view text,
                                                                             std::size_t max_depth);

}  // namespace eventgate
