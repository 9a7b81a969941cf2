#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {

struct AuthoredDocument {
  /// The object at the first of these ways is the one at the second.
  struct Alias {
    ValuePath alias;
    ValuePath anchor;
  };

  /// Dates and long integers are binary values: js_yaml_scalar.hpp.
  nlohmann::ordered_json object;
  std::vector<Alias> aliases;  ///< In the order of the text.
};

/// The reader of files and hosts that reads YAML by YamlRules::js_yaml, with the limits that are the default.
std::unique_ptr<ObjectReader> make_author_reader();

}  // namespace eventgate
