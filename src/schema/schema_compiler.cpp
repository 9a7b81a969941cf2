#include "eventgate/schema/schema_compiler.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "compile_error.hpp"
#include "eventgate/base/quote.hpp"
#include "eventgate/base/utf8.hpp"
#include "eventgate/json/json_text.hpp"
#include "eventgate/schema/ajv_text.hpp"
#include "eventgate/schema/ecma_pattern.hpp"
#include "eventgate/schema/member_index.hpp"
#include "keyword_values.hpp"
#include "program.hpp"
#include "program_passes.hpp"
#include "ref_resolver.hpp"
#include "schema_rules.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

/// Limit of a message, bytes. A pointer of the document may be longer.
constexpr std::size_t kMaxMessage = 2000;

/// Returns `message` without its middle if it is too long.
std::string shorten_middle(std::string_view message) {
  if (message.size() <= kMaxMessage) return std::string(message);
  return std::string(utf8_prefix(message, kMaxMessage / 2)) + "..." +
         std::string(utf8_suffix(message, kMaxMessage / 2));
}

/// Compiles one document with all that it references.
///
/// In all functions `path` is the JSON pointer from the present RefTarget, and `base` is the URI of references.
class Compiler {
 public:
  Compiler(CompiledSchema::Program& program, const RefReader& refs, const CompilerLimits& limits)
      : program_(program), limits_(limits), texts_(limits.texts), resolver_(refs, limits, texts_) {}

  void compile(const std::string& uri, const Json& document);

 private:
  SchemaPosition position(const std::string& path) const { return {where_ + path}; }
  [[noreturn]] void fail(const std::string& path, const std::string& reason) const { position(path).fail(reason); }

  /// Returns the number of the target. `compile` compiles it later.
  Index add_target(const ResolvedSchema& target);
  /// `is_target` is true for the schema of a RefTarget, whose id is in `base` already.
  Index compile_schema(const Json& schema, const std::string& path, std::string base, std::size_t depth,
                       bool is_target = false);
  /// Returns kNone if every value is valid under `schema`.
  Index compile_subschema(const Json& schema, const std::string& path, const std::string& base, std::size_t depth) {
    return has_rules(schema) ? compile_schema(schema, path, base, depth + 1) : kNone;
  }
  std::vector<Index> compile_list(const Json& list, const std::string& path, const std::string& base,
                                  std::size_t depth);
  Index add_schema(Schema schema, const std::string& path);
  void set_short_values(Schema& schema) const;

  Index add_number_rules(const Json& schema, const std::string& path);
  Index add_string_rules(const Json& schema, const std::string& path);
  Index add_array_rules(const Json& schema, const std::string& path, const std::string& base, std::size_t depth);
  Index add_object_rules(const Json& schema, const std::string& path, const std::string& base, std::size_t depth);
  Index add_any_type_rules(const Json& schema, const std::string& path, const std::string& base, std::size_t depth);
  Index add_reference(const std::string& text, const std::string& path, const std::string& base);

  // Parts of an object's rules.
  const Json* object_keyword(const Json& schema, const std::string& path, const char* keyword) const;
  struct ObjectNames;
  void read_properties(const Json& properties, const std::string& path, const std::string& base, std::size_t depth,
                       ObjectNames& names, ObjectRules& rules);
  void read_required(const Json& required, const std::string& path, ObjectNames& names, ObjectRules& rules);
  void read_dependencies(const Json& dependencies, const std::string& path, const std::string& base, std::size_t depth,
                         ObjectNames& names, ObjectRules& rules);
  std::string required_key(const Json& key, const std::string& path) const;
  Index property_named(const std::string& key, ObjectNames& names, ObjectRules& rules);
  void set_fast_path(ObjectRules& rules) const;

  Index add_pattern(const std::string& text, const std::string& path);
  Index add_constant(std::string json);
  Index add_text(std::string text);
  Property make_property(std::string_view key);
  const Json* default_of(const Json& schema) const {
    return document_->is_metaschema ? nullptr : find_member(schema, "default");
  }

  CompiledSchema::Program& program_;
  const CompilerLimits& limits_;
  TextBudget texts_;
  RefResolver resolver_;

  std::map<std::tuple<const Json*, ResolvedDocument*, std::string>, Index> target_numbers_;
  std::vector<ResolvedSchema> targets_;
  std::vector<std::size_t> reference_counts_;  ///< References that lead to each target.
  std::map<const Json*, bool> inlined_;        ///< What `is_inlined` has returned.
  std::size_t pattern_size_ = 0;               ///< Instructions of all patterns.
  std::vector<std::string> places_;            ///< Each schema of the program, for messages.
  std::map<std::string, Index, std::less<>> patterns_;
  std::map<std::string, Index, std::less<>> names_;

  // The target that is being compiled.
  ResolvedDocument* document_ = nullptr;
  std::string where_;
  bool has_references_ = false;
};

/// The names that the rules of an object mention so far.
struct Compiler::ObjectNames {
  std::map<std::string, Index, std::less<>> indexes;  ///< In `ObjectRules::properties`.
  // For each declared property:
  std::vector<bool> never;      ///< Its schema is `false`.
  std::vector<bool> has_rules;  ///< Its schema is an object with rules.
};

void Compiler::compile(const std::string& uri, const Json& json) {
  program_.uri = uri;
  ResolvedDocument& document = resolver_.add_document(uri, json);
  if (const Json* title = find_member(json, "title"); title && title->is_string())
    program_.title = title->get<std::string>();
  add_target(resolver_.root_of(document));
  // Compiling a target may add others.
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    const ResolvedSchema target = targets_[i];
    document_ = target.document;
    where_ = target.where;
    has_references_ = false;
    const Index schema = compile_schema(*target.schema, "", target.base, 0, true);
    program_.ref_targets[i].schema = schema;
    program_.ref_targets[i].memoized = has_references_;
  }
  for (std::size_t i = 0; i < targets_.size(); ++i)
    program_.ref_targets[i].memoized = program_.ref_targets[i].memoized && reference_counts_[i] > 1;
  program_.root = program_.ref_targets[0].schema;
  mark_defaults(program_);
  check_nesting(program_, places_);
  complete_constants(program_, places_);
}

Index Compiler::add_target(const ResolvedSchema& target) {
  const auto [entry, is_new] = target_numbers_.try_emplace({target.schema, target.document, target.base},
                                                           static_cast<Index>(program_.ref_targets.size()));
  if (is_new) {
    program_.ref_targets.emplace_back();
    targets_.push_back(target);
    reference_counts_.push_back(0);
  }
  ++reference_counts_[entry->second];
  return entry->second;
}

Index Compiler::add_text(std::string text) {
  texts_.add(text.size(), where_);
  program_.texts.push_back(std::move(text));
  return static_cast<Index>(program_.texts.size() - 1);
}

Index Compiler::compile_schema(const Json& json, const std::string& path, std::string base, std::size_t depth,
                               bool is_target) {
  if (path.size() > limits_.pointer)
    throw CompileError(where_ + path.substr(0, 200) + "... is at a JSON pointer of more than " +
                       std::to_string(limits_.pointer) + " bytes: expected shorter keys");
  if (json.is_boolean()) {
    if (json.get<bool>()) return kNone;
    Schema schema;
    schema.never = true;
    schema.types = 0;
    schema.path = add_text(path);
    return add_schema(schema, path);
  }
  if (!json.is_object()) fail(path, "is no schema: expected an object or a boolean");
  if (!has_rules(json)) return kNone;
  if (!is_target)
    if (const auto id = resolver_.id_of(json, where_)) base = resolver_.resolve_id(base, *id, where_);

  const auto has = [&](std::initializer_list<const char*> keywords) {
    return std::any_of(keywords.begin(), keywords.end(),
                       [&](const char* keyword) { return find_member(json, keyword); });
  };
  const bool numbers = has({"maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "multipleOf", "format"});
  const bool strings = has({"maxLength", "minLength", "pattern", "format"});
  const bool arrays = has({"maxItems", "minItems", "items", "contains", "uniqueItems"});
  const bool objects = has({"maxProperties", "minProperties", "required", "dependencies", "propertyNames", "properties",
                            "additionalProperties", "patternProperties"});

  Schema schema;
  schema.path = add_text(path);
  const Json* ref = find_member(json, "$ref");
  if (ref && !ref->is_string()) fail(path + "/$ref", "is no string: expected a URI reference");
  if (ref && ref->get_ref<const std::string&>().empty()) ref = nullptr;
  if (const Json* type = find_member(json, "type")) {
    std::string name;
    schema.types = read_types(*type, position(path + "/type"), name);
    if (name == "number" && numbers) schema.type_group = Group::number;
    if (name == "string" && strings) schema.type_group = Group::string;
    if (name == "array" && arrays) schema.type_group = Group::array;
    if (name == "object" && objects) schema.type_group = Group::object;
    schema.type_name = add_text(std::move(name));
    // Beside a $ref AJV runs no group of rules, so it does not check the type there either.
    if (ref && schema.type_group != Group::none) schema.types = kAnyType;
  }
  if (ref) {
    AnyTypeRules rules;
    const Index target = add_reference(ref->get_ref<const std::string&>(), path + "/$ref", base);
    rules.reference = target;
    program_.any_types.push_back(std::move(rules));
    schema.any_type = static_cast<Index>(program_.any_types.size() - 1);
  } else {
    if (numbers) schema.number = add_number_rules(json, path);
    if (strings) schema.string = add_string_rules(json, path);
    if (arrays) schema.array = add_array_rules(json, path, base, depth);
    if (objects) schema.object = add_object_rules(json, path, base, depth);
    if (has({"const", "enum", "not", "anyOf", "oneOf", "allOf", "if"}))
      schema.any_type = add_any_type_rules(json, path, base, depth);
  }
  return add_schema(schema, path);
}

void Compiler::set_short_values(Schema& schema) const {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  constexpr int kDigits = 15;  // their absolute value is below 10^15
  constexpr std::int64_t kLargest = 1'000'000'000'000'000;
  if (schema.string != kNone) {
    const StringRules& rules = program_.strings[schema.string];
    // The text has two quotes more, and an escape is longer than its character.
    if (rules.pattern == kNone && !rules.format && rules.minimum.value == 0)
      schema.short_string = static_cast<std::uint32_t>(std::min(rules.maximum.value, kMost - 3) + 3);
  }
  if (schema.number != kNone) {
    const NumberRules& rules = program_.numbers[schema.number];
    if (rules.small && rules.smallest <= -kLargest && rules.largest >= kLargest) schema.short_integer = kDigits + 1;
  }
}

Index Compiler::add_schema(Schema schema, const std::string& path) {
  schema.only_types = schema.number == kNone && schema.string == kNone && schema.array == kNone &&
                      schema.object == kNone && schema.any_type == kNone;
  if (schema.any_type == kNone) set_short_values(schema);
  program_.schemas.push_back(schema);
  places_.push_back(where_ + path);
  texts_.add(places_.back().size(), where_);
  return static_cast<Index>(program_.schemas.size() - 1);
}

Index Compiler::add_number_rules(const Json& schema, const std::string& path) {
  auto rules = read_number_rules(schema, position(path));
  if (!rules) return kNone;
  program_.numbers.push_back(*std::move(rules));
  return static_cast<Index>(program_.numbers.size() - 1);
}

Index Compiler::add_string_rules(const Json& schema, const std::string& path) {
  StringRules rules;
  const SchemaPosition at = position(path);
  read_count(schema, at, "maxLength", true, rules.maximum);
  read_count(schema, at, "minLength", false, rules.minimum);
  if (const Json* found = find_member(schema, "pattern")) {
    if (!found->is_string()) fail(path + "/pattern", "is no string: expected a regular expression");
    rules.pattern = add_pattern(found->get_ref<const std::string&>(), path + "/pattern");
  }
  if (const Json* found = find_member(schema, "format")) {
    if (!found->is_string()) fail(path + "/format", "is no string: expected the name of a format");
    rules.format_name = found->get<std::string>();
    rules.format = format_named(rules.format_name);
    if (!rules.format)
      fail(path + "/format",
           "is " + quote(rules.format_name) + ", an unknown format: expected one of " + std::string(format_names()));
  }
  program_.strings.push_back(std::move(rules));
  return static_cast<Index>(program_.strings.size() - 1);
}

Index Compiler::add_pattern(const std::string& text, const std::string& path) {
  if (const auto known = patterns_.find(text); known != patterns_.end()) return known->second;
  const auto translated = re2_pattern(text);
  if (!translated) fail(path, "is " + quote(text) + ", which " + translated.error());
  RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(static_cast<std::int64_t>(limits_.pattern_memory));
  auto re2 = std::make_unique<const RE2>(*translated, options);
  if (!re2->ok())
    fail(path, "is " + quote(text) + ", which RE2 does not take (" + re2->error() +
                   "): expected a smaller or simpler pattern");
  pattern_size_ += static_cast<std::size_t>(re2->ProgramSize());
  if (pattern_size_ > limits_.patterns)
    fail(path, "is " + quote(text) + ", with which the patterns come to more than " + std::to_string(limits_.patterns) +
                   " instructions: expected fewer or simpler ones");
  program_.patterns.push_back({text, std::move(re2)});
  return patterns_[text] = static_cast<Index>(program_.patterns.size() - 1);
}

Index Compiler::add_constant(std::string json) {
  program_.constants.push_back(make_constant(std::move(json), where_));
  return static_cast<Index>(program_.constants.size() - 1);
}

Index Compiler::add_array_rules(const Json& schema, const std::string& path, const std::string& base,
                                std::size_t depth) {
  ArrayRules rules;
  const SchemaPosition at = position(path);
  read_count(schema, at, "maxItems", true, rules.maximum);
  read_count(schema, at, "minItems", false, rules.minimum);
  const Json* items = find_member(schema, "items");
  if (items && items->is_array()) {
    rules.is_tuple = true;
    bool defaults = false;
    for (std::size_t i = 0; i < items->size(); ++i) {
      const Json& item = (*items)[i];
      rules.tuple.push_back(compile_subschema(item, path + "/items/" + std::to_string(i), base, depth));
      const Json* default_value = default_of(item);
      rules.tuple_defaults.push_back(default_value ? add_constant(js_json(*default_value)) : kNone);
      defaults = defaults || default_value;
    }
    if (!defaults) rules.tuple_defaults.clear();
    if (const Json* more = find_member(schema, "additionalItems")) {
      if (*more == false)
        rules.no_more_items = true;
      else if (more->is_object())
        rules.items = compile_subschema(*more, path + "/additionalItems", base, depth);
    }
  } else if (items) {
    rules.items = compile_subschema(*items, path + "/items", base, depth);
  }
  if (const Json* contains = find_member(schema, "contains")) {
    rules.has_contains = true;
    rules.contains = compile_subschema(*contains, path + "/contains", base, depth);
  }
  if (const Json* unique = find_member(schema, "uniqueItems")) {
    if (!unique->is_boolean()) fail(path + "/uniqueItems", "is no boolean: expected one");
    rules.unique = unique->get<bool>();
    const Json* type = items ? find_member(*items, "type") : nullptr;
    if (rules.unique && type) {
      std::string name;
      const TypeSet types = read_types(*type, position(path + "/items/type"), name);
      if (!(types & (type_bit(JsonType::object) | type_bit(JsonType::array)))) rules.unique_types = types;
    }
  }
  program_.arrays.push_back(std::move(rules));
  return static_cast<Index>(program_.arrays.size() - 1);
}

Property Compiler::make_property(std::string_view key) {
  Property made;
  made.key = key;
  made.path = js_property(key);
  made.name = names_.try_emplace(made.key, static_cast<Index>(names_.size())).first->second;
  return made;
}

const Json* Compiler::object_keyword(const Json& schema, const std::string& path, const char* keyword) const {
  const Json* found = find_member(schema, keyword);
  if (found && !found->is_object()) fail(path + "/" + keyword, "is no object: expected one");
  return found;
}

std::string Compiler::required_key(const Json& key, const std::string& path) const {
  if (!key.is_string()) fail(path, "has a key that is no string: expected strings");
  return key.get<std::string>();
}

Index Compiler::property_named(const std::string& key, ObjectNames& names, ObjectRules& rules) {
  const auto [entry, is_new] = names.indexes.try_emplace(key, static_cast<Index>(rules.properties.size()));
  if (is_new) rules.properties.push_back(make_property(key));
  return entry->second;
}

void Compiler::read_properties(const Json& properties, const std::string& path, const std::string& base,
                               std::size_t depth, ObjectNames& names, ObjectRules& rules) {
  for (const auto& [key, value] : js_members(properties)) {
    Property made = make_property(key);
    names.has_rules.push_back(value->is_object() && has_rules(*value));
    names.never.push_back(*value == false);
    made.schema = compile_subschema(*value, path + "/" + js_fragment(key), base, depth);
    const auto index = static_cast<Index>(rules.properties.size());
    if (const Json* default_value = default_of(*value)) {
      made.default_value = add_constant(js_json(*default_value));
      rules.defaults.push_back(index);
    }
    names.indexes[made.key] = index;
    rules.properties.push_back(std::move(made));
  }
  rules.declared = static_cast<Index>(rules.properties.size());
}

void Compiler::read_required(const Json& required, const std::string& path, ObjectNames& names, ObjectRules& rules) {
  if (!required.is_array()) fail(path, "is no array: expected one of keys");
  for (const Json& key : required) {
    const Index index = property_named(required_key(key, path), names, rules);
    const bool is_declared = index < rules.declared;
    // AJV looks for a required property where it validates the property, if the schema of this property has rules.
    if (is_declared && names.has_rules[index]) {
      rules.properties[index].required = true;
      continue;
    }
    rules.required.push_back(index);
    // If the schema is `false`, AJV looks in both places and reports the property missing twice.
    if (is_declared && names.never[index]) rules.properties[index].required = true;
  }
}

void Compiler::read_dependencies(const Json& dependencies, const std::string& path, const std::string& base,
                                 std::size_t depth, ObjectNames& names, ObjectRules& rules) {
  std::vector<Dependency> with_schemas;  // AJV checks them after those with keys.
  for (const auto& [key, value] : js_members(dependencies)) {
    Dependency dependency;
    if (value->is_array()) {
      if (value->empty()) continue;
      dependency.property = property_named(std::string(key), names, rules);
      for (const Json& needed : *value) {
        dependency.required.push_back(property_named(required_key(needed, path), names, rules));
        if (dependency.required.size() > 1) dependency.required_text += ", ";
        dependency.required_text += needed.get_ref<const std::string&>();
      }
      rules.dependencies.push_back(std::move(dependency));
    } else if (has_rules(*value)) {
      dependency.property = property_named(std::string(key), names, rules);
      dependency.schema = compile_schema(*value, path + "/" + js_fragment(key), base, depth + 1);
      with_schemas.push_back(std::move(dependency));
    }
  }
  std::move(with_schemas.begin(), with_schemas.end(), std::back_inserter(rules.dependencies));
}

Index Compiler::add_object_rules(const Json& schema, const std::string& path, const std::string& base,
                                 std::size_t depth) {
  ObjectRules rules;
  ObjectNames names;
  read_count(schema, position(path), "maxProperties", true, rules.maximum);
  read_count(schema, position(path), "minProperties", false, rules.minimum);
  if (const Json* properties = object_keyword(schema, path, "properties"))
    read_properties(*properties, path + "/properties", base, depth, names, rules);
  if (const Json* required = find_member(schema, "required"))
    read_required(*required, path + "/required", names, rules);
  if (const Json* dependencies = object_keyword(schema, path, "dependencies"))
    read_dependencies(*dependencies, path + "/dependencies", base, depth, names, rules);
  if (const Json* property_names = find_member(schema, "propertyNames"))
    rules.property_names = compile_subschema(*property_names, path + "/propertyNames", base, depth);
  if (const Json* patterns = object_keyword(schema, path, "patternProperties"))
    for (const auto& [key, value] : js_members(*patterns)) {
      const std::string at = path + "/patternProperties/" + js_fragment(key);
      rules.patterns.push_back({add_pattern(std::string(key), at), compile_subschema(*value, at, base, depth)});
    }
  if (const Json* additional = find_member(schema, "additionalProperties")) {
    if (*additional == false)
      rules.no_additional = true;
    else if (!additional->is_boolean())
      rules.additional = compile_schema(*additional, path + "/additionalProperties", base, depth + 1);
  }
  std::vector<std::string> keys;
  for (const Property& property : rules.properties) keys.push_back(property.key);
  rules.keys = KeyTable(keys);
  set_fast_path(rules);
  program_.objects.push_back(std::move(rules));
  return static_cast<Index>(program_.objects.size() - 1);
}

/// Sets what the validator's pass over simple objects needs.
void Compiler::set_fast_path(ObjectRules& rules) const {
  constexpr std::size_t kMaxProperties = 64;  // bits of `all_required`
  const bool few_properties = rules.properties.size() <= kMaxProperties;
  rules.simple = rules.maximum.text.empty() && rules.minimum.text.empty() && rules.dependencies.empty() &&
                 rules.property_names == kNone && rules.patterns.empty() && few_properties;
  if (rules.additional != kNone) {
    const Schema& additional = program_.schemas[rules.additional];
    rules.additional_types = additional.types;
    // An integer may have to be rewritten, and only its schema knows that.
    rules.simple = rules.simple && additional.only_types && !(additional.types & kIntegerBit);
  }
  for (std::size_t i = 0; i < rules.declared; ++i) rules.schemas.push_back(rules.properties[i].schema);
  if (!few_properties) return;
  for (std::size_t i = 0; i < rules.properties.size(); ++i)
    if (rules.properties[i].required) rules.all_required |= std::uint64_t{1} << i;
  for (const Index i : rules.required) rules.all_required |= std::uint64_t{1} << i;
}

std::vector<Index> Compiler::compile_list(const Json& list, const std::string& path, const std::string& base,
                                          std::size_t depth) {
  if (!list.is_array()) fail(path, "is no array: expected one of schemas");
  std::vector<Index> compiled;
  for (std::size_t i = 0; i < list.size(); ++i)
    compiled.push_back(compile_subschema(list[i], path + "/" + std::to_string(i), base, depth));
  return compiled;
}

Index Compiler::add_any_type_rules(const Json& schema, const std::string& path, const std::string& base,
                                   std::size_t depth) {
  AnyTypeRules rules;
  // Comparisons need all digits of a number; messages have those of JSON.stringify.
  if (const Json* value = find_member(schema, "const")) {
    rules.constant = add_constant(value->dump());
    rules.constant_text = js_json(*value);
  }
  if (const Json* values = find_member(schema, "enum")) {
    if (!values->is_array()) fail(path + "/enum", "is no array: expected one of values");
    rules.has_enumeration = true;
    std::set<std::string> strings;
    for (const Json& value : *values) {
      if (value.is_string())
        strings.insert(value.get<std::string>());
      else
        rules.enumeration.push_back(add_constant(value.dump()));
    }
    rules.strings = KeyTable({strings.begin(), strings.end()});
    rules.enumeration_text = js_json(*values);
  }
  if (const Json* negated = find_member(schema, "not")) {
    rules.has_negation = true;
    rules.negation = compile_subschema(*negated, path + "/not", base, depth);
  }
  if (const Json* list = find_member(schema, "anyOf")) {
    // AJV ignores anyOf if a branch has no rules.
    rules.has_any_of = std::all_of(list->begin(), list->end(), has_rules);
    if (rules.has_any_of) rules.any_of = compile_list(*list, path + "/anyOf", base, depth);
  }
  if (const Json* list = find_member(schema, "oneOf")) {
    rules.one_of = compile_list(*list, path + "/oneOf", base, depth);
    rules.has_one_of = true;
  }
  if (const Json* list = find_member(schema, "allOf")) {
    rules.all_of = compile_list(*list, path + "/allOf", base, depth);
    std::erase(rules.all_of, kNone);
  }
  if (const Json* condition = find_member(schema, "if")) {
    const Json* then_json = find_member(schema, "then");
    const Json* else_json = find_member(schema, "else");
    rules.has_condition = (then_json && has_rules(*then_json)) || (else_json && has_rules(*else_json));
    if (rules.has_condition) {
      rules.condition = compile_subschema(*condition, path + "/if", base, depth);
      if (then_json) rules.then_schema = compile_subschema(*then_json, path + "/then", base, depth);
      if (else_json) rules.else_schema = compile_subschema(*else_json, path + "/else", base, depth);
    }
  }
  program_.any_types.push_back(std::move(rules));
  return static_cast<Index>(program_.any_types.size() - 1);
}

Index Compiler::add_reference(const std::string& text, const std::string& path, const std::string& base) {
  const ResolvedSchema target = resolver_.resolve(text, {document_, base, where_, path});
  has_references_ = true;
  const bool is_root = text == "#" || text == "#/";
  const auto [known, is_new] = inlined_.try_emplace(target.schema, false);
  if (is_new) known->second = is_inlined(*target.schema);
  Reference reference;
  reference.prefix = !is_root && !target.never_inlined && known->second ? text : "#";
  reference.target = add_target(target);
  program_.references.push_back(std::move(reference));
  return static_cast<Index>(program_.references.size() - 1);
}

}  // namespace

boost::system::result<std::shared_ptr<const CompiledSchema>, std::string> compile_schema(const std::string& uri,
                                                                                         const Json& document,
                                                                                         const RefReader& refs,
                                                                                         const CompilerLimits& limits) {
  auto program = std::make_unique<CompiledSchema::Program>();
  try {
    Compiler(*program, refs, limits).compile(uri, document);
  } catch (const CompileError& error) {
    return shorten_middle(error.what());
  }
  return std::make_shared<const CompiledSchema>(std::move(program));
}

}  // namespace eventgate
