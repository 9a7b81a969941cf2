#include "eventgate/repository/new_schema.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "eventgate/fetch/js_yaml_scalar.hpp"
#include "js_value.hpp"
#include "yaml_writer.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

JsValue object_of(std::initializer_list<std::pair<const char*, JsValue>> members) {
  auto object = js_object();
  for (const auto& [key, value] : members) object->set(key, value);
  return object;
}

bool is_date_time(std::string_view text) {
  return text.size() >= 20 && (text[10] == 'T' || text[10] == 't') && js_yaml_scalar(text) == JsYamlScalar::timestamp;
}

JsValue schema_of(const Json& value);

JsValue properties_of(const Json& object, const Json* known) {
  auto properties = js_object();
  for (const auto& [key, value] : object.items())
    if (!known || !known->is_object() || !known->contains(key)) properties->set(key, schema_of(value));
  return properties;
}

JsValue schema_of(const Json& value) {
  if (value.is_object()) {
    if (value.empty())
      return object_of({{"type", "object"}, {"additionalProperties", object_of({{"type", "string"}})}});
    return object_of({{"type", "object"}, {"properties", properties_of(value, nullptr)}});
  }
  if (value.is_array())
    return object_of(
        {{"type", "array"}, {"items", value.empty() ? object_of({{"type", "string"}}) : schema_of(value[0])}});
  if (value.is_boolean()) return object_of({{"type", "boolean"}});
  if (value.is_number_integer()) return object_of({{"type", "integer"}});
  if (value.is_number()) return object_of({{"type", "number"}});
  if (value.is_string() && is_date_time(value.get_ref<const std::string&>()))
    return object_of({{"type", "string"}, {"format", "date-time"}, {"maxLength", std::int64_t{128}}});
  return object_of({{"type", "string"}});  // null has no type of its own
}

const Json* fields_of(const Json* fragment) {
  if (!fragment || !fragment->is_object()) return nullptr;
  const auto found = fragment->find("properties");
  return found != fragment->end() && found->is_object() ? &*found : nullptr;
}

}  // namespace

std::string new_current(const NewSchema& schema) {
  auto current = js_object();
  current->set("title", schema.title);
  current->set("description", "What an event of " + schema.title + " says.");
  current->set("$id", '/' + schema.title + "/1.0.0");
  current->set("$schema", "https://json-schema.org/draft-07/schema#");
  current->set("type", "object");

  JsValue properties = schema.example ? properties_of(*schema.example, fields_of(schema.fragment)) : js_object();
  if (schema.fragment_uri.empty()) {
    properties.object().set("$schema", object_of({{"type", "string"}}));
    if (!properties.object().has("meta"))
      properties.object().set("meta", object_of({{"type", "object"}, {"properties", JsValue(js_object())}}));
    JsValue* const meta = properties.object().find("meta");
    if (JsValue* const inner = meta->object().find("properties"); inner && inner->is_object())
      inner->object().set("stream", object_of({{"type", "string"}}));
    meta->object().set("required", JsList{"stream"});
    current->set("required", JsList{"$schema", "meta"});
    current->set("properties", properties);
  } else {
    const JsValue own = object_of({{"properties", properties}});
    current->set("allOf", JsList{object_of({{"$ref", schema.fragment_uri + "#"}}), own});
  }

  if (schema.example || schema.fragment_uri.empty()) {
    JsValue example = schema.example ? js_value(*schema.example) : JsValue(js_object());
    // The `$id` of each version.
    example.object().set("$schema", object_of({{"$ref", "#/$id"}}));
    if (!schema.example) {
      std::string stream = schema.title;
      std::replace(stream.begin(), stream.end(), '/', '.');
      example.object().set("meta", object_of({{"stream", stream}}));
    }
    current->set("examples", JsList{example});
  }
  return written_yaml(current);
}

}  // namespace eventgate
