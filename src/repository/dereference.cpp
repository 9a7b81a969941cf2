#include "dereference.hpp"

// This does not use the RefResolver of the module schema. That one reproduces AJV, which follows some references on the
// way and ignores ids under some keywords. A written-out document follows the drafts.

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "eventgate/base/percent.hpp"
#include "eventgate/schema/member_index.hpp"
#include "eventgate/schema/metaschemas.hpp"
#include "eventgate/schema/schema_keywords.hpp"
#include "eventgate/schema/uri_reference.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

/// Limits of the result: levels, where each `$ref` on the way counts as one, and approximate bytes of its text,
/// indented by two spaces a level.
constexpr std::size_t kMaxDepth = 500;
constexpr std::size_t kMaxText = 4'000'000;
/// Limit of an id, bytes. The compiler rejects longer ids, except in data that looks like a schema.
constexpr std::size_t kMaxId = 4096;
/// Bytes of a value's text besides its indentation, its key and a string: quotes, colon, comma and line end.
constexpr std::size_t kPunctuation = 6;

struct NotDereferenced : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::optional<std::string> text_at(const Json& object, const char* key) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

/// Returns the base URI inside `schema`. `base` is the one around it.
std::string base_in(const Json& schema, const std::string& base) {
  auto id = text_at(schema, "$id");
  if (!id) id = text_at(schema, "id");
  return id && id->size() <= kMaxId ? resolve_uri(base, *id) : base;
}

/// The role of a value in a schema document.
enum class Role {
  schema,
  names,    ///< An object from names to schemas, such as the value of `properties`.
  example,  ///< An example. Its `$ref` is replaced too.
  data,     ///< The value of `const`, `enum` or `default`, in which nothing is a keyword.
};

struct Document {
  std::string path;
  const Json* root;
};

struct Place {
  const Json* value;
  Document document;
  std::string base;  ///< The base URI around it.
};

class Dereferencer {
 public:
  explicit Dereferencer(const RefReader& refs) : refs_(refs) {}

  Json written_out(const Place& place, Role role = Role::schema) {
    const Json& value = *place.value;
    bounded(++depth_, kMaxDepth, "levels");
    text_ += 2 * depth_ + kPunctuation + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
    bounded(text_, kMaxText, "bytes");
    Json out = written_out_here(place, role);
    --depth_;
    return out;
  }

 private:
  static void bounded(std::size_t size, std::size_t max, const char* what) {
    if (size > max)
      throw NotDereferenced("expected at most " + std::to_string(max) + " " + what + " once every $ref is replaced");
  }

  Json written_out_here(const Place& place, Role role) {
    const Json& value = *place.value;
    if (value.is_array()) {
      Json out = Json::array();
      for (const Json& item : value) out.push_back(written_out({&item, place.document, place.base}, role));
      return out;
    }
    if (!value.is_object()) return value;
    const auto ref = takes_refs(role) ? text_at(value, "$ref") : std::nullopt;
    if (ref) return referenced(*ref, place);
    return members(value, place.document, role == Role::schema ? base_in(value, place.base) : place.base, role);
  }

  static bool takes_refs(Role role) { return role == Role::schema || role == Role::example; }

  Json members(const Json& object, const Document& document, const std::string& base, Role role) {
    Json out = Json::object();
    for (const auto& [key, member] : object.items()) {
      if (key == "$ref" && takes_refs(role) && member.is_string()) continue;
      text_ += key.size();
      Role inside = role == Role::names ? Role::schema : role;
      if (role == Role::schema && holds_data(key)) inside = Role::data;
      if (role == Role::schema && names_schemas(key)) inside = Role::names;
      if (role == Role::schema && key == "examples") inside = Role::example;
      append_member(out, key, written_out({&member, document, base}, inside));
    }
    return out;
  }

  Json referenced(const std::string& reference, const Place& from) {
    const Place to = resolve(reference, from);
    Json out;
    if (!open_.insert(to.value).second) return {{"$ref", resolve_uri(from.base, reference)}};
    out = written_out(to);
    open_.erase(to.value);
    return out;
  }

  Place resolve(const std::string& reference, const Place& from) {
    const std::string full = resolve_uri(from.base, reference);
    const std::string path(without_fragment(full));
    const std::string_view fragment = fragment_of(full);
    const auto nowhere = [&] { return NotDereferenced("$ref '" + reference + "' leads nowhere"); };

    auto place = with_id({from.document.root, from.document, from.document.path}, path);
    if (!place) {
      const Document other = load(path);
      place = Place{other.root, other, other.path};
    }
    if (fragment.empty()) return *place;
    if (!fragment.starts_with('/')) {
      place = with_id(*place, full);
      if (!place) throw nowhere();
      return *place;
    }
    auto& [value, document, base] = *place;
    // Walk down key by key, because ids on the way change the base.
    bool names = false;
    for (const std::string& key : pointer_keys(std::string(fragment))) {
      if (!names) base = base_in(*value, base);
      names = !names && names_schemas(key);
      const auto index = value->is_array() ? Json::json_pointer("/" + key) : Json::json_pointer();
      if (const Json* member = members_.find(*value, key)) {
        value = member;
      } else if (value->is_array() && value->contains(index)) {
        value = &value->at(index);
      } else {
        throw nowhere();
      }
    }
    return *place;
  }

  static std::vector<std::string> pointer_keys(const std::string& fragment) {
    std::vector<std::string> keys;
    try {
      for (Json::json_pointer pointer(percent_decode(fragment)); !pointer.empty(); pointer.pop_back())
        keys.insert(keys.begin(), pointer.back());
    } catch (const Json::exception&) {
      throw NotDereferenced("'#" + fragment + "': expected a JSON pointer");
    }
    return keys;
  }

  using Ids = std::unordered_map<std::string, Place>;

  /// Returns the first schema at or below `place` whose id resolves to `uri`.
  std::optional<Place> with_id(const Place& place, const std::string& uri) {
    const auto [ids, is_new] = ids_.try_emplace({place.value, place.base});
    if (is_new) add_ids(place, ids->second, true);
    const auto found = ids->second.find(uri);
    if (found == ids->second.end()) return std::nullopt;
    return found->second;
  }

  static void add_ids(const Place& place, Ids& ids, bool outermost) {
    if (!place.value->is_structured()) return;
    const std::string base = base_in(*place.value, place.base);
    if (outermost || base != place.base) {
      ids.emplace(base, place);
      ids.emplace(without_fragment(base), place);
    }
    for (const Json& inner : *place.value) add_ids({&inner, place.document, base}, ids, false);
  }

  Document load(const std::string& path) const {
    Metaschema draft{};
    if (find_draft(path, draft)) return {path, &metaschema_document(draft)};
    const auto read = refs_(path);
    if (!read) throw NotDereferenced("$ref to '" + path + "', which cannot be read: " + read.error());
    return {path, *read};
  }

  const RefReader& refs_;
  MemberIndex members_;
  /// The ids inside a value, by the value and the base URI around it.
  std::map<std::pair<const Json*, std::string>, Ids> ids_;
  std::set<const Json*> open_;  ///< The schemas that are being written out.
  std::size_t depth_ = 0;
  std::size_t text_ = 0;
};

}  // namespace

boost::system::result<Json, SchemaProblem> dereferenced(const std::string& uri, const Json& document,
                                                        const RefReader& refs) {
  try {
    return {boost::system::in_place_value, Dereferencer(refs).written_out({&document, {uri, &document}, uri})};
  } catch (const NotDereferenced& error) {
    return SchemaProblem{error.what()};
  }
}

}  // namespace eventgate
