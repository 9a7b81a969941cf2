#include "program_passes.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "compile_error.hpp"
#include "defaults.hpp"
#include "eventgate/schema/ajv_text.hpp"

namespace eventgate {
namespace {

using Program = CompiledSchema::Program;

/// Limit of schemas, one inside the other, that apply to one value. With the depth of an event it bounds the recursion
/// of the validator.
constexpr std::size_t kMaxNesting = 32;
/// Limits of a default that brings in others: rounds, and bytes of its text.
constexpr int kMaxDefaultRounds = 32;
constexpr std::size_t kMaxDefaultSize = 1 << 20;

bool has_defaults(const Program& program, Index schema) {
  return schema != kNone && program.schemas[schema].has_defaults;
}

bool subschemas_have_defaults(const Program& program, const Schema& schema) {
  const auto has = [&](Index one) { return has_defaults(program, one); };
  if (schema.array != kNone) {
    const ArrayRules& rules = program.arrays[schema.array];
    if (!rules.tuple_defaults.empty() || has(rules.items)) return true;
    for (const Index item : rules.tuple)
      if (has(item)) return true;
  }
  if (schema.object != kNone) {
    const ObjectRules& rules = program.objects[schema.object];
    if (!rules.defaults.empty() || has(rules.additional)) return true;
    for (const Property& one : rules.properties)
      if (has(one.schema)) return true;
    for (const Dependency& one : rules.dependencies)
      if (has(one.schema)) return true;
    for (const PatternProperty& one : rules.patterns)
      if (has(one.schema)) return true;
  }
  if (schema.any_type != kNone) {
    const AnyTypeRules& rules = program.any_types[schema.any_type];
    if (rules.reference != kNone && has(program.ref_targets[program.references[rules.reference].target].schema))
      return true;
    for (const Index one : rules.all_of)
      if (has(one)) return true;
    if (has(rules.then_schema) || has(rules.else_schema)) return true;
  }
  return false;
}

/// Measures how deep schemas for one value are nested.
class NestingCheck {
 public:
  NestingCheck(const Program& program, const std::vector<std::string>& places)
      : program_(program), places_(places), depths_(program.schemas.size(), 0) {}

  /// Returns the number of schemas, one inside the other from `index` on, that apply to one value. `depth` is the
  /// number of those around it.
  std::size_t depth_of(Index index, std::size_t depth);

 private:
  const Program& program_;
  const std::vector<std::string>& places_;
  std::vector<std::size_t> depths_;  ///< What `depth_of` has returned for a schema. 0: nothing yet.
};

std::size_t NestingCheck::depth_of(Index index, std::size_t depth) {
  constexpr std::size_t kEntered = std::numeric_limits<std::size_t>::max();
  if (index == kNone) return 0;
  const Schema& schema = program_.schemas[index];
  const std::string& place = places_[index];
  if (depths_[index] == kEntered)
    throw CompileError(place + " leads back to itself on the same value: expected a $ref inside a property or an item");
  if (depths_[index] == 0) {
    if (depth > kMaxNesting)
      throw CompileError(place + " is one of more than " + std::to_string(kMaxNesting) +
                         " schemas, one inside the other, for the same value");
    depths_[index] = kEntered;
    std::size_t deepest = 0;
    const auto visit = [&](Index inner) { deepest = std::max(deepest, depth_of(inner, depth + 1)); };
    if (schema.object != kNone)
      for (const Dependency& one : program_.objects[schema.object].dependencies) visit(one.schema);
    if (schema.any_type != kNone) {
      const AnyTypeRules& rules = program_.any_types[schema.any_type];
      if (rules.reference != kNone) visit(program_.ref_targets[program_.references[rules.reference].target].schema);
      visit(rules.negation);
      for (const auto* list : {&rules.any_of, &rules.one_of, &rules.all_of})
        for (const Index inner : *list) visit(inner);
      visit(rules.condition);
      visit(rules.then_schema);
      visit(rules.else_schema);
    }
    depths_[index] = deepest + 1;
  }
  if (depth + depths_[index] > kMaxNesting)
    throw CompileError(place + " is one of more than " + std::to_string(kMaxNesting) +
                       " schemas, one inside the other, for the same value");
  return depths_[index];
}

}  // namespace

void mark_defaults(CompiledSchema::Program& program) {
  // A subschema comes before its schema, so one round suffices unless a reference leads forward.
  for (bool changed = true; changed;) {
    changed = false;
    for (Schema& schema : program.schemas)
      if (!schema.has_defaults && subschemas_have_defaults(program, schema)) changed = schema.has_defaults = true;
  }
}

void check_nesting(const CompiledSchema::Program& program, const std::vector<std::string>& places) {
  NestingCheck check(program, places);
  for (Index i = 0; i < program.schemas.size(); ++i) check.depth_of(i, 0);
}

void complete_constants(CompiledSchema::Program& program, const std::vector<std::string>& places) {
  const auto filled = [&](const Constant& value, Index schema, const std::string& place) -> std::unique_ptr<Constant> {
    if (!has_defaults(program, schema) || !(value.value().is_object() || value.value().is_array())) return nullptr;
    std::unique_ptr<Constant> current;
    EventPatch patch;
    for (int round = 0;; ++round) {
      const JsonValue now = current ? current->value() : value.value();
      patch.clear();
      if (!fill_defaults(program, schema, now, patch)) return current;
      std::string next;
      patch.apply(now, next);
      if (round == kMaxDefaultRounds || next.size() > kMaxDefaultSize)
        throw CompileError(place + " has a default that makes itself again, without end");
      current = make_constant(std::move(next), place);
    }
  };
  for (std::size_t index = 0; index < program.schemas.size(); ++index) {
    const Schema& schema = program.schemas[index];
    const std::string& place = places[index];
    if (schema.object != kNone)
      for (const Index i : program.objects[schema.object].defaults) {
        const Property& one = program.objects[schema.object].properties[i];
        if (auto value = filled(*program.constants[one.default_value], one.schema,
                                place + "/properties/" + js_fragment(one.key)))
          program.constants[one.default_value] = std::move(value);
      }
    if (schema.array != kNone) {
      const ArrayRules& rules = program.arrays[schema.array];
      for (std::size_t i = 0; i < rules.tuple_defaults.size(); ++i)
        if (rules.tuple_defaults[i] != kNone)
          if (auto value = filled(*program.constants[rules.tuple_defaults[i]], rules.tuple[i],
                                  place + "/items/" + std::to_string(i)))
            program.constants[rules.tuple_defaults[i]] = std::move(value);
    }
  }
}

}  // namespace eventgate
