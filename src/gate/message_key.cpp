#include "message_key.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "eventgate/json/json_text.hpp"
#include "eventgate/json/stringify.hpp"

namespace eventgate {
namespace {

/// A member of the key. Dotted key paths nest members, as deep as the stream config has them.
struct KeyField {
  std::string key;
  std::optional<JsonValue> value;  ///< Nullopt: the member is an object of `fields`.
  std::vector<KeyField> fields;
};

void set_key_field(std::vector<KeyField>& fields, const FieldPath& path, JsonValue value) {
  std::vector<KeyField>* level = &fields;
  KeyField* field = nullptr;
  for (const std::string& key : path.keys()) {
    if (field) {
      field->value.reset();
      level = &field->fields;
    }
    const auto found = std::find_if(level->begin(), level->end(), [&](const KeyField& f) { return f.key == key; });
    field = found != level->end() ? &*found : &level->emplace_back(KeyField{key, std::nullopt, {}});
  }
  if (!field) return;
  field->value = value;
  field->fields.clear();
}

void append_key_fields(std::string& out, const std::vector<KeyField>& fields) {
  std::vector<std::size_t> order(fields.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return javascript_member_rank(fields[a].key, a) < javascript_member_rank(fields[b].key, b);
  });
  out += '{';
  bool first = true;
  for (const std::size_t index : order) {
    const KeyField& field = fields[index];
    if (!first) out += ',';
    first = false;
    append_json_string(out, field.key);
    out += ':';
    if (field.value) {
      append_as_javascript(out, *field.value);
    } else {
      append_key_fields(out, field.fields);
    }
  }
  out += '}';
}

}  // namespace

boost::system::result<std::optional<std::string>, std::string> message_key(const StreamConfig& config,
                                                                           JsonValue event) {
  if (config.message_key_fields.empty()) return {boost::system::in_place_value, std::nullopt};
  std::vector<KeyField> fields;
  for (const auto& [key_path, event_path] : config.message_key_fields) {
    const auto value = event_path.find(event);
    // The original names the field of the key, not that of the event.
    if (!value)
      return {boost::system::in_place_error,
              "Failed extracting " + key_path.dotted() + " from event, field is not defined."};
    set_key_field(fields, key_path, *value);
  }
  std::string key;
  append_key_fields(key, fields);
  return {boost::system::in_place_value, std::move(key)};
}

}  // namespace eventgate
