#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace eventgate {

/// The input of a first `current.yaml`.
struct NewSchema {
  std::string title;
  std::string fragment_uri;  ///< The fragment that it refers to. Empty: none.
  const nlohmann::ordered_json* fragment =
      nullptr;  ///< The document of the fragment. Its fields are not declared again.
  const nlohmann::ordered_json* example = nullptr;  ///< An event, which is an object. Null: none.
};

/// Returns the text of a `current.yaml` of version 1.0.0. It declares a field for each field of the example, with the
/// type of its value. Without a fragment it declares `$schema` and `meta.stream`, which the gate needs.
std::string new_current(const NewSchema& schema);

}  // namespace eventgate
