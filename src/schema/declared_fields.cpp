#include "declared_fields.hpp"

#include <algorithm>
#include <span>
#include <string>

namespace eventgate {
namespace {

/// Returns true if `predicate` holds for the schema at `index`, or for one behind its `$ref` or `allOf`.
template <typename Predicate>
bool any_for_same_value(const CompiledSchema::Program& program, Index index, const Predicate& predicate) {
  if (index == kNone) return false;
  const Schema& schema = program.schemas[index];
  if (predicate(schema)) return true;
  if (schema.any_type == kNone) return false;
  const AnyTypeRules& rules = program.any_types[schema.any_type];
  if (rules.reference != kNone) {
    const Index target = program.ref_targets[program.references[rules.reference].target].schema;
    if (any_for_same_value(program, target, predicate)) return true;
  }
  return std::any_of(rules.all_of.begin(), rules.all_of.end(),
                     [&](Index one) { return any_for_same_value(program, one, predicate); });
}

/// Returns true if `predicate` holds for a schema of the value at `keys` below the value of the schema at `index`.
template <typename Predicate>
bool any_at(const CompiledSchema::Program& program, Index index, std::span<const std::string> keys,
            const Predicate& predicate) {
  if (keys.empty()) return any_for_same_value(program, index, predicate);
  return any_for_same_value(program, index, [&](const Schema& schema) {
    if (schema.object == kNone) return false;
    const ObjectRules& rules = program.objects[schema.object];
    const Index property = rules.find(keys[0]);
    return property < rules.declared && any_at(program, rules.properties[property].schema, keys.subspan(1), predicate);
  });
}

/// Returns true if `predicate` holds for a schema of the object that has `field`.
template <typename Predicate>
bool any_at_parent(const CompiledSchema::Program& program, const FieldPath& field, const Predicate& predicate) {
  if (field.empty()) return false;
  const std::span<const std::string> keys = field.keys();
  return any_at(program, program.root, keys.first(keys.size() - 1), predicate);
}

}  // namespace

bool declares_field(const CompiledSchema::Program& program, const FieldPath& field) {
  return any_at_parent(program, field, [&](const Schema& schema) {
    if (schema.object == kNone) return false;
    const ObjectRules& rules = program.objects[schema.object];
    return rules.find(field.keys().back()) < rules.declared;
  });
}

bool declares_parent_object(const CompiledSchema::Program& program, const FieldPath& field) {
  return any_at_parent(program, field, [](const Schema& schema) { return schema.types == type_bit(JsonType::object); });
}

}  // namespace eventgate
