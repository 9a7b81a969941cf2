#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {

/// Returns what reading `uri` gives: the object as text, or the kind of the error and its message.
inline std::string read(const std::string& uri, UriReaderOptions options = {}) {
  const auto object = make_uri_reader(std::move(options))->read(uri);
  if (object) return object->dump();
  switch (object.error().kind) {
    case ReadError::Kind::not_found:
      return "not_found: " + object.error().message;
    case ReadError::Kind::unavailable:
      return "unavailable: " + object.error().message;
    case ReadError::Kind::invalid:
      return "invalid: " + object.error().message;
  }
  return "";
}

}  // namespace eventgate
