#include "message_key.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "eventgate/json/json_text.hpp"
#include "eventgate/json/stringify.hpp"

namespace eventgate {
namespace {

/// An object of the message_key: dotted key paths nest, as deep as the stream config's author wrote them.
struct KeyField {
  std::string key;
  std::optional<JsonValue> value;  // else an object of `fields`
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
  std::vector<std::size_t> places(fields.size());
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
  std::sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
    return javascript_member_rank(fields[a].key, a) < javascript_member_rank(fields[b].key, b);
  });
  out += '{';
  bool first = true;
  for (const std::size_t place : places) {
    const KeyField& field = fields[place];
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
    // The field named is the key's, as recorded of the original.
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
