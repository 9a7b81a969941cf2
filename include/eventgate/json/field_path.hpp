#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/json/json_nodes.hpp"

namespace eventgate {

/// The path of a field in an event, such as `meta.stream` or `http.request_headers.user-agent`.
///
/// Immutable.
class FieldPath {
 public:
  FieldPath() = default;
  /// Dots separate the keys. An empty text is the empty path, which leads to the event itself.
  explicit FieldPath(std::string_view dotted);

  const std::string& dotted() const { return dotted_; }
  const std::vector<std::string>& keys() const { return keys_; }
  bool empty() const { return keys_.empty(); }

  /// Returns the value at this path in `event`, which may be null. Returns nullopt if a key is absent or a parent is
  /// not an object. The last member counts if a key occurs twice.
  std::optional<JsonValue> find(JsonValue event) const;

 private:
  std::string dotted_;
  std::vector<std::string> keys_;
};

}  // namespace eventgate
