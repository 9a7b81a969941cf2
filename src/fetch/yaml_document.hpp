#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "eventgate/fetch/authored_document.hpp"
#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {

/// Reads `text` (valid UTF-8 without NUL) as one YAML 1.2 document. Anchors and merge keys (`<<`) are resolved as
/// js-yaml does. Plain scalars are read by `rules`. Errors: duplicate keys, keys that are not scalars, unknown tags,
/// more than `max_depth` levels, and aliases that copy too much.
boost::system::result<AuthoredDocument, ReadError> parse_yaml_document(std::string_view text, std::size_t max_depth,
                                                                       YamlRules rules);

}  // namespace eventgate
