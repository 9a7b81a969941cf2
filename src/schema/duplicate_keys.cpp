#include "duplicate_keys.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include "object_members.hpp"

namespace eventgate {
namespace {

/// Walks the event along its schemas. Recursive as the validator is.
class DuplicateKeyFinder {
 public:
  DuplicateKeyFinder(const CompiledSchema::Program& program, JsonValue event, KeywordErrors& errors,
                     ValidationScratch& scratch)
      : program_(program), text_(event.base()), nodes_(event.nodes()), errors_(errors), scratch_(scratch) {}

  void find(Index schema, Index node);

 private:
  [[gnu::noinline]] void find_in_object(const Schema& schema, const ObjectRules& rules, Index node);
  [[gnu::noinline]] void find_in_array(const ArrayRules& rules, Index node);
  JsonValue value(Index node) const { return {text_, nodes_, node}; }

  const CompiledSchema::Program& program_;
  const char* text_;
  const JsonNode* nodes_;
  KeywordErrors& errors_;
  ValidationScratch& scratch_;
};

void DuplicateKeyFinder::find_in_object(const Schema& schema, const ObjectRules& rules, Index node) {
  const std::size_t begin = scratch_.members.size();
  append_members(value(node), scratch_);
  sort_members(value(node), begin, scratch_);
  const std::size_t end = scratch_.members.size();
  for (std::size_t i = begin; i < end; ++i) {
    const ObjectMember member = scratch_.members[i];
    const std::string name = value(member.key).string();
    const Index found = rules.find(name);
    const bool declared = found < rules.declared;
    // An object reports a key once, even if several schemas declare it.
    if (declared && member.repeated && !scratch_.added.find_or_insert(pair_key(node, member.key)).second)
      errors_.add_duplicate_key(schema, name);
    if (declared) {
      errors_.enter_property(rules.properties[found].path);
      find(rules.properties[found].schema, member.key + 1);
      errors_.leave();
    }
    errors_.enter_key(member.key);
    bool matched = false;
    for (const PatternProperty& one : rules.patterns)
      if (program_.patterns[one.pattern].is_found_in(name)) {
        matched = true;
        find(one.schema, member.key + 1);
      }
    if (!declared && !matched) find(rules.additional, member.key + 1);
    errors_.leave();
  }
  scratch_.members.resize(begin);
  for (const Dependency& dependency : rules.dependencies) find(dependency.schema, node);
}

void DuplicateKeyFinder::find_in_array(const ArrayRules& rules, Index node) {
  const Index end = nodes_[node].next;
  Index at = 0;
  for (Index i = node + 1; i < end; i = nodes_[i].next, ++at) {
    errors_.enter_index(at);
    find(at < rules.tuple.size() ? rules.tuple[at] : rules.items, i);
    find(rules.contains, i);
    errors_.leave();
  }
}

void DuplicateKeyFinder::find(Index index, Index node) {
  if (index == kNone || errors_.is_full()) return;
  const Schema& schema = program_.schemas[index];
  const JsonType type = nodes_[node].type;
  if (type == JsonType::array && schema.array != kNone) find_in_array(program_.arrays[schema.array], node);
  if (type == JsonType::object && schema.object != kNone) find_in_object(schema, program_.objects[schema.object], node);
  if (schema.any_type == kNone) return;
  const AnyTypeRules& rules = program_.any_types[schema.any_type];
  if (rules.reference != kNone) {
    const Reference& reference = program_.references[rules.reference];
    const RefTarget& target = program_.ref_targets[reference.target];
    if (target.memoized && scratch_.verdicts.find_or_insert(pair_key(reference.target, node)).second) return;
    const std::string_view outer = errors_.set_schema_prefix(reference.prefix);
    find(target.schema, node);
    errors_.set_schema_prefix(outer);
  }
  find(rules.negation, node);
  for (const auto* list : {&rules.any_of, &rules.one_of, &rules.all_of})
    for (const Index branch : *list) find(branch, node);
  find(rules.condition, node);
  find(rules.then_schema, node);
  find(rules.else_schema, node);
}

}  // namespace

bool has_duplicate_keys(JsonValue event, ValidationScratch& scratch) {
  bool repeats = false;
  for (Index i = event.index(); i < event.node().next && !repeats; ++i) {
    if (event.nodes()[i].type != JsonType::object) continue;
    repeats = append_members({event.base(), event.nodes(), i}, scratch);
    scratch.members.clear();
  }
  return repeats;
}

void add_duplicate_key_errors(const CompiledSchema::Program& program, JsonValue event, KeywordErrors& errors,
                              ValidationScratch& scratch) {
  scratch.verdicts.clear();
  scratch.added.clear();
  DuplicateKeyFinder(program, event, errors, scratch).find(program.root, event.index());
}

}  // namespace eventgate
