#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "eventgate/json/field_path.hpp"
#include "eventgate/json/json_nodes.hpp"

namespace eventgate {

/// The conditions of `match.PATH` and `not.PATH`. Values of one path are alternatives; all paths must hold. A string
/// compares by its content; a number, a boolean and null by their JSON text. An absent field matches no `match` and
/// every `not`.
///
/// Immutable.
class EventFilter {
 public:
  /// Values of all conditions of a request.
  static constexpr std::size_t kMaxConditions = 16;

  struct Condition {
    FieldPath path;
    std::vector<std::string> values;
    bool negated = false;  ///< A `not`.
  };

  EventFilter() = default;
  explicit EventFilter(std::vector<Condition> conditions);

  bool empty() const { return conditions_.empty(); }
  bool matches(JsonValue event) const;

  /// Filters that decide alike in any order of their conditions have the same key.
  const std::string& key() const { return key_; }

 private:
  std::vector<Condition> conditions_;
  std::string key_;
};

}  // namespace eventgate
