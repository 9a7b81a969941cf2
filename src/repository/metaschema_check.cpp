#define VALIJSON_USE_EXCEPTIONS 1

#include "eventgate/repository/metaschema_check.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#include <vector>

#include "eventgate/base/is_one_of.hpp"
#include "eventgate/base/json_pointer.hpp"
#include "eventgate/base/quote.hpp"
#include "eventgate/schema/metaschemas.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::json;
using nlohmann::ordered_json;
using Adapter = valijson::adapters::NlohmannJsonAdapter;

/// Limit of the levels of a document, because valijson and the functions below recurse. Documents of a repository have
/// fewer.
constexpr std::size_t kMaxDepth = 256;
/// Returns `value` as valijson needs it: an integer as int64, the nearest one if it does not fit. Metaschemas constrain
/// the type and the sign of a number, so that is exact enough.
Json number_for_valijson(double value) {
  if (!std::isfinite(value) || value != std::floor(value)) return value;
  constexpr double kLimit = 9223372036854774784.0;  // The largest double below 2^63.
  return static_cast<std::int64_t>(std::clamp(value, -kLimit, kLimit));
}

/// Returns the document as valijson's adapter needs it. Throws std::length_error if it is too deep.
Json to_valijson(const ordered_json& value, std::size_t depth = 0) {
  if (depth > kMaxDepth) throw std::length_error("depth");
  switch (value.type()) {
    case ordered_json::value_t::object: {
      Json result = Json::object();
      for (const auto& [key, member] : value.items()) result.emplace(key, to_valijson(member, depth + 1));
      return result;
    }
    case ordered_json::value_t::array: {
      Json result = Json::array();
      for (const ordered_json& item : value) result.push_back(to_valijson(item, depth + 1));
      return result;
    }
    case ordered_json::value_t::string:
      return value.get_ref<const std::string&>();
    case ordered_json::value_t::boolean:
      return value.get<bool>();
    case ordered_json::value_t::number_integer:
      return value.get<std::int64_t>();
    case ordered_json::value_t::number_unsigned:
      return static_cast<std::int64_t>(
          std::min<std::uint64_t>(value.get<std::uint64_t>(), std::numeric_limits<std::int64_t>::max()));
    case ordered_json::value_t::number_float:
      return number_for_valijson(value.get<double>());
    case ordered_json::value_t::null:
    case ordered_json::value_t::binary:
    case ordered_json::value_t::discarded:
      break;
  }
  return nullptr;
}

/// Removes from a metaschema what valijson must not run. Its `format` uses std::regex, which may overflow the stack;
/// the compiler checks patterns and references. Its `uniqueItems` takes quadratic time; `find_duplicate` replaces it.
void remove_unsafe_keywords(Json& node) {
  if (node.is_object()) {
    if (node.contains("format") && node["format"].is_string()) node.erase("format");
    if (node.contains("uniqueItems") && node["uniqueItems"].is_boolean()) node.erase("uniqueItems");
  }
  if (node.is_structured()) {
    for (Json& child : node) remove_unsafe_keywords(child);
  }
}

class Checker {
 public:
  explicit Checker(Metaschema metaschema) {
    Json document = to_valijson(metaschema_document(metaschema));
    remove_unsafe_keywords(document);
    // With an id, valijson would fetch what `#` refers to.
    for (const char* name : {"$schema", "$id", "id"}) document.erase(name);
    valijson::SchemaParser parser(metaschema == Metaschema::draft_04 ? valijson::SchemaParser::kDraft4
                                                                     : valijson::SchemaParser::kDraft7);
    parser.populateSchema(Adapter(document), schema_);
  }

  bool valid(const Json& document, valijson::ValidationResults* results = nullptr) const {
    valijson::Validator validator;
    return validator.validate(schema_, Adapter(document), results);
  }

 private:
  valijson::Schema schema_;
};

/// Returns the checker of a metaschema. All are compiled once, at the first call.
const Checker& checker(Metaschema metaschema) {
  static const std::array<Checker, 4> checkers = {Checker(Metaschema::draft_04), Checker(Metaschema::draft_06),
                                                  Checker(Metaschema::draft_07), Checker(Metaschema::secure)};
  return checkers[static_cast<std::size_t>(metaschema)];
}

/// A schema within a schema.
struct Child {
  std::string pointer;  ///< JSON pointer from the outer schema to this one.
  Json* schema;
};

/// Returns the schemas directly below `schema` that are objects.
std::vector<Child> children(Json& schema) {
  std::vector<Child> found;
  const auto add = [&](std::string pointer, Json& value) {
    if (value.is_object()) found.push_back({std::move(pointer), &value});
  };
  for (const auto& [keyword, value] : schema.items()) {
    const std::string pointer = "/" + escape_pointer_token(keyword);
    if (is_one_of(keyword, {"additionalItems", "additionalProperties", "contains", "else", "if", "items", "not",
                            "propertyNames", "then"})) {
      add(pointer, value);
    }
    if (value.is_array() && is_one_of(keyword, {"allOf", "anyOf", "items", "oneOf"})) {
      for (std::size_t i = 0; i < value.size(); ++i) add(pointer + "/" + std::to_string(i), value[i]);
    }
    if (value.is_object() && is_one_of(keyword, {"definitions", "dependencies", "patternProperties", "properties"})) {
      for (const auto& [name, child] : value.items()) add(pointer + "/" + escape_pointer_token(name), child);
    }
  }
  return found;
}

bool has_duplicate(const Json& array) {
  std::vector<const Json*> items;
  for (const Json& item : array) items.push_back(&item);
  const auto less = [](const Json* a, const Json* b) { return *a < *b; };
  std::sort(items.begin(), items.end(), less);
  return std::adjacent_find(items.begin(), items.end(), [](const Json* a, const Json* b) { return *a == *b; }) !=
         items.end();
}

/// Checks the `uniqueItems` of the drafts' metaschemas. Returns the place of an array that has an item twice, or
/// nullopt.
std::optional<std::string> find_duplicate(Json& schema, const std::string& pointer) {
  for (const auto& [keyword, value] : schema.items()) {
    const std::string at = pointer + "/" + escape_pointer_token(keyword);
    if (is_one_of(keyword, {"enum", "required", "type"}) && value.is_array() && has_duplicate(value)) return at;
    if (keyword != "dependencies" || !value.is_object()) continue;
    for (const auto& [name, names] : value.items()) {
      if (names.is_array() && has_duplicate(names)) return at + "/" + escape_pointer_token(name);
    }
  }
  for (const Child& child : children(schema)) {
    if (auto found = find_duplicate(*child.schema, pointer + child.pointer)) return found;
  }
  return std::nullopt;
}

/// Returns what the metaschemas expect as the value of `keyword`.
std::string expected_value(std::string_view keyword, Metaschema draft) {
  if (is_one_of(keyword, {"maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"})) {
    return "a non-negative integer";
  }
  if (is_one_of(keyword, {"allOf", "anyOf", "oneOf"})) return "a non-empty array of schemas";
  if (is_one_of(keyword, {"definitions", "patternProperties", "properties"})) return "an object of schemas";
  if (is_one_of(keyword, {"additionalItems", "additionalProperties", "contains", "else", "if", "not", "propertyNames",
                          "then"})) {
    return "a schema";
  }
  if (is_one_of(keyword, {"exclusiveMaximum", "exclusiveMinimum"}) && draft == Metaschema::draft_04) return "a boolean";
  if (is_one_of(keyword, {"exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum"})) return "a number";
  if (is_one_of(keyword, {"readOnly", "uniqueItems"})) return "a boolean";
  if (keyword == "dependencies") return "an object of schemas and arrays of strings";
  if (keyword == "enum") return "a non-empty array of different values";
  if (keyword == "examples") return "an array";
  if (keyword == "items") return "a schema or a non-empty array of schemas";
  if (keyword == "multipleOf") return "a number greater than 0";
  if (keyword == "required") return "an array of different strings";
  if (keyword == "type") {
    return "array, boolean, integer, null, number, object or string, or a non-empty array of different ones";
  }
  return "a string";
}

/// Returns the error of a schema whose children are all valid: the rest of its JSON pointer, and what was expected.
std::string local_error(const Json& schema, Metaschema metaschema) {
  valijson::ValidationResults results;
  checker(metaschema).valid(schema, &results);
  for (const auto& error : results) {
    if (metaschema == Metaschema::secure) {
      if (!error.description.starts_with("Missing required property")) continue;
      const bool has_names = error.context.size() > 1 && error.context[1] == "[propertyNames]";
      const std::string_view missing = error.description;
      const auto pattern_names = missing.find("'propertyNames'") != std::string_view::npos;
      std::string needs;
      if (has_names || pattern_names) {
        needs = "expected propertyNames with a maxLength beside patternProperties";
      } else if (missing.find("'maxItems'") != std::string_view::npos) {
        needs = "expected maxItems beside uniqueItems of objects or arrays";
      } else {
        needs = std::string("expected maxLength beside ") + (schema.contains("pattern") ? "pattern" : "format");
      }
      return ": " + needs + " (json-schema-secure; allow_insecure_schemas lifts it)";
    }
    // The innermost error comes first; its context is [<root>][keyword][...].
    if (error.context.size() < 2) continue;
    std::string pointer;
    const auto name_of = [](std::string_view step) { return step.substr(1, step.size() - 2); };
    for (std::size_t i = 1; i < error.context.size(); ++i)
      pointer += "/" + escape_pointer_token(name_of(error.context[i]));
    return pointer + ": expected " + expected_value(name_of(error.context[1]), metaschema);
  }
  for (const char* bound : {"Maximum", "Minimum"}) {
    std::string limit = bound;
    limit[0] = 'm';
    if (metaschema == Metaschema::draft_04 && schema.contains(std::string("exclusive") + bound) &&
        !schema.contains(limit)) {
      return ": expected " + limit + " beside exclusive" + bound;
    }
  }
  return ": expected a schema that is valid under its metaschema";
}

/// Returns the place of the error in an invalid schema, and what was expected there. valijson reports an error again at
/// every level above it. Therefore this finds the innermost invalid schema and validates that one alone.
std::string explain_error(Json document, Metaschema metaschema) {
  std::string pointer = "#";
  Json* schema = &document;
  for (bool deeper = true; deeper;) {
    deeper = false;
    for (const Child& child : children(*schema)) {
      if (checker(metaschema).valid(*child.schema)) continue;
      pointer += child.pointer;
      schema = child.schema;
      deeper = true;
      break;
    }
  }
  for (const Child& child : children(*schema)) {
    const bool counts = metaschema == Metaschema::secure && child.pointer == "/propertyNames";
    const bool item = metaschema == Metaschema::secure && child.pointer == "/items";
    if (!counts && !item) *child.schema = Json::object();
  }
  return pointer + local_error(*schema, metaschema);
}

}  // namespace

std::optional<std::string> check_schema(const ordered_json& document, bool allow_insecure) {
  Metaschema draft = Metaschema::draft_07;
  if (!document.is_object()) return "at #: expected an object";
  if (const auto named = document.find("$schema"); named != document.end()) {
    if (!named->is_string() || !find_draft(named->get_ref<const std::string&>(), draft)) {
      return "at #/$schema: expected http://json-schema.org/draft-04/schema#, .../draft-06/schema# or "
             ".../draft-07/schema#, found " +
             (named->is_string() ? quote(named->get_ref<const std::string&>()) : "no string");
    }
  }
  try {
    Json schema = to_valijson(document);
    if (!checker(draft).valid(schema)) return "at " + explain_error(std::move(schema), draft);
    if (const auto twice = find_duplicate(schema, "#")) return "at " + *twice + ": expected each item once";
    if (!allow_insecure && !checker(Metaschema::secure).valid(schema)) {
      return "at " + explain_error(std::move(schema), Metaschema::secure);
    }
  } catch (const std::length_error&) {
    return "expected at most " + std::to_string(kMaxDepth) + " levels of objects and arrays";
  }
  return std::nullopt;
}

}  // namespace eventgate
