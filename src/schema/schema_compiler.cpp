#include "eventgate/schema/schema_compiler.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "eventgate/json/json_text.hpp"
#include "eventgate/schema/ajv_text.hpp"
#include "eventgate/schema/ecma_pattern.hpp"
#include "eventgate/schema/member_index.hpp"
#include "eventgate/schema/metaschemas.hpp"
#include "eventgate/schema/uri_reference.hpp"
#include "program.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

/// Schemas applied to one value, one inside the other: with the depth of an event they say how deep a walk recurses.
constexpr std::size_t kMaxDepthInPlace = 32;
/// Rounds in which a default may make others, and the size to which it may grow, bytes.
constexpr int kMaxDefaultRounds = 32;
constexpr std::size_t kMaxDefaultSize = 1 << 20;

/// What keeps a schema from being compiled.
struct CompileError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The keywords that are rules to AJV: a schema without any of them is no condition.
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

/// Keywords whose values hold no schemas, so no ids (json-schema-traverse).
const std::set<std::string, std::less<>> kWithoutSchemas = {
    "default",          "enum",        "const",         "required",     "maximum", "minimum", "exclusiveMaximum",
    "exclusiveMinimum", "multipleOf",  "maxLength",     "minLength",    "pattern", "format",  "maxItems",
    "minItems",         "uniqueItems", "maxProperties", "minProperties"};

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> set) {
  return std::find(set.begin(), set.end(), text) != set.end();
}

const Json* get(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  for (const auto& [name, value] : object.get_ref<const Json::object_t&>())
    if (name == key) return &value;
  return nullptr;
}

/// Whether AJV sees a condition in `schema`.
bool has_rules(const Json& schema) {
  if (schema.is_boolean()) return !schema.get<bool>();
  if (!schema.is_object()) return true;  // and it is refused where it is compiled
  for (auto member = schema.begin(); member != schema.end(); ++member)
    if (kRules.contains(member.key())) return true;
  return false;
}

/// Whether AJV would inline `schema` where it is referenced: there is no `$ref` in it, not even as another key.
bool is_inlined(const Json& schema) {
  if (!schema.is_structured()) return true;
  for (auto member = schema.begin(); member != schema.end(); ++member) {
    if (schema.is_object() && member.key() == "$ref") return false;
    if (!is_inlined(member.value())) return false;
  }
  return true;
}

std::size_t depth_of(const Json& value, std::size_t limit) {
  if (!value.is_structured() || limit == 0) return 0;
  std::size_t depth = 0;
  for (const Json& child : value) depth = std::max(depth, depth_of(child, limit - 1));
  return depth + 1;
}

/// An id or a `$ref` without a `#` or `#/` at its end.
std::string_view normal_id(std::string_view id) {
  if (id.ends_with("#/")) return id.substr(0, id.size() - 2);
  if (id.ends_with('#')) return id.substr(0, id.size() - 1);
  return id;
}

/// The key of a pointer's token, %hh and ~ decoded.
std::string pointer_key(std::string_view token) {
  std::string key = percent_decoded(token);
  std::string out;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key[i] == '~' && i + 1 < key.size() && (key[i + 1] == '0' || key[i + 1] == '1')) {
      out += key[++i] == '0' ? '~' : '/';
    } else {
      out += key[i];
    }
  }
  return out;
}

const Json* child(const Json& value, const std::string& key, MemberIndex& members) {
  if (value.is_object()) return members.find(value, key);
  const auto index = value.is_array() ? array_index(key) : std::nullopt;
  return index && *index < value.size() ? &value[*index] : nullptr;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMost = 200;
  if (text.size() <= kMost) return "'" + std::string(text) + "'";
  std::size_t end = kMost;
  while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return "'" + std::string(text.substr(0, end)) + "...'";
}

/// A message, cut if it quotes a long pointer of the document.
std::string cut_message(std::string_view message) {
  constexpr std::size_t kMaxMessage = 2000;
  if (message.size() <= kMaxMessage) return std::string(message);
  std::size_t end = kMaxMessage / 2;
  while ((static_cast<unsigned char>(message[end]) & 0xC0) == 0x80) --end;
  std::size_t rest = message.size() - kMaxMessage / 2;
  while (rest < message.size() && (static_cast<unsigned char>(message[rest]) & 0xC0) == 0x80) ++rest;
  return std::string(message.substr(0, end)) + "..." + std::string(message.substr(rest));
}

/// A schema document, with the ids inside it.
struct Document {
  std::string path;  ///< Where it was found.
  std::string base;  ///< Its id, else its path; without a fragment.
  bool has_id = false;
  bool is_metaschema = false;  ///< Of a draft: AJV fills in no defaults of it.
  const Json* root = nullptr;
  std::map<std::string, std::vector<std::string>, std::less<>> ids;  ///< To the keys that lead there.
};

/// A schema in a document, with the base of its references.
struct Place {
  const Json* schema = nullptr;
  Document* document = nullptr;
  std::string base;
  std::string where;
  bool called = false;  ///< By AJV, even if there is no `$ref` in it.
};

class Compiler {
 public:
  Compiler(CompiledSchema::Program& program, const RefReader& refs, const CompilerLimits& limits)
      : program_(program), refs_(refs), limits_(limits) {}

  void compile(const std::string& uri, const Json& document);

 private:
  [[noreturn]] void fail(const std::string& pointer, const std::string& why) const {
    throw CompileError(where_ + pointer + " " + why);
  }

  Document& add_document(const std::string& path, const Json& root);
  void add_ids(Document& document, const Json& schema, const std::string& base, std::vector<std::string>& keys);
  std::optional<std::string> id_of(const Json& schema);
  /// `id` as seen from `base`. Fails if it is longer than an id may be.
  std::string resolved_id(const std::string& base, const std::string& id) const;
  Document& load(const std::string& path, const std::string& pointer);

  Place resolve(const std::string& reference, const std::string& pointer, const std::string& base);
  std::optional<Place> resolve_full(Document& document, const std::string& full, const std::string& pointer,
                                    std::size_t chain);
  std::optional<Place> walk(Place place, const std::vector<std::string>& keys, const std::string& pointer,
                            std::size_t chain);
  std::vector<std::string> pointer_keys(std::string_view fragment, const std::string& pointer) const;
  Place root_of(Document& document) const { return {document.root, &document, document.base, where_of(document)}; }
  std::string where_of(const Document& document) const {
    return (&document == documents_.begin()->get() ? "" : document.path) + "#";
  }

  Index function(const Place& place);
  Index compile(const Json& schema, const std::string& path, std::string base, std::size_t depth, bool top = false);
  Index compile_at(const Json& schema, const std::string& path, const std::string& base, std::size_t depth) {
    return has_rules(schema) ? compile(schema, path, base, depth + 1) : kNone;
  }
  void set_short(Schema& schema) const;
  Index keep(Schema schema, const std::string& path);
  TypeSet read_type(const Json& type, const std::string& path, std::string& name);
  Index number_rules(const Json& schema, const std::string& path);
  Index string_rules(const Json& schema, const std::string& path);
  Index array_rules(const Json& schema, const std::string& path, const std::string& base, std::size_t depth);
  Index object_rules(const Json& schema, const std::string& path, const std::string& base, std::size_t depth);
  Index other_rules(const Json& schema, const std::string& path, const std::string& base, std::size_t depth);
  std::vector<Index> schemas(const Json& list, const std::string& path, const std::string& base, std::size_t depth);
  void read_limit(const Json& schema, const std::string& path, bool maximum, Limit& limit);
  void read_count(const Json& schema, const std::string& path, const char* keyword, bool maximum, Count& count);
  Index reference(const std::string& text, const std::string& path, const std::string& base);
  Index pattern(const std::string& text, const std::string& path);
  Index constant(std::string json);
  const Json* default_of(const Json& schema) const {
    return document_->is_metaschema ? nullptr : get(schema, "default");
  }
  std::unique_ptr<Constant> make_constant(std::string text);
  Index text(std::string value);
  /// Counts bytes that are kept of the schema's pointers and ids. Fails if they are too many.
  void count_text(std::size_t size);
  Property make_property(std::string_view key);
  void make_table(ObjectRules& rules);

  void find_defaults();
  bool subschemas_have_defaults(const Schema& schema) const;
  bool has_defaults(Index schema) const { return schema != kNone && program_.schemas[schema].has_defaults; }
  void check_nesting();
  std::size_t depth_in_place(Index schema, std::vector<std::size_t>& depths, std::size_t depth);
  void complete_defaults();

  CompiledSchema::Program& program_;
  const RefReader& refs_;
  const CompilerLimits& limits_;

  std::vector<std::unique_ptr<Document>> documents_;
  std::map<std::tuple<const Json*, Document*, std::string>, Index> functions_;
  std::vector<Place> places_;  ///< Of the functions.
  std::vector<std::size_t> callers_;
  std::map<const Json*, bool> inlined_;
  MemberIndex members_;
  std::size_t text_size_ = 0;        ///< Bytes of pointers and ids.
  std::size_t pattern_size_ = 0;     ///< Instructions of all patterns.
  std::vector<std::string> wheres_;  ///< Of the schemas.
  std::map<std::string, Index, std::less<>> patterns_;
  std::map<std::string, Index, std::less<>> names_;

  // Of the function that is being compiled.
  Document* document_ = nullptr;
  std::string where_;
  bool calls_ = false;
};

std::optional<std::string> Compiler::id_of(const Json& schema) {
  const Json* found = nullptr;
  for (const char* keyword : {"$id", "id"})
    if (const Json* id = members_.find(schema, keyword);
        id && id->is_string() && !id->get_ref<const std::string&>().empty()) {
      if (found && *found != *id)
        throw CompileError(where_ + " has $id " + in_quotes(found->get_ref<const std::string&>()) +
                           " and another id: expected them to be equal");
      if (!found) found = id;
    }
  if (!found) return std::nullopt;
  return std::string(normal_id(found->get_ref<const std::string&>()));
}

std::string Compiler::resolved_id(const std::string& base, const std::string& id) const {
  std::string resolved = resolve_uri(base, id);
  if (resolved.size() > limits_.id)
    throw CompileError(where_ + " has an id of more than " + std::to_string(limits_.id) + " bytes");
  return resolved;
}

void Compiler::count_text(std::size_t size) {
  text_size_ += size;
  if (text_size_ > limits_.texts)
    throw CompileError(where_ + " has more than " + std::to_string(limits_.texts) +
                       " bytes in the JSON pointers and ids of its schemas: expected shorter keys, or fewer schemas");
}

Document& Compiler::add_document(const std::string& path, const Json& root) {
  auto document = std::make_unique<Document>();
  document->path = without_fragment(resolve_uri("", path));
  document->root = &root;
  where_ = documents_.empty() ? "#" : path + "#";
  if (!root.is_object() && !root.is_boolean())
    throw CompileError(where_ + " is no schema: expected an object or a boolean");
  if (depth_of(root, limits_.depth + 1) > limits_.depth)
    throw CompileError(where_ + " is nested deeper than " + std::to_string(limits_.depth) + " levels");
  if (const Json* metaschema = get(root, "$schema")) {
    Metaschema draft;
    if (!metaschema->is_string())
      throw CompileError(where_ + "/$schema is no string: expected the URI of draft 04, 06 or 07");
    const std::string& uri = metaschema->get_ref<const std::string&>();
    if (!uri.empty() && !find_draft(uri, draft))
      throw CompileError(
          where_ + "/$schema is " + in_quotes(uri) +
          ", an unknown metaschema: expected http://json-schema.org/draft-07/schema#, or draft 06 or 04");
  }
  const std::optional<std::string> id = id_of(root);
  document->base = without_fragment(resolved_id(document->path, id ? *id : ""));
  document->has_id = id.has_value();
  std::vector<std::string> keys;
  if (root.is_object()) add_ids(*document, root, document->base, keys);
  documents_.push_back(std::move(document));
  return *documents_.back();
}

/// Notes the ids of the schemas inside `schema`, as AJV finds them: under any key that could hold one.
void Compiler::add_ids(Document& document, const Json& schema, const std::string& base,
                       std::vector<std::string>& keys) {
  const auto visit = [&](const Json& inner) {
    if (!inner.is_object()) return;
    std::string inner_base = base;
    if (const auto id = id_of(inner)) {
      inner_base = resolved_id(base, *id);
      if (inner_base != document.base) {
        count_text(inner_base.size());
        for (const std::string& key : keys) count_text(key.size());
        document.ids[inner_base] = keys;
      }
    }
    add_ids(document, inner, inner_base, keys);
  };
  for (auto member = schema.begin(); member != schema.end(); ++member) {
    const std::string& key = member.key();
    const Json& value = member.value();
    keys.push_back(key);
    if (value.is_array()) {
      if (is_one_of(key, {"items", "allOf", "anyOf", "oneOf"}))
        for (std::size_t i = 0; i < value.size(); ++i) {
          keys.push_back(std::to_string(i));
          visit(value[i]);
          keys.pop_back();
        }
    } else if (is_one_of(key, {"definitions", "properties", "patternProperties", "dependencies"})) {
      if (value.is_object())
        for (auto inner = value.begin(); inner != value.end(); ++inner) {
          keys.push_back(inner.key());
          visit(inner.value());
          keys.pop_back();
        }
    } else if (!kWithoutSchemas.contains(key)) {
      visit(value);
    }
    keys.pop_back();
  }
}

Document& Compiler::load(const std::string& path, const std::string& pointer) {
  for (const auto& document : documents_)
    if (document->path == path) return *document;
  const std::string where = where_;
  Metaschema draft;
  if (find_draft(path, draft)) {
    Document& metaschema = add_document(path, metaschema_document(draft));
    metaschema.is_metaschema = true;
    where_ = where;
    return metaschema;
  }
  const auto read = refs_(path);
  if (!read) fail(pointer, "leads to " + in_quotes(path) + ", which cannot be had: " + read.error());
  Document& document = add_document(path, **read);
  where_ = where;
  return document;
}

/// Where the `$ref` at `pointer` of the present function leads.
Place Compiler::resolve(const std::string& reference_text, const std::string& pointer, const std::string& base) {
  if (reference_text == "#" || reference_text == "#/") return root_of(*document_);
  const std::string full = resolve_uri(base, normal_id(reference_text));
  auto place = resolve_full(*document_, full, pointer, 0);
  if (!place)
    fail(pointer, "is " + in_quotes(reference_text) + ", which leads nowhere: expected a schema at " + in_quotes(full));
  return *std::move(place);
}

std::optional<Place> Compiler::resolve_full(Document& document, const std::string& full, const std::string& pointer,
                                            std::size_t chain) {
  if (chain > limits_.ref_chain)
    fail(pointer, "leads through more than " + std::to_string(limits_.ref_chain) + " references");
  const std::string path(without_fragment(full));
  const std::string_view fragment = fragment_of(full);
  if (const auto id = document.ids.find(full); id != document.ids.end())
    return walk(root_of(document), id->second, pointer, chain);
  if (path == document.base) {
    if (fragment.empty()) return root_of(document);
    if (fragment.starts_with('/')) return walk(root_of(document), pointer_keys(fragment, pointer), pointer, chain);
    return std::nullopt;
  }
  if (const auto id = document.ids.find(path); id != document.ids.end()) {
    auto place = walk(root_of(document), id->second, pointer, chain);
    if (!place || !fragment.starts_with('/')) return std::nullopt;
    return walk(*std::move(place), pointer_keys(fragment, pointer), pointer, chain);
  }
  Document& other = load(path, pointer);
  if (fragment.empty()) return root_of(other);
  if (fragment.starts_with('/')) return walk(root_of(other), pointer_keys(fragment, pointer), pointer, chain);
  const auto id = other.ids.find(other.base + "#" + std::string(fragment));
  if (id == other.ids.end()) return std::nullopt;
  return walk(root_of(other), id->second, pointer, chain);
}

/// The keys of a JSON pointer, which starts with a slash, of the `$ref` at `pointer`.
std::vector<std::string> Compiler::pointer_keys(std::string_view fragment, const std::string& pointer) const {
  std::vector<std::string> keys;
  for (std::size_t at = 0; at < fragment.size();) {
    const std::size_t end = std::min(fragment.find('/', at + 1), fragment.size());
    // AJV skips an empty token, and RFC 6901 takes it for the key "": no reading is safe.
    if (end == at + 1)
      fail(pointer, "leads to the JSON pointer " + in_quotes(fragment) +
                        ", which has an empty token: expected a key behind each slash");
    keys.push_back(pointer_key(fragment.substr(at + 1, end - at - 1)));
    at = end;
  }
  return keys;
}

/// Follows `keys` from `place`, rebasing at each id and going through each `$ref` on the way, the last one too.
std::optional<Place> Compiler::walk(Place place, const std::vector<std::string>& keys, const std::string& pointer,
                                    std::size_t chain) {
  for (const std::string& key : keys) {
    place.called = false;
    place.schema = child(*place.schema, key, members_);
    if (!place.schema) return std::nullopt;
    place.where += "/" + js_fragment(key);
    if (is_one_of(key, {"properties", "patternProperties", "enum", "dependencies", "definitions"})) continue;
    if (const auto id = id_of(*place.schema)) place.base = resolved_id(place.base, *id);
    const Json* reference = members_.find(*place.schema, "$ref");
    if (!reference || !reference->is_string() || reference->get_ref<const std::string&>().empty()) continue;
    const std::string_view id = normal_id(reference->get_ref<const std::string&>());
    const std::string full = resolve_uri(place.base, id);
    const bool whole = !fragment_of(full).starts_with('/');
    if (id.empty() || (whole && !fragment_of(full).empty())) continue;
    auto next = resolve_full(*place.document, full, pointer, chain + 1);
    // AJV stops before whole documents that have an id: a reference to one stays a reference.
    if (!next || (whole && (next->document->root != next->schema || next->document->has_id))) continue;
    next->called = next->called || whole;
    place = *std::move(next);
  }
  return place;
}

void Compiler::compile(const std::string& uri, const Json& json) {
  program_.uri = uri;
  Document& document = add_document(uri, json);
  if (const Json* title = get(json, "title"); title && title->is_string()) program_.title = title->get<std::string>();
  function(root_of(document));
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const Place place = places_[i];
    document_ = place.document;
    where_ = place.where;
    calls_ = false;
    const Index schema = compile(*place.schema, "", place.base, 0, true);
    program_.functions[i].schema = schema;
    program_.functions[i].remembered = calls_;
  }
  for (std::size_t i = 0; i < places_.size(); ++i)
    program_.functions[i].remembered = program_.functions[i].remembered && callers_[i] > 1;
  program_.root = program_.functions[0].schema;
  where_ = "#";
  find_defaults();
  check_nesting();
  complete_defaults();
}

Index Compiler::function(const Place& place) {
  const auto [entry, is_new] =
      functions_.try_emplace({place.schema, place.document, place.base}, static_cast<Index>(program_.functions.size()));
  if (is_new) {
    program_.functions.emplace_back();
    places_.push_back(place);
    callers_.push_back(0);
  }
  ++callers_[entry->second];
  return entry->second;
}

Index Compiler::text(std::string value) {
  count_text(value.size());
  program_.texts.push_back(std::move(value));
  return static_cast<Index>(program_.texts.size() - 1);
}

Index Compiler::compile(const Json& json, const std::string& path, std::string base, std::size_t depth, bool top) {
  if (path.size() > limits_.pointer)
    throw CompileError(where_ + path.substr(0, 200) + "... is at a JSON pointer of more than " +
                       std::to_string(limits_.pointer) + " bytes: expected shorter keys");
  if (json.is_boolean()) {
    if (json.get<bool>()) return kNone;
    Schema schema;
    schema.never = true;
    schema.types = 0;
    schema.path = text(path);
    return keep(schema, path);
  }
  if (!json.is_object()) fail(path, "is no schema: expected an object or a boolean");
  if (!has_rules(json)) return kNone;
  if (!top)
    if (const auto id = id_of(json)) base = resolved_id(base, *id);

  const auto has = [&](std::initializer_list<const char*> keywords) {
    return std::any_of(keywords.begin(), keywords.end(), [&](const char* keyword) { return get(json, keyword); });
  };
  const bool numbers = has({"maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "multipleOf", "format"});
  const bool strings = has({"maxLength", "minLength", "pattern", "format"});
  const bool arrays = has({"maxItems", "minItems", "items", "contains", "uniqueItems"});
  const bool objects = has({"maxProperties", "minProperties", "required", "dependencies", "propertyNames", "properties",
                            "additionalProperties", "patternProperties"});

  Schema schema;
  schema.path = text(path);
  const Json* ref = get(json, "$ref");
  if (ref && !ref->is_string()) fail(path + "/$ref", "is no string: expected a URI reference");
  if (ref && ref->get_ref<const std::string&>().empty()) ref = nullptr;
  if (const Json* type = get(json, "type")) {
    std::string name;
    schema.types = read_type(*type, path + "/type", name);
    if (name == "number" && numbers) schema.type_group = Group::number;
    if (name == "string" && strings) schema.type_group = Group::string;
    if (name == "array" && arrays) schema.type_group = Group::array;
    if (name == "object" && objects) schema.type_group = Group::object;
    schema.type_name = text(std::move(name));
    // Beside a $ref AJV runs no group, and so loses what a group would have checked.
    if (ref && schema.type_group != Group::none) schema.types = kAnyType;
  }
  if (ref) {
    OtherRules other;
    const Index target = reference(ref->get_ref<const std::string&>(), path + "/$ref", base);
    other.reference = target;
    program_.others.push_back(std::move(other));
    schema.other = static_cast<Index>(program_.others.size() - 1);
  } else {
    if (numbers) schema.number = number_rules(json, path);
    if (strings) schema.string = string_rules(json, path);
    if (arrays) schema.array = array_rules(json, path, base, depth);
    if (objects) schema.object = object_rules(json, path, base, depth);
    if (has({"const", "enum", "not", "anyOf", "oneOf", "allOf", "if"}))
      schema.other = other_rules(json, path, base, depth);
  }
  return keep(schema, path);
}

void Compiler::set_short(Schema& schema) const {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  constexpr int kDigits = 15;  // of any sign they are below 10^15
  constexpr std::int64_t kLargest = 1'000'000'000'000'000;
  if (schema.string != kNone) {
    const StringRules& rules = program_.strings[schema.string];
    // An escape is longer than what it stands for, and the quotes count too.
    if (rules.pattern == kNone && !rules.format && rules.minimum.value == 0)
      schema.short_string = static_cast<std::uint32_t>(std::min(rules.maximum.value, kMost - 3) + 3);
  }
  if (schema.number != kNone) {
    const NumberRules& rules = program_.numbers[schema.number];
    if (rules.small && rules.smallest <= -kLargest && rules.largest >= kLargest) schema.short_integer = kDigits + 1;
  }
}

Index Compiler::keep(Schema schema, const std::string& path) {
  schema.only_types = schema.number == kNone && schema.string == kNone && schema.array == kNone &&
                      schema.object == kNone && schema.other == kNone;
  if (schema.other == kNone) set_short(schema);
  program_.schemas.push_back(schema);
  wheres_.push_back(where_ + path);
  count_text(wheres_.back().size());
  return static_cast<Index>(program_.schemas.size() - 1);
}

TypeSet Compiler::read_type(const Json& type, const std::string& path, std::string& name) {
  static const std::map<std::string, TypeSet, std::less<>> kTypes = {
      {"null", type_bit(JsonType::null)},     {"boolean", type_bit(JsonType::boolean)},
      {"number", type_bit(JsonType::number)}, {"integer", kIntegerBit},
      {"string", type_bit(JsonType::string)}, {"object", type_bit(JsonType::object)},
      {"array", type_bit(JsonType::array)}};
  const auto read_one = [&](const Json& one) {
    const auto found = one.is_string() ? kTypes.find(one.get_ref<const std::string&>()) : kTypes.end();
    if (found == kTypes.end())
      fail(path, "is no type: expected null, boolean, number, integer, string, object or array, or several of them");
    if (!name.empty()) name += ',';
    name += found->first;
    return found->second;
  };
  TypeSet types = 0;
  if (type.is_array()) {
    for (const Json& one : type) types |= read_one(one);
  } else {
    types = read_one(type);
  }
  return types;
}

void Compiler::read_limit(const Json& schema, const std::string& path, bool maximum, Limit& limit) {
  const std::string keyword = maximum ? "maximum" : "minimum";
  const std::string exclusive_keyword = maximum ? "exclusiveMaximum" : "exclusiveMinimum";
  const Json* inclusive = get(schema, keyword);
  const Json* exclusive = get(schema, exclusive_keyword);
  if (inclusive && !inclusive->is_number()) fail(path + "/" + keyword, "is no number: expected one");
  if (exclusive && !exclusive->is_number() && !exclusive->is_boolean())
    fail(path + "/" + exclusive_keyword, "is no number: expected one, or a boolean in draft 04");
  const bool number = exclusive && exclusive->is_number();
  const Json* chosen = inclusive;
  if (number && (!inclusive || (maximum ? exclusive->get<double>() <= inclusive->get<double>()
                                        : exclusive->get<double>() >= inclusive->get<double>()))) {
    chosen = exclusive;
    limit.exclusive = true;
  } else if (exclusive && exclusive->is_boolean()) {
    limit.exclusive = exclusive->get<bool>();
  }
  if (!chosen) return;
  limit.present = true;
  limit.value = chosen->get<double>();
  limit.text = js_number(limit.value);
  limit.exact.read(chosen->dump());
  if (std::abs(limit.value) < 0x1p62 && limit.value == std::trunc(limit.value)) {
    limit.small = true;
    limit.integer = chosen->is_number_float() ? static_cast<std::int64_t>(limit.value) : chosen->get<std::int64_t>();
  }
}

void Compiler::read_count(const Json& schema, const std::string& path, const char* keyword, bool maximum,
                          Count& count) {
  const Json* found = get(schema, keyword);
  if (!found) return;
  const double value = found->is_number() ? found->get<double>() : -1;
  if (value < 0 || value != std::trunc(value)) fail(path + "/" + keyword, "is no count: expected an integer from 0");
  count.value =
      value >= 0x1p63 ? std::numeric_limits<std::uint64_t>::max() - !maximum : static_cast<std::uint64_t>(value);
  count.text = js_number(value);
}

Index Compiler::number_rules(const Json& schema, const std::string& path) {
  NumberRules rules;
  read_limit(schema, path, true, rules.maximum);
  read_limit(schema, path, false, rules.minimum);
  if (const Json* divisor = get(schema, "multipleOf")) {
    if (!divisor->is_number() || !rules.divisor.read(divisor->dump()))
      fail(path + "/multipleOf", "is no number above 0: expected one");
    rules.has_divisor = true;
    rules.divisor_text = js_number(divisor->get<double>());
  }
  if (!rules.maximum.present && !rules.minimum.present && !rules.has_divisor) return kNone;
  rules.small = !rules.has_divisor && rules.maximum.small >= rules.maximum.present &&
                rules.minimum.small >= rules.minimum.present;
  if (rules.maximum.small) rules.largest = rules.maximum.integer - rules.maximum.exclusive;
  if (rules.minimum.small) rules.smallest = rules.minimum.integer + rules.minimum.exclusive;
  program_.numbers.push_back(std::move(rules));
  return static_cast<Index>(program_.numbers.size() - 1);
}

Index Compiler::string_rules(const Json& schema, const std::string& path) {
  StringRules rules;
  read_count(schema, path, "maxLength", true, rules.maximum);
  read_count(schema, path, "minLength", false, rules.minimum);
  if (const Json* found = get(schema, "pattern")) {
    if (!found->is_string()) fail(path + "/pattern", "is no string: expected a regular expression");
    rules.pattern = pattern(found->get_ref<const std::string&>(), path + "/pattern");
  }
  if (const Json* found = get(schema, "format")) {
    if (!found->is_string()) fail(path + "/format", "is no string: expected the name of a format");
    rules.format_name = found->get<std::string>();
    rules.format = format_named(rules.format_name);
    if (!rules.format)
      fail(path + "/format", "is " + in_quotes(rules.format_name) + ", an unknown format: expected one of " +
                                 std::string(format_names()));
  }
  program_.strings.push_back(std::move(rules));
  return static_cast<Index>(program_.strings.size() - 1);
}

Index Compiler::pattern(const std::string& pattern_text, const std::string& path) {
  if (const auto known = patterns_.find(pattern_text); known != patterns_.end()) return known->second;
  const auto translated = re2_pattern(pattern_text);
  if (!translated) fail(path, "is " + in_quotes(pattern_text) + ", which " + translated.error());
  RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(static_cast<std::int64_t>(limits_.pattern_memory));
  auto re2 = std::make_unique<const RE2>(*translated, options);
  if (!re2->ok())
    fail(path, "is " + in_quotes(pattern_text) + ", which RE2 does not take (" + re2->error() +
                   "): expected a smaller or simpler pattern");
  pattern_size_ += static_cast<std::size_t>(re2->ProgramSize());
  if (pattern_size_ > limits_.patterns)
    fail(path, "is " + in_quotes(pattern_text) + ", with which the patterns come to more than " +
                   std::to_string(limits_.patterns) + " instructions: expected fewer or simpler ones");
  program_.patterns.push_back({pattern_text, std::move(re2)});
  return patterns_[pattern_text] = static_cast<Index>(program_.patterns.size() - 1);
}

std::unique_ptr<Constant> Compiler::make_constant(std::string json) {
  auto made = std::make_unique<Constant>();
  made->size = json.size();
  made->text = std::move(json);
  made->text.append(kJsonPadding, '\0');
  if (const auto error = parse_json(made->json(), made->nodes))
    throw CompileError(where_ + " has a value that is no JSON: expected " + error->expected);
  return made;
}

Index Compiler::constant(std::string json) {
  program_.constants.push_back(make_constant(std::move(json)));
  return static_cast<Index>(program_.constants.size() - 1);
}

Index Compiler::array_rules(const Json& schema, const std::string& path, const std::string& base, std::size_t depth) {
  ArrayRules rules;
  read_count(schema, path, "maxItems", true, rules.maximum);
  read_count(schema, path, "minItems", false, rules.minimum);
  const Json* items = get(schema, "items");
  if (items && items->is_array()) {
    rules.is_tuple = true;
    bool defaults = false;
    for (std::size_t i = 0; i < items->size(); ++i) {
      const Json& item = (*items)[i];
      rules.tuple.push_back(compile_at(item, path + "/items/" + std::to_string(i), base, depth));
      const Json* default_value = default_of(item);
      rules.tuple_defaults.push_back(default_value ? constant(js_json(*default_value)) : kNone);
      defaults = defaults || default_value;
    }
    if (!defaults) rules.tuple_defaults.clear();
    if (const Json* more = get(schema, "additionalItems")) {
      if (*more == false)
        rules.no_more_items = true;
      else if (more->is_object())
        rules.items = compile_at(*more, path + "/additionalItems", base, depth);
    }
  } else if (items) {
    rules.items = compile_at(*items, path + "/items", base, depth);
  }
  if (const Json* contains = get(schema, "contains")) {
    rules.has_contains = true;
    rules.contains = compile_at(*contains, path + "/contains", base, depth);
  }
  if (const Json* unique = get(schema, "uniqueItems")) {
    if (!unique->is_boolean()) fail(path + "/uniqueItems", "is no boolean: expected one");
    rules.unique = unique->get<bool>();
    const Json* type = items ? get(*items, "type") : nullptr;
    if (rules.unique && type) {
      std::string name;
      const TypeSet types = read_type(*type, path + "/items/type", name);
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

Index Compiler::object_rules(const Json& schema, const std::string& path, const std::string& base, std::size_t depth) {
  ObjectRules rules;
  read_count(schema, path, "maxProperties", true, rules.maximum);
  read_count(schema, path, "minProperties", false, rules.minimum);
  const auto object = [&](const char* keyword) -> const Json* {
    const Json* found = get(schema, keyword);
    if (found && !found->is_object()) fail(path + "/" + keyword, "is no object: expected one");
    return found;
  };
  std::vector<bool> never;
  std::vector<bool> conditions;  // AJV looks for a required property where its schema is, if that is a condition.
  if (const Json* properties = object("properties"))
    for (const auto& [key, value] : js_members(*properties)) {
      Property made = make_property(key);
      ++rules.declared;
      conditions.push_back(value->is_object() && has_rules(*value));
      never.push_back(*value == false);
      made.schema = compile_at(*value, path + "/properties/" + js_fragment(key), base, depth);
      if (const Json* default_value = default_of(*value)) {
        made.default_value = constant(js_json(*default_value));
        rules.defaults.push_back(static_cast<Index>(rules.properties.size()));
      }
      rules.properties.push_back(std::move(made));
    }
  const auto key_of = [&](const Json& key, const char* keyword) {
    if (!key.is_string()) fail(path + "/" + keyword, "has a key that is no string: expected strings");
    return key.get<std::string>();
  };
  std::map<std::string, Index, std::less<>> known;
  for (std::size_t i = 0; i < rules.properties.size(); ++i) known[rules.properties[i].key] = static_cast<Index>(i);
  const auto known_property = [&](const std::string& key) {
    const auto [entry, is_new] = known.try_emplace(key, static_cast<Index>(rules.properties.size()));
    if (is_new) rules.properties.push_back(make_property(key));
    return entry->second;
  };
  if (const Json* required = get(schema, "required")) {
    if (!required->is_array()) fail(path + "/required", "is no array: expected one of keys");
    for (const Json& key : *required) {
      const Index index = known_property(key_of(key, "required"));
      if (index < conditions.size() && conditions[index]) {
        rules.properties[index].required = true;
        continue;
      }
      rules.required.push_back(index);
      // AJV takes `false` for no schema before the properties, and for one among them: it says twice what is missing.
      if (index < conditions.size() && never[index]) rules.properties[index].required = true;
    }
  }
  if (const Json* dependencies = object("dependencies")) {
    std::vector<Dependency> with_schemas;
    for (const auto& [key, value] : js_members(*dependencies)) {
      Dependency dependency;
      if (value->is_array()) {
        if (value->empty()) continue;
        dependency.property = known_property(std::string(key));
        for (const Json& needed : *value) {
          dependency.required.push_back(known_property(key_of(needed, "dependencies")));
          if (dependency.required.size() > 1) dependency.required_text += ", ";
          dependency.required_text += needed.get_ref<const std::string&>();
        }
        rules.dependencies.push_back(std::move(dependency));
      } else if (has_rules(*value)) {
        dependency.property = known_property(std::string(key));
        dependency.schema = compile(*value, path + "/dependencies/" + js_fragment(key), base, depth + 1);
        with_schemas.push_back(std::move(dependency));
      }
    }
    std::move(with_schemas.begin(), with_schemas.end(), std::back_inserter(rules.dependencies));
  }
  if (const Json* names = get(schema, "propertyNames"))
    rules.property_names = compile_at(*names, path + "/propertyNames", base, depth);
  if (const Json* patterns = object("patternProperties"))
    for (const auto& [key, value] : js_members(*patterns)) {
      const std::string at = path + "/patternProperties/" + js_fragment(key);
      rules.patterns.push_back({pattern(std::string(key), at), compile_at(*value, at, base, depth)});
    }
  if (const Json* additional = get(schema, "additionalProperties")) {
    if (*additional == false)
      rules.no_additional = true;
    else if (!additional->is_boolean())
      rules.additional = compile(*additional, path + "/additionalProperties", base, depth + 1);
  }
  rules.simple = rules.maximum.text.empty() && rules.minimum.text.empty() && rules.dependencies.empty() &&
                 rules.property_names == kNone && rules.patterns.empty() && rules.properties.size() <= 64;
  if (rules.additional != kNone) {
    const Schema& additional = program_.schemas[rules.additional];
    rules.additional_types = additional.types;
    // Integers may have to be rewritten, which types do not tell.
    rules.simple = rules.simple && additional.only_types && !(additional.types & kIntegerBit);
  }
  make_table(rules);
  program_.objects.push_back(std::move(rules));
  return static_cast<Index>(program_.objects.size() - 1);
}

void Compiler::make_table(ObjectRules& rules) {
  std::vector<std::string> keys;
  for (const Property& property : rules.properties) keys.push_back(property.key);
  rules.keys = KeyTable(keys);
  for (std::size_t i = 0; i < rules.declared; ++i) rules.schemas.push_back(rules.properties[i].schema);
  if (rules.properties.size() > 64) return;
  for (std::size_t i = 0; i < rules.properties.size(); ++i)
    if (rules.properties[i].required) rules.all_required |= std::uint64_t{1} << i;
  for (const Index i : rules.required) rules.all_required |= std::uint64_t{1} << i;
}

std::vector<Index> Compiler::schemas(const Json& list, const std::string& path, const std::string& base,
                                     std::size_t depth) {
  if (!list.is_array()) fail(path, "is no array: expected one of schemas");
  std::vector<Index> compiled;
  for (std::size_t i = 0; i < list.size(); ++i)
    compiled.push_back(compile_at(list[i], path + "/" + std::to_string(i), base, depth));
  return compiled;
}

Index Compiler::other_rules(const Json& schema, const std::string& path, const std::string& base, std::size_t depth) {
  OtherRules rules;
  // Numbers keep all their digits in comparisons; JSON.stringify's are in the messages.
  if (const Json* value = get(schema, "const")) {
    rules.constant = constant(value->dump());
    rules.constant_text = js_json(*value);
  }
  if (const Json* values = get(schema, "enum")) {
    if (!values->is_array()) fail(path + "/enum", "is no array: expected one of values");
    rules.has_enumeration = true;
    std::set<std::string> strings;
    for (const Json& value : *values) {
      if (value.is_string())
        strings.insert(value.get<std::string>());
      else
        rules.enumeration.push_back(constant(value.dump()));
    }
    rules.strings = KeyTable({strings.begin(), strings.end()});
    rules.enumeration_text = js_json(*values);
  }
  if (const Json* negated = get(schema, "not")) {
    rules.has_negation = true;
    rules.negation = compile_at(*negated, path + "/not", base, depth);
  }
  if (const Json* list = get(schema, "anyOf")) {
    // One branch that is no condition, and AJV leaves all of them out.
    rules.has_any_of = std::all_of(list->begin(), list->end(), has_rules);
    if (rules.has_any_of) rules.any_of = schemas(*list, path + "/anyOf", base, depth);
  }
  if (const Json* list = get(schema, "oneOf")) {
    rules.one_of = schemas(*list, path + "/oneOf", base, depth);
    rules.has_one_of = true;
  }
  if (const Json* list = get(schema, "allOf")) {
    rules.all_of = schemas(*list, path + "/allOf", base, depth);
    std::erase(rules.all_of, kNone);
  }
  if (const Json* condition = get(schema, "if")) {
    const Json* then_json = get(schema, "then");
    const Json* else_json = get(schema, "else");
    rules.has_condition = (then_json && has_rules(*then_json)) || (else_json && has_rules(*else_json));
    if (rules.has_condition) {
      rules.condition = compile_at(*condition, path + "/if", base, depth);
      if (then_json) rules.then_schema = compile_at(*then_json, path + "/then", base, depth);
      if (else_json) rules.else_schema = compile_at(*else_json, path + "/else", base, depth);
    }
  }
  program_.others.push_back(std::move(rules));
  return static_cast<Index>(program_.others.size() - 1);
}

Index Compiler::reference(const std::string& reference_text, const std::string& path, const std::string& base) {
  const Place place = resolve(reference_text, path, base);
  calls_ = true;
  const bool root = reference_text == "#" || reference_text == "#/";
  const auto [known, is_new] = inlined_.try_emplace(place.schema, false);
  if (is_new) known->second = is_inlined(*place.schema);
  Reference made;
  made.prefix = !root && !place.called && known->second ? reference_text : "#";
  made.function = function(place);
  program_.references.push_back(std::move(made));
  return static_cast<Index>(program_.references.size() - 1);
}

bool Compiler::subschemas_have_defaults(const Schema& schema) const {
  if (schema.array != kNone) {
    const ArrayRules& rules = program_.arrays[schema.array];
    if (!rules.tuple_defaults.empty() || has_defaults(rules.items)) return true;
    for (const Index item : rules.tuple)
      if (has_defaults(item)) return true;
  }
  if (schema.object != kNone) {
    const ObjectRules& rules = program_.objects[schema.object];
    if (!rules.defaults.empty() || has_defaults(rules.additional)) return true;
    for (const Property& one : rules.properties)
      if (has_defaults(one.schema)) return true;
    for (const Dependency& one : rules.dependencies)
      if (has_defaults(one.schema)) return true;
    for (const PatternProperty& one : rules.patterns)
      if (has_defaults(one.schema)) return true;
  }
  if (schema.other != kNone) {
    const OtherRules& rules = program_.others[schema.other];
    if (rules.reference != kNone &&
        has_defaults(program_.functions[program_.references[rules.reference].function].schema))
      return true;
    for (const Index one : rules.all_of)
      if (has_defaults(one)) return true;
    if (has_defaults(rules.then_schema) || has_defaults(rules.else_schema)) return true;
  }
  return false;
}

void Compiler::find_defaults() {
  // Subschemas come before their schemas, so another pass is needed only where a reference leads forward.
  for (bool changed = true; changed;) {
    changed = false;
    for (Schema& schema : program_.schemas)
      if (!schema.has_defaults && subschemas_have_defaults(schema)) changed = schema.has_defaults = true;
  }
}

/// The schemas one inside the other, from `schema` on, that apply to the same value.
std::size_t Compiler::depth_in_place(Index index, std::vector<std::size_t>& depths, std::size_t depth) {
  constexpr std::size_t kEntered = std::numeric_limits<std::size_t>::max();
  if (index == kNone) return 0;
  const Schema& schema = program_.schemas[index];
  const std::string& where = wheres_[index];
  if (depths[index] == kEntered)
    throw CompileError(where + " leads back to itself on the same value: expected a $ref inside a property or an item");
  if (depths[index] == 0) {
    if (depth > kMaxDepthInPlace)
      throw CompileError(where + " is one of more than " + std::to_string(kMaxDepthInPlace) +
                         " schemas, one inside the other, for the same value");
    depths[index] = kEntered;
    std::size_t deepest = 0;
    const auto visit = [&](Index inner) { deepest = std::max(deepest, depth_in_place(inner, depths, depth + 1)); };
    if (schema.object != kNone)
      for (const Dependency& one : program_.objects[schema.object].dependencies) visit(one.schema);
    if (schema.other != kNone) {
      const OtherRules& rules = program_.others[schema.other];
      if (rules.reference != kNone) visit(program_.functions[program_.references[rules.reference].function].schema);
      visit(rules.negation);
      for (const auto* list : {&rules.any_of, &rules.one_of, &rules.all_of})
        for (const Index inner : *list) visit(inner);
      visit(rules.condition);
      visit(rules.then_schema);
      visit(rules.else_schema);
    }
    depths[index] = deepest + 1;
  }
  if (depth + depths[index] > kMaxDepthInPlace)
    throw CompileError(where + " is one of more than " + std::to_string(kMaxDepthInPlace) +
                       " schemas, one inside the other, for the same value");
  return depths[index];
}

void Compiler::check_nesting() {
  std::vector<std::size_t> depths(program_.schemas.size(), 0);
  for (Index i = 0; i < program_.schemas.size(); ++i) depth_in_place(i, depths, 0);
}

/// Defaults get the defaults inside them, once and for all events. One that would grow without end is an error.
void Compiler::complete_defaults() {
  const auto completed = [this](const Constant& value, Index schema,
                                const std::string& where) -> std::unique_ptr<Constant> {
    if (!has_defaults(schema) || !(value.value().is_object() || value.value().is_array())) return nullptr;
    std::unique_ptr<Constant> current;
    EventPatch splice;
    for (int round = 0;; ++round) {
      const JsonValue now = current ? current->value() : value.value();
      splice.clear();
      if (!complete_value(program_, schema, now, splice)) return current;
      std::string next;
      splice.apply(now, next);
      if (round == kMaxDefaultRounds || next.size() > kMaxDefaultSize)
        throw CompileError(where + " has a default that makes itself again, without end");
      current = make_constant(std::move(next));
    }
  };
  for (std::size_t index = 0; index < program_.schemas.size(); ++index) {
    const Schema& schema = program_.schemas[index];
    const std::string& where = wheres_[index];
    if (schema.object != kNone)
      for (const Index i : program_.objects[schema.object].defaults) {
        const Property& one = program_.objects[schema.object].properties[i];
        if (auto value = completed(*program_.constants[one.default_value], one.schema,
                                   where + "/properties/" + js_fragment(one.key)))
          program_.constants[one.default_value] = std::move(value);
      }
    if (schema.array != kNone) {
      const ArrayRules& rules = program_.arrays[schema.array];
      for (std::size_t i = 0; i < rules.tuple_defaults.size(); ++i)
        if (rules.tuple_defaults[i] != kNone)
          if (auto value = completed(*program_.constants[rules.tuple_defaults[i]], rules.tuple[i],
                                     where + "/items/" + std::to_string(i)))
            program_.constants[rules.tuple_defaults[i]] = std::move(value);
    }
  }
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
    return cut_message(error.what());
  }
  return std::make_shared<const CompiledSchema>(std::move(program));
}

}  // namespace eventgate
