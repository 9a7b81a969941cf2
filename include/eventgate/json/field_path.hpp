#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/json/json_nodes.hpp"

namespace eventgate {

/// A field of an event, such as `meta.stream` or `http.request_headers.user-agent`.
///
/// Immutable.
class FieldPath {
 public:
  FieldPath() = default;
  /// Dots separate the keys. An empty text is the empty path.
  explicit FieldPath(std::string_view dotted);

  const std::string& dotted() const { return dotted_; }
  const std::vector<std::string>& keys() const { return keys_; }
  bool empty() const { return keys_.empty(); }

  /// The value in `event`. Nothing if a key is absent or a parent is no object. A null is a value. Of a key that occurs
  /// twice the last counts. The empty path leads to the event itself.
  std::optional<JsonValue> find(JsonValue event) const;

 private:
  std::string dotted_;
  std::vector<std::string> keys_;
};

}  // namespace eventgate
