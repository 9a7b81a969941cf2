#include "example_event.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include "eventgate/json/json_nodes.hpp"
#include "eventgate/schema/compiled_schema.hpp"
#include "eventgate/schema/schema_compiler.hpp"
#include "eventgate/schema/schema_keywords.hpp"
#include "eventgate/schema/validation_error.hpp"

namespace eventgate {
namespace {

/// Limits of the levels of an example, and of the characters and items that a schema may require.
constexpr std::size_t kMaxDepth = 32;
constexpr double kMaxSize = 1000;

const JsValue* keyword(const JsValue& schema, std::string_view key) {
  return schema.is_object() ? schema.object().find(key) : nullptr;
}

double number_or(const JsValue& schema, std::string_view key, double otherwise) {
  const JsValue* const value = keyword(schema, key);
  return value && value->is_number() ? value->number() : otherwise;
}

std::string type_of(const JsValue& schema) {
  const JsValue* type = keyword(schema, "type");
  if (type && type->is_list()) {
    for (const JsValue& one : type->list())
      if (one.is_text() && one.text() != "null") return one.text();
    type = type->list().empty() ? nullptr : type->list().data();
  }
  if (type && type->is_text()) return type->text();
  if (keyword(schema, "properties")) return "object";
  return keyword(schema, "items") ? "array" : "";
}

JsValue text_of(const JsValue& schema) {
  std::string text = "example";
  if (const JsValue* const format = keyword(schema, "format"); format && format->is_text()) {
    const std::string& name = format->text();
    if (name == "date-time") return "2021-01-01T00:00:00.0Z";
    if (name == "date") return "2021-01-01";
    if (name == "time") return "00:00:00Z";
    if (is_one_of(name, {"uri", "url", "uri-reference", "uri-template", "iri", "iri-reference"}))
      return "http://example.org";
    if (name == "email") return "user@example.org";
    if (is_one_of(name, {"hostname", "idn-hostname"})) return "example.org";
    if (name == "ipv4") return "192.0.2.1";
    if (name == "ipv6") return "2001:db8::1";
    if (name == "uuid") return "00000000-0000-4000-8000-000000000000";
  }
  const double least = std::min(number_or(schema, "minLength", 0), kMaxSize);
  while (static_cast<double>(text.size()) < least) text += 'e';
  const double most = number_or(schema, "maxLength", static_cast<double>(text.size()));
  if (most < static_cast<double>(text.size())) text.resize(static_cast<std::size_t>(std::max(most, 0.0)));
  return text;
}

JsValue number_of(const JsValue& schema) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double step = std::max(number_or(schema, "multipleOf", 1), 0.0);
  double value = 0;
  const double least = number_or(schema, "minimum", -kInfinity);
  const double above = number_or(schema, "exclusiveMinimum", -kInfinity);
  const double most = number_or(schema, "maximum", kInfinity);
  const double below = number_or(schema, "exclusiveMaximum", kInfinity);
  if (value < least) value = step > 0 ? std::ceil(least / step) * step : least;
  if (value <= above) value = step > 0 ? (std::floor(above / step) + 1) * step : above + 1;
  if (value > most) value = step > 0 ? std::floor(most / step) * step : most;
  if (value >= below) value = step > 0 ? (std::ceil(below / step) - 1) * step : below - 1;
  return value == 0 ? JsValue(std::int64_t{0}) : JsValue(value);
}

JsValue value_of(const JsValue& schema, std::size_t depth);

void add_fields(JsObject& event, const JsValue& schema, std::size_t depth) {
  if (const JsValue* const properties = keyword(schema, "properties"); properties && properties->is_object())
    for (const auto& [name, property] : properties->object().members())
      if (!property.is(false) && !event.has(name)) event.set(name, value_of(property, depth + 1));
  for (const char* const choice : {"oneOf", "anyOf"})
    if (const JsValue* const branches = keyword(schema, choice);
        branches && branches->is_list() && !branches->list().empty())
      add_fields(event, branches->list().front(), depth + 1);
}

JsValue value_of(const JsValue& schema, std::size_t depth) {
  if (depth > kMaxDepth || !schema.is_object()) return nullptr;
  if (const JsValue* const value = keyword(schema, "const")) return *value;
  if (const JsValue* const values = keyword(schema, "enum"); values && values->is_list() && !values->list().empty())
    return values->list().front();
  if (const JsValue* const value = keyword(schema, "default")) return *value;
  const std::string type = type_of(schema);
  if (type == "object") {
    auto event = js_object();
    add_fields(*event, schema, depth);
    return event;
  }
  if (type == "array") {
    JsList list;
    const JsValue* const items = keyword(schema, "items");
    if (items && items->is_list()) {
      for (const JsValue& item : items->list()) list.push_back(value_of(item, depth + 1));
    } else if (number_or(schema, "maxItems", 1) >= 1 && items) {
      const double size = std::max(1.0, std::min(number_or(schema, "minItems", 1), kMaxSize));
      list.assign(static_cast<std::size_t>(size), value_of(*items, depth + 1));
    }
    return list;
  }
  if (type == "string") return text_of(schema);
  if (type == "integer" || type == "number") return number_of(schema);
  if (type == "boolean") return true;
  for (const char* const choice : {"oneOf", "anyOf"})
    if (const JsValue* const branches = keyword(schema, choice);
        branches && branches->is_list() && !branches->list().empty())
      return value_of(branches->list().front(), depth + 1);
  return nullptr;
}

}  // namespace

bool are_valid_examples(const JsValue& examples, const JsValue& schema) {
  if (!examples.is_list()) return false;
  nlohmann::ordered_json document = plain_json(schema);
  document.erase("examples");
  const RefReader none = [](const std::string&) -> boost::system::result<const nlohmann::ordered_json*, std::string> {
    return std::string("it is not here");
  };
  const auto compiled = compile_schema("/example/1.0.0", document, none);
  if (!compiled) return false;
  return std::all_of(examples.list().begin(), examples.list().end(), [&](const JsValue& example) {
    std::string text = plain_json(example).dump();
    text.reserve(text.size() + kJsonPadding);
    JsonNodes nodes;
    Validation validation;
    return !parse_json(text, nodes) && (*compiled)->validate(nodes.root(), validation);
  });
}

std::optional<JsValue> example_event(const JsValue& schema, const std::string& id) {
  JsValue event = JsClones().of(value_of(schema, 0));
  if (event.is_object() && event.object().has("$schema")) event.object().set("$schema", id);
  if (!are_valid_examples(JsList{event}, schema)) return std::nullopt;
  return event;
}

}  // namespace eventgate
