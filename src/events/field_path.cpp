#include "eventgate/events/field_path.hpp"

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
  const JsonNode* const nodes = event.nodes();
  std::uint32_t value = event.index();
  for (const std::string& key : keys_) {
    if (nodes[value].type != JsonType::object) return std::nullopt;
    // As JsonValue::find, for keys of which most differ in size already.
    const std::size_t quoted = key.size() + 2;
    const std::uint32_t end = nodes[value].next;
    std::uint32_t found = 0;
    for (std::uint32_t at = value + 1; at < end; at = nodes[at + 1].next) {
      if (nodes[at].end - nodes[at].begin != quoted && (nodes[at].flags & JsonNode::kEscaped) == 0) continue;
      if (JsonValue(event.base(), nodes, at).string_equals(key)) found = at + 1;
    }
    if (found == 0) return std::nullopt;
    value = found;
  }
  return JsonValue(event.base(), nodes, value);
}

}  // namespace eventgate
