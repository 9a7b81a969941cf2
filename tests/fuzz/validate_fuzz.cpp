// An event under a schema: the input is a JSON event, or a schema, a line of `---`, and an event. Without a schema the
// event meets all of a list that has every keyword.

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/repository/metaschema_check.hpp"
#include "eventgate/schema/schema_compiler.hpp"
#include "schema_round.hpp"

namespace {

using namespace eventgate;

using Schema = std::shared_ptr<const CompiledSchema>;

constexpr std::string_view kSchemas[] = {
    R"({"type": "object", "required": ["$schema", "meta"], "additionalProperties": false, "properties": {
      "$schema": {"type": "string"},
      "meta": {"type": "object", "required": ["stream"], "properties": {
        "stream": {"type": "string", "minLength": 1}, "dt": {"type": "string", "format": "date-time", "maxLength": 128},
        "id": {"type": "string", "format": "uuid"}, "uri": {"type": "string", "format": "uri-reference", "maxLength": 8192}}},
      "test": {"type": "string", "default": "x"}, "n": {"type": "integer", "minimum": -9223372036854775808, "maximum": 1e21},
      "map": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 5}},
      "o": {"type": "object", "default": {}, "properties": {"a": {"default": [1]}, "b": {"default": null}}}}})",
    R"({"properties": {"a": {"$ref": "/other/1.0.0"}, "b": {"$ref": "/other/1.0.0#/definitions/x"}, "t": {"$ref": "#"}},
      "patternProperties": {"^[a-c]$": {"type": ["object", "string", "null", "array"]}, "é": false},
      "propertyNames": {"maxLength": 9, "pattern": "^\\S*$"}, "dependencies": {"a": ["b"], "c": {"required": ["a"]}},
      "maxProperties": 5, "minProperties": 1})",
    R"({"items": [{"type": "integer", "multipleOf": 3, "default": 6}, {"type": "number", "multipleOf": 0.01, "default": 1}],
      "additionalItems": {"enum": [1, "a", null, {"a": [1.0]}, 12345678901234567890123]}, "uniqueItems": true, "maxItems": 6,
      "contains": {"exclusiveMinimum": 0, "exclusiveMaximum": 100}})",
    R"({"allOf": [{"properties": {"a": {"type": "string", "default": "x"}}}], "anyOf": [{"required": ["b"]}, {"required": ["c"]}],
      "oneOf": [{"required": ["b"]}, {"required": ["d"]}], "not": {"required": ["z"]},
      "if": {"properties": {"b": {"const": 1}}}, "then": {"properties": {"e": {"default": 1}}}, "else": {"required": ["f"]}})",
    R"({"additionalProperties": {"anyOf": [{"format": "date-time"}, {"format": "date"}, {"format": "time"}, {"format": "uri"},
      {"format": "uri-template"}, {"format": "url"}, {"format": "email"}, {"format": "hostname"}, {"format": "ipv4"},
      {"format": "ipv6"}, {"format": "regex"}, {"format": "json-pointer"}, {"format": "json-pointer-uri-fragment"},
      {"format": "relative-json-pointer"}, {"pattern": "^(a|b)*$", "maxLength": 30}, {"minLength": 3}]}})",
    R"({"$schema": "http://json-schema.org/draft-04/schema#", "definitions": {"node": {"type": "object", "properties": {
      "next": {"$ref": "#/definitions/node"}, "all": {"type": "array", "items": {"$ref": "#/definitions/node"}},
      "v": {"minimum": 0, "exclusiveMinimum": true, "default": 1}}}}, "$ref": "#/definitions/node"})",
    R"({"items": {"anyOf": [{"type": "integer"}, {"minimum": 0, "exclusiveMaximum": 9007199254740992}, {"multipleOf": 0.1},
      {"enum": [0, 1, 0.1, 9007199254740991, 1e300]}, {"type": "string", "pattern": "^.*$"}]}, "uniqueItems": true})",
};

Schema compiled(std::string_view text) {
  const auto document = parse_object_text(text);
  if (!document || check_schema(*document, true)) return nullptr;
  const auto schema = compile_schema("/main/1.0.0", *document, fuzz::refs());
  return schema ? *schema : nullptr;
}

const std::vector<Schema>& own_schemas() {
  static const auto schemas = [] {
    std::vector<Schema> made;
    for (const std::string_view text : kSchemas) {
      made.push_back(compiled(text));
      require(made.back() != nullptr, "an own schema compiles");
    }
    return made;
  }();
  return schemas;
}

/// Holds what the keywords say of one number to each other.
void check_number(const std::string& number) {
  static const Schema integer = compiled(R"({"type": "integer"})");
  static const Schema whole = compiled(R"({"multipleOf": 1})");
  static const Schema unique = compiled(R"({"uniqueItems": true})");
  static const Schema positive = compiled(R"({"exclusiveMinimum": 0})");
  static const Schema not_negative = compiled(R"({"minimum": 0})");
  static const Schema zero = compiled(R"({"const": 0})");
  const auto accepts = [](const Schema& schema, const std::string& text) {
    Validation validation;
    const fuzz::Event event(text);
    return schema->validate(event.nodes.root(), validation);
  };
  require(accepts(integer, number) == accepts(whole, number), "an integer is a multiple of 1, and nothing else is");
  require(!accepts(unique, "[" + number + ", " + number + "]"), "a number is itself");
  require(!accepts(unique, "[1e5, 2e5, 3e5, 4e5, 5e5, 6e5, 7e5, 8e5, " + number + ", " + number + "]"), "also of many");
  const bool is_zero = accepts(zero, number);
  require(accepts(not_negative, number) == (accepts(positive, number) || is_zero), "an order of numbers is total");
  require(is_zero == !accepts(unique, "[0, " + number + "]"), "equal is equal");
}

/// Checks the numbers of a text that is JSON: a bounded number of them, of bounded length.
void check_numbers(std::string_view text) {
  const fuzz::Event event(text);
  if (!event.is_json || !event.nodes.interop_issues.empty()) return;
  int left = 16;
  for (std::uint32_t i = 0; i < event.nodes.nodes.size() && left > 0; ++i) {
    const JsonValue value(event.nodes.text.data(), event.nodes.nodes.data(), i);
    if (!value.is_number() || value.source().size() > 1000) continue;
    check_number(std::string(value.source()));
    --left;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static constexpr std::string_view kBetween = "\n---\n";
  if (const std::size_t at = text.find(kBetween); at != std::string_view::npos) {
    if (const Schema schema = compiled(text.substr(0, at)))
      fuzz::check_round(*schema, text.substr(at + kBetween.size()));
    return 0;
  }
  check_numbers(text);
  for (const Schema& schema : own_schemas()) fuzz::check_round(*schema, text);
  return 0;
}
