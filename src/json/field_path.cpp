#include "eventgate/json/field_path.hpp"

namespace eventgate {

FieldPath::FieldPath(std::string_view dotted) : dotted_(dotted) {
  if (dotted.empty()) return;
  for (;;) {
    const std::size_t dot = dotted.find('.');
    keys_.emplace_back(dotted.substr(0, dot));
    if (dot == std::string_view::npos) return;
    dotted.remove_prefix(dot + 1);
  }
}

std::optional<JsonValue> FieldPath::find(JsonValue event) const {
  std::optional<JsonValue> value = event;
  for (const std::string& key : keys_) {
    if (!value->is_object()) return std::nullopt;
    value = value->find(key);
    if (!value) return std::nullopt;
  }
  return value;
}

}  // namespace eventgate
