#include "defaults.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "validation_scratch.hpp"
#include "validator.hpp"

namespace eventgate {
namespace {

/// Walks a value along its schemas and adds each missing default to the patch. Recursive as the validator is.
class DefaultsFiller {
 public:
  DefaultsFiller(const CompiledSchema::Program& program, JsonValue event, EventPatch& patch, ValidationScratch& scratch)
      : program_(program), text_(event.base()), nodes_(event.nodes()), patch_(patch), scratch_(scratch) {
    scratch_.verdicts.clear();
    scratch_.conditions.clear();
    scratch_.added.clear();
  }

  void fill(Index index, Index node);
  bool has_changed() const { return last_changed_ != kNone; }

 private:
  JsonValue value(Index node) const { return {text_, nodes_, node}; }
  void set_changed(Index node) { last_changed_ = last_changed_ == kNone ? node : std::max(last_changed_, node); }
  bool has_defaults(Index schema) const { return schema != kNone && program_.schemas[schema].has_defaults; }
  [[gnu::noinline]] bool holds(Index condition, Index node);
  [[gnu::noinline]] void fill_object(const ObjectRules& rules, Index node);
  [[gnu::noinline]] void fill_array(const ArrayRules& rules, Index node);
  /// Appends the defaults of the items that the array lacks. Returns false if it lacks none.
  [[gnu::noinline]] bool fill_tuple(const ArrayRules& rules, Index node);

  const CompiledSchema::Program& program_;
  const char* text_;
  const JsonNode* nodes_;
  EventPatch& patch_;
  ValidationScratch& scratch_;
  Index last_changed_ = kNone;  ///< The node that comes last in the text among those changed.
};

void DefaultsFiller::fill(Index index, Index node) {
  if (!has_defaults(index)) return;
  const Schema& schema = program_.schemas[index];
  const JsonNode& n = nodes_[node];
  if (n.type == JsonType::object && schema.object != kNone) fill_object(program_.objects[schema.object], node);
  if (n.type == JsonType::array && schema.array != kNone) fill_array(program_.arrays[schema.array], node);
  if (schema.any_type == kNone) return;
  const AnyTypeRules& rules = program_.any_types[schema.any_type];
  if (rules.reference != kNone) {
    const Index target_index = program_.references[rules.reference].target;
    const RefTarget& target = program_.ref_targets[target_index];
    if (target.memoized && scratch_.verdicts.find_or_insert(pair_key(target_index, node)).second) return;
    fill(target.schema, node);
  }
  for (const Index one : rules.all_of) fill(one, node);
  if (!has_defaults(rules.then_schema) && !has_defaults(rules.else_schema)) return;
  // A default added just now may decide the condition, so the next call decides it.
  if (has_changed() && last_changed_ >= node) return;
  fill(holds(rules.condition, node) ? rules.then_schema : rules.else_schema, node);
}

bool DefaultsFiller::holds(Index condition, Index node) {
  // The validator remembers its verdicts in `verdicts`, where this class remembers what it has visited.
  std::swap(scratch_.verdicts, scratch_.conditions);
  const bool valid = is_valid(program_, condition, value(node), scratch_);
  std::swap(scratch_.verdicts, scratch_.conditions);
  return valid;
}

void DefaultsFiller::fill_object(const ObjectRules& rules, Index node) {
  const JsonValue object = value(node);
  for (const Index i : rules.defaults) {
    const Property& property = rules.properties[i];
    if (object.find(property.key)) continue;
    if (scratch_.added.find_or_insert(pair_key(node, property.name)).second) continue;
    patch_.add_member(object, property.key, program_.constants[property.default_value]->json());
    set_changed(node);
  }
  const Index end = nodes_[node].next;
  for (Index i = node + 1; i < end; i = nodes_[i + 1].next) {
    const std::string_view key = value(i).string(scratch_.key);
    const Index found = rules.find(key);
    const bool declared = found < rules.declared;
    bool matched = false;
    for (const PatternProperty& one : rules.patterns) {
      // Read the key again, because `fill` uses the same buffer.
      if (!program_.patterns[one.pattern].is_found_in(value(i).string(scratch_.key))) continue;
      matched = true;
      fill(one.schema, i + 1);
    }
    if (declared)
      fill(rules.properties[found].schema, i + 1);
    else if (!matched)
      fill(rules.additional, i + 1);
  }
  for (const Dependency& dependency : rules.dependencies)
    if (has_defaults(dependency.schema) &&
        (object.find(rules.properties[dependency.property].key) ||
         scratch_.added.find(pair_key(node, rules.properties[dependency.property].name))))
      fill(dependency.schema, node);
}

bool DefaultsFiller::fill_tuple(const ArrayRules& rules, Index node) {
  const Index end = nodes_[node].next;
  std::size_t count = 0;
  for (Index i = node + 1; i < end; i = nodes_[i].next) ++count;
  std::size_t needed = rules.tuple_defaults.size();
  while (needed > count && rules.tuple_defaults[needed - 1] == kNone) --needed;
  if (needed <= count || scratch_.added.find_or_insert(pair_key(node, kNone)).second) return false;
  const std::string_view source = value(node).source();
  std::string text(source.substr(0, source.size() - 1));
  for (std::size_t i = count; i < needed; ++i) {
    if (i) text += ',';
    // JSON.stringify writes a hole of an array as null.
    text += rules.tuple_defaults[i] == kNone ? "null" : program_.constants[rules.tuple_defaults[i]]->json();
  }
  patch_.replace(value(node), text + "]");
  set_changed(end - 1);
  return true;
}

void DefaultsFiller::fill_array(const ArrayRules& rules, Index node) {
  const Index end = nodes_[node].next;
  if (!rules.tuple_defaults.empty() && fill_tuple(rules, node)) return;  // The next call looks inside its items.
  std::size_t at = 0;
  for (Index i = node + 1; i < end; i = nodes_[i].next, ++at)
    fill(at < rules.tuple.size() ? rules.tuple[at] : rules.items, i);
}

}  // namespace

bool fill_defaults(const CompiledSchema::Program& program, Index schema, JsonValue value, EventPatch& patch) {
  DefaultsFiller filler(program, value, patch, thread_scratch());
  filler.fill(schema, value.index());
  return filler.has_changed();
}

}  // namespace eventgate
