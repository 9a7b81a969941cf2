#include "schema_rules.hpp"

#include <functional>
#include <set>

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

/// The keywords that AJV 6 compiles into code.
const std::set<std::string, std::less<>> kRules = {"type",
                                                   "$comment",
                                                   "maximum",
                                                   "exclusiveMaximum",
                                                   "minimum",
                                                   "exclusiveMinimum",
                                                   "multipleOf",
                                                   "format",
                                                   "maxLength",
                                                   "minLength",
                                                   "pattern",
                                                   "maxItems",
                                                   "minItems",
                                                   "items",
                                                   "contains",
                                                   "uniqueItems",
                                                   "maxProperties",
                                                   "minProperties",
                                                   "required",
                                                   "dependencies",
                                                   "propertyNames",
                                                   "properties",
                                                   "additionalProperties",
                                                   "patternProperties",
                                                   "$ref",
                                                   "const",
                                                   "enum",
                                                   "not",
                                                   "anyOf",
                                                   "oneOf",
                                                   "allOf",
                                                   "if"};

}  // namespace

bool has_rules(const Json& schema) {
  if (schema.is_boolean()) return !schema.get<bool>();
  if (!schema.is_object()) return true;  // The compiler rejects it.
  for (auto member = schema.begin(); member != schema.end(); ++member)
    if (kRules.contains(member.key())) return true;
  return false;
}

bool is_inlined(const Json& schema) {
  if (!schema.is_structured()) return true;
  for (auto member = schema.begin(); member != schema.end(); ++member) {
    if (schema.is_object() && member.key() == "$ref") return false;
    if (!is_inlined(member.value())) return false;
  }
  return true;
}

}  // namespace eventgate
