#include "ref_resolver.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "eventgate/base/json_pointer.hpp"
#include "eventgate/base/percent.hpp"
#include "eventgate/base/quote.hpp"
#include "eventgate/json/json_text.hpp"
#include "eventgate/schema/ajv_text.hpp"
#include "eventgate/schema/metaschemas.hpp"
#include "eventgate/schema/schema_keywords.hpp"
#include "eventgate/schema/uri_reference.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

/// Keywords whose values hold no schemas and so no ids, as json-schema-traverse lists them.
const std::set<std::string, std::less<>> kWithoutSchemas = {
    "default",          "enum",        "const",         "required",     "maximum", "minimum", "exclusiveMaximum",
    "exclusiveMinimum", "multipleOf",  "maxLength",     "minLength",    "pattern", "format",  "maxItems",
    "minItems",         "uniqueItems", "maxProperties", "minProperties"};

/// Returns the levels of objects and arrays in `value`, at most `limit`.
std::size_t depth_of(const Json& value, std::size_t limit) {
  if (!value.is_structured() || limit == 0) return 0;
  std::size_t depth = 0;
  for (const Json& child : value) depth = std::max(depth, depth_of(child, limit - 1));
  return depth + 1;
}

/// Returns an id or a `$ref` without a `#` or `#/` at its end.
std::string_view normal_id(std::string_view id) {
  if (id.ends_with("#/")) return id.substr(0, id.size() - 2);
  if (id.ends_with('#')) return id.substr(0, id.size() - 1);
  return id;
}

}  // namespace

void TextBudget::add(std::size_t size, const std::string& where) {
  size_ += size;
  if (size_ > max_size_)
    throw CompileError(where + " has more than " + std::to_string(max_size_) +
                       " bytes in the JSON pointers and ids of its schemas: expected shorter keys, or fewer schemas");
}

ResolvedSchema RefResolver::root_of(ResolvedDocument& document) const {
  const bool is_first = &document == documents_.front().get();
  return {document.root, &document, document.base, (is_first ? "" : document.path) + "#"};
}

std::optional<std::string> RefResolver::id_of(const Json& schema, const std::string& where) {
  const Json* found = nullptr;
  for (const char* keyword : {"$id", "id"})
    if (const Json* id = members_.find(schema, keyword);
        id && id->is_string() && !id->get_ref<const std::string&>().empty()) {
      if (found && *found != *id)
        throw CompileError(where + " has $id " + quote(found->get_ref<const std::string&>()) +
                           " and another id: expected them to be equal");
      if (!found) found = id;
    }
  if (!found) return std::nullopt;
  return std::string(normal_id(found->get_ref<const std::string&>()));
}

std::string RefResolver::resolve_id(const std::string& base, const std::string& id, const std::string& where) const {
  std::string resolved = resolve_uri(base, id);
  if (resolved.size() > limits_.id)
    throw CompileError(where + " has an id of more than " + std::to_string(limits_.id) + " bytes");
  return resolved;
}

ResolvedDocument& RefResolver::add_document(const std::string& path, const Json& root) {
  auto document = std::make_unique<ResolvedDocument>();
  const std::string where = (documents_.empty() ? "" : path) + "#";
  document->path = without_fragment(resolve_uri("", path));
  document->root = &root;
  if (!root.is_object() && !root.is_boolean())
    throw CompileError(where + " is no schema: expected an object or a boolean");
  if (depth_of(root, limits_.depth + 1) > limits_.depth)
    throw CompileError(where + " is nested deeper than " + std::to_string(limits_.depth) + " levels");
  if (const Json* metaschema = find_member(root, "$schema")) {
    Metaschema draft;
    if (!metaschema->is_string())
      throw CompileError(where + "/$schema is no string: expected the URI of draft 04, 06 or 07");
    const std::string& uri = metaschema->get_ref<const std::string&>();
    if (!uri.empty() && !find_draft(uri, draft))
      throw CompileError(
          where + "/$schema is " + quote(uri) +
          ", an unknown metaschema: expected http://json-schema.org/draft-07/schema#, or draft 06 or 04");
  }
  const std::optional<std::string> id = id_of(root, where);
  document->base = without_fragment(resolve_id(document->path, id ? *id : "", where));
  document->has_id = id.has_value();
  std::vector<std::string> keys;
  if (root.is_object()) add_ids(*document, root, document->base, where, keys);
  documents_.push_back(std::move(document));
  return *documents_.back();
}

/// Adds the ids of the schemas inside `schema`. AJV looks under any key that may hold a schema.
void RefResolver::add_ids(ResolvedDocument& document, const Json& schema, const std::string& base,
                          const std::string& where, std::vector<std::string>& keys) {
  const auto visit = [&](const Json& inner) {
    if (!inner.is_object()) return;
    std::string inner_base = base;
    if (const auto id = id_of(inner, where)) {
      inner_base = resolve_id(base, *id, where);
      if (inner_base != document.base) {
        texts_.add(inner_base.size(), where);
        for (const std::string& key : keys) texts_.add(key.size(), where);
        document.ids[inner_base] = keys;
      }
    }
    add_ids(document, inner, inner_base, where, keys);
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

ResolvedDocument& RefResolver::load(const std::string& path, const RefPosition& from) {
  for (const auto& document : documents_)
    if (document->path == path) return *document;
  Metaschema draft;
  if (find_draft(path, draft)) {
    ResolvedDocument& metaschema = add_document(path, metaschema_document(draft));
    metaschema.is_metaschema = true;
    return metaschema;
  }
  const auto read = refs_(path);
  if (!read) from.fail("leads to " + quote(path) + ", which cannot be read: " + read.error());
  return add_document(path, **read);
}

ResolvedSchema RefResolver::resolve(const std::string& reference, const RefPosition& from) {
  if (reference == "#" || reference == "#/") return root_of(*from.document);
  const std::string full = resolve_uri(from.base, normal_id(reference));
  auto found = resolve_full(*from.document, full, from, 0);
  if (!found) from.fail("is " + quote(reference) + ", which leads nowhere: expected a schema at " + quote(full));
  return *std::move(found);
}

std::optional<ResolvedSchema> RefResolver::resolve_full(ResolvedDocument& document, const std::string& full,
                                                        const RefPosition& from, std::size_t chain) {
  if (chain > limits_.ref_chain)
    from.fail("leads through more than " + std::to_string(limits_.ref_chain) + " references");
  const std::string path(without_fragment(full));
  const std::string_view fragment = fragment_of(full);
  if (const auto id = document.ids.find(full); id != document.ids.end())
    return follow(root_of(document), id->second, from, chain);
  if (path == document.base) {
    if (fragment.empty()) return root_of(document);
    if (fragment.starts_with('/')) return follow(root_of(document), pointer_keys(fragment, from), from, chain);
    return std::nullopt;
  }
  if (const auto id = document.ids.find(path); id != document.ids.end()) {
    auto place = follow(root_of(document), id->second, from, chain);
    if (!place || !fragment.starts_with('/')) return std::nullopt;
    return follow(*std::move(place), pointer_keys(fragment, from), from, chain);
  }
  ResolvedDocument& other = load(path, from);
  if (fragment.empty()) return root_of(other);
  if (fragment.starts_with('/')) return follow(root_of(other), pointer_keys(fragment, from), from, chain);
  const auto id = other.ids.find(other.base + "#" + std::string(fragment));
  if (id == other.ids.end()) return std::nullopt;
  return follow(root_of(other), id->second, from, chain);
}

/// Returns the keys of a JSON pointer, which starts with a slash.
std::vector<std::string> RefResolver::pointer_keys(std::string_view fragment, const RefPosition& from) {
  std::vector<std::string> keys;
  for (std::size_t at = 0; at < fragment.size();) {
    const std::size_t end = std::min(fragment.find('/', at + 1), fragment.size());
    // AJV skips an empty token, but in RFC 6901 it is the key "". The schema must not depend on the reader.
    if (end == at + 1)
      from.fail("leads to the JSON pointer " + quote(fragment) +
                ", which has an empty token: expected a key behind each slash");
    keys.push_back(unescape_pointer_token(percent_decode(fragment.substr(at + 1, end - at - 1))));
    at = end;
  }
  return keys;
}

/// Follows `keys` from `place`. Changes the base at each id and follows each `$ref` on the way, the last one too.
std::optional<ResolvedSchema> RefResolver::follow(ResolvedSchema place, const std::vector<std::string>& keys,
                                                  const RefPosition& from, std::size_t chain) {
  for (const std::string& key : keys) {
    place.never_inlined = false;
    place.schema = find_child(*place.schema, key);
    if (!place.schema) return std::nullopt;
    place.where += "/" + js_fragment(key);
    if (is_one_of(key, {"properties", "patternProperties", "enum", "dependencies", "definitions"})) continue;
    if (const auto id = id_of(*place.schema, from.where)) place.base = resolve_id(place.base, *id, from.where);
    const Json* reference = members_.find(*place.schema, "$ref");
    if (!reference || !reference->is_string() || reference->get_ref<const std::string&>().empty()) continue;
    const std::string_view id = normal_id(reference->get_ref<const std::string&>());
    const std::string full = resolve_uri(place.base, id);
    const bool whole = !fragment_of(full).starts_with('/');
    if (id.empty() || (whole && !fragment_of(full).empty())) continue;
    auto next = resolve_full(*place.document, full, from, chain + 1);
    // AJV does not follow a reference to a whole document that has an id.
    if (!next || (whole && (next->document->root != next->schema || next->document->has_id))) continue;
    next->never_inlined = next->never_inlined || whole;
    place = *std::move(next);
  }
  return place;
}

const Json* RefResolver::find_child(const Json& value, const std::string& key) {
  if (value.is_object()) return members_.find(value, key);
  const auto index = value.is_array() ? array_index(key) : std::nullopt;
  return index && *index < value.size() ? &value[*index] : nullptr;
}

}  // namespace eventgate
