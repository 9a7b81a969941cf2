#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace eventgate {

/// What a first `current` is made of.
struct NewSchema {
  std::string title;
  std::string fragment_uri;                          ///< What it is made on; empty: nothing.
  const nlohmann::ordered_json* fragment = nullptr;  ///< Its document: fields that it has are left to it.
  const nlohmann::ordered_json* example = nullptr;   ///< An event, an object; null: none.
};

/// The text of a `current.yaml` at 1.0.0, with a field of the fitting type for each of the example's. Without a
/// fragment it has what the gate needs of an event: `$schema` and `meta.stream`.
std::string new_current(const NewSchema& schema);

}  // namespace eventgate
