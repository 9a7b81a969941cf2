#pragma once

#include <string>

#include "js_value.hpp"

namespace eventgate {

/// Returns the YAML file of a version. It has the same bytes as a dump of js-yaml 3.14 with jsonschema-tools' order of
/// keys, so versions that jsonschema-tools made do not change. No C++ library folds, quotes and indents so; therefore
/// the writer is here.
std::string written_yaml(const JsValue& value);

/// Returns the JSON file of a version, as json-stable-stringify writes it, with the same order of keys. It has no line
/// end at its end.
std::string written_json(const JsValue& value);

}  // namespace eventgate
