#pragma once

#include <string>

#include "js_value.hpp"

namespace eventgate {

/// `value` as a version's YAML file: the very bytes of js-yaml 3.14's dump with jsonschema-tools' order of keys. That
/// layout is why it is written here: versions that jsonschema-tools made must come out unchanged, and no C++ library
/// folds, quotes and indents so.
std::string written_yaml(const JsValue& value);

/// `value` as a version's JSON file: as json-stable-stringify writes it, with the same order of keys; no line end at
/// the end.
std::string written_json(const JsValue& value);

}  // namespace eventgate
