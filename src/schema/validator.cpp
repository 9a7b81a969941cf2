#include "validator.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "eventgate/base/utf8.hpp"
#include "json_equality.hpp"
#include "object_members.hpp"

namespace eventgate {
namespace {

/// How a validation ends and what it reports.
enum class Mode {
  fast,        ///< Stops at the first error, and at a key that a schema declares and the object has twice.
  verdict,     ///< Stops at the first error. The last value of a duplicate key counts, as in JavaScript.
  all_errors,  ///< Reports every error.
};

Group group_of(JsonType type) {
  constexpr std::array<Group, 6> kGroups = {Group::none,   Group::none,   Group::number,
                                            Group::string, Group::object, Group::array};
  return kGroups[static_cast<std::size_t>(type)];
}

// This file is longer than 600 lines. Its functions run for every event, and the compiler inlines them into each other
// only if it compiles them together.

/// One validation of an event. Recursive in the depth of the event, and in that of the schemas for one value.
///
/// Functions that recurse are not inlined, so that their stack frames stay small.
class Validator {
 public:
  /// `integers` is used in fast mode only, `errors` if all errors are reported; each may be null otherwise.
  Validator(const CompiledSchema::Program& program, JsonValue event, ValidationScratch& scratch,
            std::vector<Index>* integers, KeywordErrors* errors)
      : program_(program),
        text_(event.base()),
        nodes_(event.nodes()),
        scratch_(scratch),
        integers_(integers),
        errors_(errors) {}

  template <Mode kMode>
  bool check(Index schema, Index value);
  /// Returns true if fast mode has met a duplicate key. Its verdict is then void, for example inside a `not`.
  bool has_met_duplicate() const { return has_met_duplicate_; }

 private:
  /// An object under its rules. Its members are `scratch_.members` from `begin` to `end`; the values of its properties
  /// begin at `values` in `scratch_.values`.
  struct Object {
    const Schema& schema;
    const ObjectRules& rules;
    Index node;
    std::size_t begin, end;
    std::size_t values;
  };

  JsonValue value(Index node) const { return {text_, nodes_, node}; }
  /// Returns the content of a string or key. Uses `buffer` if it has escapes.
  [[gnu::always_inline]] std::string_view content(Index node, std::string& buffer) const {
    const JsonNode& n = nodes_[node];
    if (n.flags & JsonNode::kEscaped) [[unlikely]]
      return value(node).string(buffer);
    return {text_ + n.begin + 1, std::size_t{n.end} - n.begin - 2};
  }
  /// Returns the name of the member at `i` in `scratch_.members`.
  std::string_view key(std::size_t i) { return content(scratch_.members[i].key, scratch_.key); }
  bool has(const Object& object, Index property) const { return scratch_.values[object.values + property] != kNone; }
  template <Mode kMode>
  bool must_stop(bool valid) const {
    return !valid && (kMode != Mode::all_errors || errors_->is_full());
  }

  static bool passes_by_type_and_size(const Schema& schema, const JsonNode& node);
  template <Mode kMode>
  [[gnu::noinline]] bool check_rules(const Schema& schema, Index node);
  bool collect_errors(const Schema& schema, Index node);
  template <Mode kMode>
  bool check_type(const Schema& schema, Index node);
  template <Mode kMode>
  bool check_group(const Schema& schema, Index node, Group group);
  template <Mode kMode>
  [[gnu::noinline]] bool check_number(const Schema& schema, const NumberRules& rules, Index node);
  template <Mode kMode>
  [[gnu::noinline]] bool check_string(const Schema& schema, const StringRules& rules, Index node);
  template <Mode kMode>
  [[gnu::noinline]] bool check_array(const Schema& schema, const ArrayRules& rules, Index node);
  template <Mode kMode>
  [[gnu::noinline]] bool check_object(const Schema& schema, const ObjectRules& rules, Index node);
  bool check_simple_object(const Schema& schema, const ObjectRules& rules, Index node);
  template <Mode kMode>
  bool find_values(const Object& object);
  template <Mode kMode>
  [[gnu::noinline]] bool check_members(const Object& object);
  template <Mode kMode>
  bool check_presence(const Object& object);
  template <Mode kMode>
  bool check_dependencies(const Object& object);
  template <Mode kMode>
  bool check_property_names(const Object& object);
  template <Mode kMode>
  bool check_additional(const Object& object);
  template <Mode kMode>
  bool check_properties(const Object& object);
  template <Mode kMode>
  bool check_pattern_properties(const Object& object);
  template <Mode kMode>
  bool check_member(Index schema, std::size_t i);
  template <Mode kMode>
  [[gnu::noinline]] bool check_any_type(const Schema& schema, const AnyTypeRules& rules, Index node);
  template <Mode kMode>
  bool check_reference(const Reference& reference, Index node);

  [[gnu::noinline]] bool is_constant(Index constant, Index node);
  [[gnu::noinline]] bool is_enumerated(const AnyTypeRules& rules, Index node);
  /// Returns less than, equal to or greater than zero, as the number is to the limit.
  int compare_with(Index node, const Limit& limit);
  bool is_integer(Index node) const;
  bool any_pattern_matches(const ObjectRules& rules, std::string_view key) const {
    return std::any_of(rules.patterns.begin(), rules.patterns.end(),
                       [&](const PatternProperty& one) { return program_.patterns[one.pattern].is_found_in(key); });
  }

  const CompiledSchema::Program& program_;
  const char* text_;
  const JsonNode* nodes_;
  ValidationScratch& scratch_;
  std::vector<Index>* integers_;
  KeywordErrors* errors_;
  bool has_met_duplicate_ = false;
};

/// Returns true if type and size alone make the value valid, as they do for most values.
inline bool Validator::passes_by_type_and_size(const Schema& schema, const JsonNode& node) {
  const bool integer = node.type == JsonType::number && !(node.flags & JsonNode::kFraction);
  if (!(schema.types & type_bit(node.type)) && !(integer && (schema.types & kIntegerBit))) return false;
  if (schema.only_types) return true;
  const Index size = node.end - node.begin;
  return node.type == JsonType::string ? size < schema.short_string : integer && size < schema.short_integer;
}

template <Mode kMode>
bool Validator::check(Index index, Index node) {
  if (index == kNone) return true;
  const Schema& schema = program_.schemas[index];
  if (passes_by_type_and_size(schema, nodes_[node])) return true;
  if constexpr (kMode == Mode::all_errors) {
    return collect_errors(schema, node);
  } else {
    if (!check_type<kMode>(schema, node)) return false;
    return schema.only_types || check_rules<kMode>(schema, node);
  }
}

template <Mode kMode>
bool Validator::check_rules(const Schema& schema, Index node) {
  return check_group<kMode>(schema, node, group_of(nodes_[node].type)) &&
         (schema.any_type == kNone || check_any_type<kMode>(schema, program_.any_types[schema.any_type], node));
}

/// Validates in AJV's order: it reports a wrong type first, or after the group of rules for that type.
bool Validator::collect_errors(const Schema& schema, Index node) {
  if (errors_->is_full()) return false;
  if (schema.never) {
    errors_->add_plain(schema, "false schema", "boolean schema is false");
    return false;
  }
  const Group group = group_of(nodes_[node].type);
  const bool type_first = group == Group::none || schema.type_group < group;
  bool valid = true;
  if (type_first) valid = check_type<Mode::all_errors>(schema, node);
  valid = check_group<Mode::all_errors>(schema, node, group) && valid;
  if (!type_first) valid = check_type<Mode::all_errors>(schema, node) && valid;
  if (schema.any_type != kNone)
    valid = check_any_type<Mode::all_errors>(schema, program_.any_types[schema.any_type], node) && valid;
  return valid;
}

bool Validator::is_integer(Index node) const {
  return !(nodes_[node].flags & JsonNode::kFraction) || is_whole(value(node).source());
}

template <Mode kMode>
bool Validator::check_type(const Schema& schema, Index node) {
  const JsonNode& n = nodes_[node];
  if (schema.types & type_bit(n.type)) return true;
  if (n.type == JsonType::number && (schema.types & kIntegerBit) && is_integer(node)) {
    if constexpr (kMode == Mode::fast)
      if (n.flags & JsonNode::kFraction) integers_->push_back(node);
    return true;
  }
  if constexpr (kMode == Mode::all_errors) {
    const bool is_empty_list = n.type == JsonType::array && n.next == node + 1;
    errors_->add_type(schema, is_empty_list);
  }
  return false;
}

template <Mode kMode>
bool Validator::check_group(const Schema& schema, Index node, Group group) {
  switch (group) {
    case Group::none:
      return true;
    case Group::number:
      return schema.number == kNone || check_number<kMode>(schema, program_.numbers[schema.number], node);
    case Group::string:
      return schema.string == kNone || check_string<kMode>(schema, program_.strings[schema.string], node);
    case Group::array:
      return schema.array == kNone || check_array<kMode>(schema, program_.arrays[schema.array], node);
    case Group::object:
      if (schema.object == kNone) return true;
      if constexpr (kMode == Mode::fast)
        if (program_.objects[schema.object].simple)
          return check_simple_object(schema, program_.objects[schema.object], node);
      return check_object<kMode>(schema, program_.objects[schema.object], node);
  }
  return true;
}

int Validator::compare_with(Index node, const Limit& limit) {
  const JsonValue number = value(node);
  const auto integer = small_integer(number);
  if (integer && limit.small) return *integer < limit.integer ? -1 : *integer > limit.integer;
  // Rounding to a double keeps the order, but may make different numbers equal.
  const double nearest = integer ? static_cast<double>(*integer) : to_double(number.source());
  if (nearest != limit.value) return nearest < limit.value ? -1 : 1;
  scratch_.number.read(number.source());
  return compare(scratch_.number, limit.exact);
}

template <Mode kMode>
bool Validator::check_number(const Schema& schema, const NumberRules& rules, Index node) {
  bool valid = true;
  if constexpr (kMode == Mode::fast) {
    if (rules.small) {
      const auto integer = small_integer(value(node));
      if (integer) return *integer >= rules.smallest && *integer <= rules.largest;
    }
  }
  if (rules.maximum.present && compare_with(node, rules.maximum) > -static_cast<int>(rules.maximum.exclusive)) {
    if constexpr (kMode != Mode::all_errors) return false;
    errors_->add_limit(schema, true, rules.maximum);
    valid = false;
  }
  if (rules.minimum.present && compare_with(node, rules.minimum) < static_cast<int>(rules.minimum.exclusive)) {
    if constexpr (kMode != Mode::all_errors) return false;
    errors_->add_limit(schema, false, rules.minimum);
    valid = false;
  }
  if (rules.has_divisor && !rules.divisor.divides(value(node).source())) {
    if constexpr (kMode != Mode::all_errors) return false;
    errors_->add_multiple_of(schema, rules);
    valid = false;
  }
  return valid;
}

template <Mode kMode>
bool Validator::check_string(const Schema& schema, const StringRules& rules, Index node) {
  const std::string_view text = content(node, scratch_.text);
  bool valid = true;
  // A code point has one to four bytes, so most lengths need no count.
  const std::size_t size = text.size();
  const bool counted = size > rules.maximum.value || size / 4 < rules.minimum.value;
  const std::size_t length = counted ? count_code_points(text) : size;
  if (length > rules.maximum.value) {
    if constexpr (kMode != Mode::all_errors) return false;
    errors_->add_count(schema, "maxLength", rules.maximum, "be longer", "be shorter", "characters");
    valid = false;
  }
  if (length < rules.minimum.value) {
    if constexpr (kMode != Mode::all_errors) return false;
    errors_->add_count(schema, "minLength", rules.minimum, "be longer", "be shorter", "characters");
    valid = false;
  }
  if (rules.pattern != kNone && !program_.patterns[rules.pattern].is_found_in(text)) {
    if constexpr (kMode != Mode::all_errors) return false;
    errors_->add_pattern(schema, program_.patterns[rules.pattern].text);
    valid = false;
  }
  if (rules.format && !matches_format(*rules.format, text)) {
    if constexpr (kMode != Mode::all_errors) return false;
    errors_->add_format(schema, rules.format_name);
    valid = false;
  }
  return valid;
}

template <Mode kMode>
bool Validator::check_array(const Schema& schema, const ArrayRules& rules, Index node) {
  constexpr Mode kTestMode = kMode == Mode::fast ? Mode::fast : Mode::verdict;
  const Index end = nodes_[node].next;
  bool valid = true;
  if (!rules.maximum.text.empty() || !rules.minimum.text.empty() || rules.no_more_items) {
    std::uint64_t count = 0;
    for (Index i = node + 1; i < end; i = nodes_[i].next) ++count;
    if (count > rules.maximum.value) {
      if constexpr (kMode != Mode::all_errors) return false;
      errors_->add_count(schema, "maxItems", rules.maximum, "have more", "have fewer", "items");
      valid = false;
    }
    if (count < rules.minimum.value) {
      if constexpr (kMode != Mode::all_errors) return false;
      errors_->add_count(schema, "minItems", rules.minimum, "have more", "have fewer", "items");
      valid = false;
    }
    if (rules.no_more_items && count > rules.tuple.size()) {
      if constexpr (kMode != Mode::all_errors) return false;
      errors_->add_additional_items(schema, rules.tuple.size());
      valid = false;
    }
  }
  const auto check_item = [&](Index item_schema, Index item, Index at) {
    if constexpr (kMode == Mode::all_errors) errors_->enter_index(at);
    const bool good = check<kMode>(item_schema, item);
    if constexpr (kMode == Mode::all_errors) errors_->leave();
    return good;
  };
  if (rules.items != kNone || !rules.tuple.empty()) {
    Index at = 0;
    for (Index i = node + 1; i < end; i = nodes_[i].next, ++at) {
      const Index item_schema = at < rules.tuple.size() ? rules.tuple[at] : rules.items;
      if (item_schema == kNone || check_item(item_schema, i, at)) continue;
      if constexpr (kMode != Mode::all_errors) return false;
      valid = false;
    }
  }
  if (rules.has_contains) {
    bool found = false;
    for (Index i = node + 1; i < end && !found; i = nodes_[i].next) found = check<kTestMode>(rules.contains, i);
    if (!found) {
      if constexpr (kMode != Mode::all_errors) return false;
      Index at = 0;
      for (Index i = node + 1; i < end && !errors_->is_full(); i = nodes_[i].next, ++at)
        check_item(rules.contains, i, at);
      errors_->add_plain(schema, "contains", "should contain a valid item");
      valid = false;
    }
  }
  if (rules.unique) {
    if (const auto equal_items = find_equal_items(value(node), rules.unique_types, scratch_)) {
      if constexpr (kMode != Mode::all_errors) return false;
      errors_->add_equal_items(schema, equal_items->first, equal_items->second);
      valid = false;
    }
  }
  return valid;
}

/// Validates an object against simple rules in one pass over its members. Most objects of events take this path.
bool Validator::check_simple_object(const Schema& schema, const ObjectRules& rules, Index node) {
  const Index end = nodes_[node].next;
  std::uint64_t seen = 0;
  for (Index i = node + 1; i < end; i = nodes_[i + 1].next) {
    const Index index = rules.find(content(i, scratch_.key));
    if (index >= rules.declared) {
      if (rules.no_additional) return false;
      // The key may occur twice, and the last value counts.
      if (!(rules.additional_types & type_bit(nodes_[i + 1].type)))
        return check_object<Mode::fast>(schema, rules, node);
      if (index != kNone) seen |= std::uint64_t{1} << index;
      continue;
    }
    const std::uint64_t bit = std::uint64_t{1} << index;
    if (seen & bit) [[unlikely]] {
      has_met_duplicate_ = true;
      return false;
    }
    seen |= bit;
    const Index property = rules.schemas[index];
    if (property == kNone || passes_by_type_and_size(program_.schemas[property], nodes_[i + 1])) continue;
    if (!check<Mode::fast>(property, i + 1)) return false;
  }
  return (seen & rules.all_required) == rules.all_required;
}

template <Mode kMode>
bool Validator::check_object(const Schema& schema, const ObjectRules& rules, Index node) {
  const std::size_t begin = scratch_.members.size();
  const std::size_t values = scratch_.values.size();
  append_members(value(node), scratch_);
  if constexpr (kMode == Mode::all_errors) sort_members(value(node), begin, scratch_);
  scratch_.values.resize(values + rules.properties.size(), kNone);
  const Object object{schema, rules, node, begin, scratch_.members.size(), values};
  const bool valid = find_values<kMode>(object) && check_members<kMode>(object);
  scratch_.members.resize(begin);
  scratch_.values.resize(values);
  return valid;
}

/// Sets the value of each property that `object` has. Returns false in fast mode if a declared key occurs twice.
template <Mode kMode>
bool Validator::find_values(const Object& object) {
  for (std::size_t i = object.begin; i < object.end; ++i) {
    const Index index = object.rules.find(key(i));
    if (index == kNone) continue;
    if constexpr (kMode == Mode::fast)
      if (scratch_.members[i].repeated && index < object.rules.declared) {
        has_met_duplicate_ = true;
        return false;
      }
    scratch_.values[object.values + index] = scratch_.members[i].key + 1;
  }
  return true;
}

/// Runs the rules in AJV's order.
template <Mode kMode>
bool Validator::check_members(const Object& object) {
  bool valid = check_presence<kMode>(object);
  if (must_stop<kMode>(valid)) return false;
  valid = check_dependencies<kMode>(object) && valid;
  if (must_stop<kMode>(valid)) return false;
  valid = check_property_names<kMode>(object) && valid;
  if (must_stop<kMode>(valid)) return false;
  valid = check_additional<kMode>(object) && valid;
  if (must_stop<kMode>(valid)) return false;
  valid = check_properties<kMode>(object) && valid;
  if (must_stop<kMode>(valid)) return false;
  return check_pattern_properties<kMode>(object) && valid;
}

/// Checks `maxProperties`, `minProperties` and the part of `required` that AJV checks first.
template <Mode kMode>
bool Validator::check_presence(const Object& object) {
  const ObjectRules& rules = object.rules;
  const std::size_t count = object.end - object.begin;
  bool valid = true;
  if (count > rules.maximum.value) {
    if constexpr (kMode != Mode::all_errors) return false;
    errors_->add_count(object.schema, "maxProperties", rules.maximum, "have more", "have fewer", "properties");
    valid = false;
  }
  if (count < rules.minimum.value) {
    if constexpr (kMode != Mode::all_errors) return false;
    errors_->add_count(object.schema, "minProperties", rules.minimum, "have more", "have fewer", "properties");
    valid = false;
  }
  for (const Index required : rules.required) {
    if (has(object, required)) continue;
    if constexpr (kMode != Mode::all_errors) return false;
    if (errors_->is_full()) return false;
    errors_->add_required(object.schema, rules.properties[required]);
    valid = false;
  }
  return valid;
}

template <Mode kMode>
bool Validator::check_dependencies(const Object& object) {
  bool valid = true;
  for (const Dependency& dependency : object.rules.dependencies) {
    if (!has(object, dependency.property)) continue;
    for (const Index required : dependency.required) {
      if (has(object, required)) continue;
      if constexpr (kMode != Mode::all_errors) return false;
      if (errors_->is_full()) return false;
      errors_->add_dependency(object.schema, object.rules, dependency, required);
      valid = false;
    }
    if (!check<kMode>(dependency.schema, object.node)) {
      if constexpr (kMode != Mode::all_errors) return false;
      valid = false;
    }
  }
  return valid;
}

template <Mode kMode>
bool Validator::check_property_names(const Object& object) {
  if (object.rules.property_names == kNone) return true;
  bool valid = true;
  for (std::size_t i = object.begin; i < object.end; ++i) {
    const std::size_t first_error = kMode == Mode::all_errors ? errors_->count() : 0;
    if (check<kMode>(object.rules.property_names, scratch_.members[i].key)) continue;
    if constexpr (kMode != Mode::all_errors) return false;
    valid = false;
    if (errors_->is_full()) break;
    errors_->add_property_name(object.schema, key(i), first_error);
  }
  return valid;
}

template <Mode kMode>
bool Validator::check_additional(const Object& object) {
  const ObjectRules& rules = object.rules;
  if (!rules.no_additional && rules.additional == kNone) return true;
  bool valid = true;
  for (std::size_t i = object.begin; i < object.end; ++i) {
    const std::string_view name = key(i);
    if (rules.find(name) < rules.declared || any_pattern_matches(rules, name)) continue;
    if (rules.no_additional) {
      if constexpr (kMode != Mode::all_errors) return false;
      if (errors_->is_full()) return false;
      errors_->add_additional_property(object.schema, name);
      valid = false;
    } else if (!check_member<kMode>(rules.additional, i)) {
      if constexpr (kMode != Mode::all_errors) return false;
      valid = false;
    }
  }
  return valid;
}

/// Checks the keyword `properties`, with the part of `required` that AJV checks there.
template <Mode kMode>
bool Validator::check_properties(const Object& object) {
  bool valid = true;
  for (Index i = 0; i < object.rules.declared; ++i) {
    const Property& property = object.rules.properties[i];
    const Index found = scratch_.values[object.values + i];
    if (found == kNone) {
      if (!property.required) continue;
      if constexpr (kMode != Mode::all_errors) return false;
      if (errors_->is_full()) return false;
      errors_->add_required(object.schema, property);
      valid = false;
      continue;
    }
    if (property.schema == kNone) continue;
    if constexpr (kMode == Mode::all_errors) errors_->enter_property(property.path);
    const bool good = check<kMode>(property.schema, found);
    if constexpr (kMode == Mode::all_errors) errors_->leave();
    if (good) continue;
    if constexpr (kMode != Mode::all_errors) return false;
    valid = false;
  }
  return valid;
}

template <Mode kMode>
bool Validator::check_pattern_properties(const Object& object) {
  bool valid = true;
  for (const PatternProperty& one : object.rules.patterns) {
    if (one.schema == kNone) continue;
    for (std::size_t i = object.begin; i < object.end; ++i) {
      if (!program_.patterns[one.pattern].is_found_in(key(i)) || check_member<kMode>(one.schema, i)) continue;
      if constexpr (kMode != Mode::all_errors) return false;
      valid = false;
    }
  }
  return valid;
}

/// Checks the value of the member at `i` in `scratch_.members`.
template <Mode kMode>
bool Validator::check_member(Index schema, std::size_t i) {
  const Index member = scratch_.members[i].key;
  if constexpr (kMode == Mode::all_errors) errors_->enter_key(member);
  const bool valid = check<kMode>(schema, member + 1);
  if constexpr (kMode == Mode::all_errors) errors_->leave();
  return valid;
}

template <Mode kMode>
bool Validator::check_reference(const Reference& reference, Index node) {
  const RefTarget& target = program_.ref_targets[reference.target];
  if (!target.memoized) {
    if constexpr (kMode != Mode::all_errors) return check<kMode>(target.schema, node);
  } else {
    constexpr Mode kTestMode = kMode == Mode::fast ? Mode::fast : Mode::verdict;
    const std::uint64_t key = pair_key(reference.target, node);
    const std::uint32_t* known = scratch_.verdicts.find(key);
    const bool valid = known ? *known != 0 : check<kTestMode>(target.schema, node);
    if (!known) *scratch_.verdicts.find_or_insert(key).first = valid;
    if (kMode != Mode::all_errors || valid) return valid;
  }
  if constexpr (kMode == Mode::all_errors) {
    const std::string_view outer = errors_->set_schema_prefix(reference.prefix);
    const bool valid = check<kMode>(target.schema, node);
    errors_->set_schema_prefix(outer);
    return valid;
  }
}

bool Validator::is_constant(Index constant, Index node) {
  return equal_values(value(node), program_.constants[constant]->value(), scratch_);
}

bool Validator::is_enumerated(const AnyTypeRules& rules, Index node) {
  if (nodes_[node].type == JsonType::string) return rules.strings.find(content(node, scratch_.text)) != kNone;
  return std::any_of(rules.enumeration.begin(), rules.enumeration.end(),
                     [&](Index constant) { return is_constant(constant, node); });
}

template <Mode kMode>
bool Validator::check_any_type(const Schema& schema, const AnyTypeRules& rules, Index node) {
  constexpr Mode kTestMode = kMode == Mode::fast ? Mode::fast : Mode::verdict;
  if (rules.reference != kNone) return check_reference<kMode>(program_.references[rules.reference], node);
  bool valid = true;
  if (rules.constant != kNone && !is_constant(rules.constant, node)) {
    if constexpr (kMode != Mode::all_errors) return false;
    errors_->add_const(schema, rules);
    valid = false;
  }
  if (rules.has_enumeration && !is_enumerated(rules, node)) {
    if constexpr (kMode != Mode::all_errors) return false;
    errors_->add_enum(schema, rules);
    valid = false;
  }
  if (rules.has_negation && check<kTestMode>(rules.negation, node)) {
    if constexpr (kMode != Mode::all_errors) return false;
    errors_->add_plain(schema, "not", "should NOT be valid");
    valid = false;
  }
  if (rules.has_any_of) {
    bool passes = false;
    for (const Index branch : rules.any_of)
      if ((passes = check<kTestMode>(branch, node))) break;
    if (!passes) {
      if constexpr (kMode != Mode::all_errors) return false;
      for (const Index branch : rules.any_of) check<kMode>(branch, node);
      errors_->add_plain(schema, "anyOf", "should match some schema in anyOf");
      valid = false;
    }
  }
  if (rules.has_one_of) {
    std::array<std::size_t, 2> passing{};
    std::size_t count = 0;
    for (std::size_t i = 0; i < rules.one_of.size() && count < 2; ++i)
      if (check<kTestMode>(rules.one_of[i], node)) passing[count++] = i;
    if (count != 1) {
      if constexpr (kMode != Mode::all_errors) return false;
      const std::size_t end = count ? passing[1] : rules.one_of.size();
      for (std::size_t i = 0; i < end; ++i)
        if (!count || i != passing[0]) check<kMode>(rules.one_of[i], node);
      errors_->add_one_of(schema, passing, count);
      valid = false;
    }
  }
  for (const Index one : rules.all_of) {
    if (check<kMode>(one, node)) continue;
    if constexpr (kMode != Mode::all_errors) return false;
    valid = false;
  }
  if (rules.has_condition) {
    const bool holds = check<kTestMode>(rules.condition, node);
    if (!check<kMode>(holds ? rules.then_schema : rules.else_schema, node)) {
      if constexpr (kMode != Mode::all_errors) return false;
      errors_->add_condition(schema, holds ? "then" : "else");
      valid = false;
    }
  }
  return valid;
}

}  // namespace

bool validate_fast(const CompiledSchema::Program& program, JsonValue event, std::vector<Index>& integers,
                   ValidationScratch& scratch) {
  Validator validator(program, event, scratch, &integers, nullptr);
  return validator.check<Mode::fast>(program.root, event.index()) && !validator.has_met_duplicate();
}

bool is_valid(const CompiledSchema::Program& program, Index schema, JsonValue value, ValidationScratch& scratch) {
  return Validator(program, value, scratch, nullptr, nullptr).check<Mode::verdict>(schema, value.index());
}

void collect_errors(const CompiledSchema::Program& program, JsonValue event, KeywordErrors& errors,
                    ValidationScratch& scratch) {
  Validator(program, event, scratch, nullptr, &errors).check<Mode::all_errors>(program.root, event.index());
}

}  // namespace eventgate
