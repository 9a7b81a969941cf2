#include "ref_replacement.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "eventgate/base/json_pointer.hpp"
#include "eventgate/base/percent.hpp"
#include "eventgate/schema/metaschemas.hpp"
#include "eventgate/schema/schema_keywords.hpp"
#include "eventgate/schema/uri_reference.hpp"

namespace eventgate {
namespace {

/// Limits of a schema in which each `$ref` is replaced: levels, and bytes of keys and texts with two spaces a level.
constexpr std::size_t kMaxDepth = 500;
constexpr std::size_t kMaxText = 4'000'000;
/// Limit of a chain of `$ref`s.
constexpr std::size_t kMaxChain = 64;

const std::string* ref_of(const JsValue& value) {
  if (!value.is_object()) return nullptr;
  const JsValue* const ref = value.object().find("$ref");
  return ref && ref->is_text() && !ref->text().empty() ? &ref->text() : nullptr;
}

class Replacement {
 public:
  Replacement(std::string uri, const DocumentReader& reader) : root_uri_(std::move(uri)), reader_(reader) {}

  JsValue replaced(JsValue root) {
    documents_.emplace(root_uri_, root);
    JsValue whole = visit(root, {root_uri_, ""});
    measure(whole);
    return whole;
  }

  struct NotReplaced : std::runtime_error {
    NotReplaced(RefProblem problem_) : runtime_error(problem_.message), problem(std::move(problem_)) {}
    RefProblem problem;
  };

 private:
  struct Place {
    std::string document;
    std::string pointer;
  };
  struct Target {
    JsValue value;
    Place place;
  };

  [[noreturn]] static void fail(const Place& at, const std::string& message) {
    throw NotReplaced(RefProblem{at.document, at.pointer, message});
  }

  static Place inside(const Place& at, const std::string& key) {
    return {at.document, at.pointer + '/' + escape_pointer_token(key)};
  }

  JsValue visit(const JsValue& value, const Place& at) {
    if (!value.is_structured()) return value;
    if (ref_of(value)) return target_of(value, at);
    if (finished_.contains(value.identity())) return value;
    if (open_.size() > kMaxDepth) fail(at, "expected at most " + std::to_string(kMaxDepth) + " levels");
    if (!open_.insert(value.identity()).second) fail(at, "expected no circle of $ref, found one that leads back here");
    if (value.is_list()) {
      for (std::size_t i = 0; i < value.list().size(); ++i) {
        JsValue& item = value.list()[i];
        if (item.is_structured()) item = visit(JsValue(item), inside(at, std::to_string(i)));
      }
    } else {
      for (std::size_t i = 0; i < value.object().members().size(); ++i) {
        const auto& [key, member] = value.object().members()[i];
        if (!member.is_structured()) continue;
        JsValue whole = visit(JsValue(member), inside(at, key));
        value.object().set(std::string(key), std::move(whole));
      }
    }
    open_.erase(value.identity());
    finished_.insert(value.identity());
    kept_.push_back(value);
    return value;
  }

  /// Returns the value that replaces the `$ref` at `at`.
  JsValue target_of(const JsValue& ref, const Place& at) {
    const Target target = resolved(*ref_of(ref), at, 0);
    if (target.value.is_structured() && open_.contains(target.value.identity()))
      fail(at, "expected no circle of $ref, found that '" + *ref_of(ref) + "' leads to a schema that it is in");
    if (ref.object().size() == 1 || !target.value.is_object()) return visit(target.value, target.place);
    // Members beside the `$ref` belong to the document that has them.
    auto both = js_object();
    for (const JsObject::Member* const member : ref.object().keys())
      if (member->first != "$ref") both->set(member->first, visit(member->second, inside(at, member->first)));
    if (!open_.insert(target.value.identity()).second) fail(at, "expected no circle of $ref");
    for (const JsObject::Member* const member : target.value.object().keys())
      if (!both->has(member->first))
        both->set(member->first, visit(member->second, inside(target.place, member->first)));
    open_.erase(target.value.identity());
    finished_.insert(both.get());
    kept_.emplace_back(both);
    return both;
  }

  /// Returns the target of `reference` and its place. References inside it are not replaced.
  Target resolved(const std::string& reference, const Place& from, std::size_t chain) {
    if (chain > kMaxChain)
      fail(from, "expected no circle of $ref, and no chain of more than " + std::to_string(kMaxChain) + ", found '" +
                     reference + "' in one");
    if (reference.starts_with('#') && reference.size() > 1 && reference[1] != '/')
      fail(from, "expected '#' or '#/' and a JSON pointer, found '" + reference + "'");
    const std::string full = resolve_uri(from.document, reference.starts_with("./#") ? reference.substr(2) : reference);
    const std::string uri(without_fragment(full));
    Target target{document(uri, reference, from), {uri, ""}};
    for (const std::string& key : tokens(std::string(fragment_of(full)), from)) {
      follow(target, chain);
      const JsValue* inner = nullptr;
      if (target.value.is_object()) {
        inner = target.value.object().find(key);
      } else if (target.value.is_list()) {
        std::size_t index = 0;
        const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
        if (error == std::errc() && end == key.data() + key.size() && index < target.value.list().size())
          inner = &target.value.list()[index];
      }
      if (!inner) {
        const std::string where = uri == root_uri_ ? "this document" : uri;
        fail(from, "expected '" + reference + "' to lead to a value, but " + where + " has no " + target.place.pointer +
                       "/" + key);
      }
      target = {JsValue(*inner), inside(target.place, key)};
    }
    follow(target, chain);
    return target;
  }

  /// Follows a target that is a `$ref` itself.
  void follow(Target& target, std::size_t chain) {
    const std::string* const ref = ref_of(target.value);
    if (!ref) return;
    Target next = resolved(*ref, target.place, chain + 1);
    if (target.value.object().size() == 1 || !next.value.is_object()) {
      target = std::move(next);
      return;
    }
    auto both = js_object();
    for (const JsObject::Member* const member : target.value.object().keys())
      if (member->first != "$ref") both->set(member->first, member->second);
    for (const JsObject::Member* const member : next.value.object().keys())
      if (!both->has(member->first)) both->set(member->first, member->second);
    kept_.emplace_back(both);
    target.value = both;
  }

  static std::vector<std::string> tokens(const std::string& fragment, const Place& from) {
    std::vector<std::string> keys;
    if (fragment.empty()) return keys;
    if (fragment[0] != '/') fail(from, "expected a JSON pointer behind '#', found '" + fragment + "'");
    for (std::size_t at = 0; at < fragment.size();) {
      const std::size_t end = std::min(fragment.find('/', at + 1), fragment.size());
      std::string key;
      for (std::size_t i = at + 1; i < end; ++i) {
        if (fragment[i] == '~' && i + 1 < end && (fragment[i + 1] == '0' || fragment[i + 1] == '1')) {
          key += fragment[++i] == '0' ? '~' : '/';
        } else {
          key += fragment[i];
        }
      }
      keys.push_back(percent_decode(key));
      at = end;
    }
    return keys;
  }

  JsValue document(const std::string& uri, const std::string& reference, const Place& from) {
    const auto known = documents_.find(uri);
    if (known != documents_.end()) return known->second;
    Metaschema draft{};
    if (find_draft(uri, draft)) return documents_.emplace(uri, js_value(metaschema_document(draft))).first->second;
    const auto read = reader_(uri);
    if (!read) fail(from, "expected a schema at '" + reference + "', " + read.error().reason);
    return documents_.emplace(uri, *read).first->second;
  }

  /// Fails if the tree, in which each shared object counts at each of its places, is too large.
  void measure(const JsValue& whole) {
    struct Extent {
      std::size_t text = 0;
      std::size_t depth = 0;
      std::size_t nodes = 1;
    };
    std::unordered_map<const void*, Extent> known;
    const auto extent = [&](const auto& self, const JsValue& value) -> Extent {
      if (value.is_text()) return {value.text().size(), 1, 1};
      if (!value.is_structured()) return {8, 1, 1};
      const auto found = known.find(value.identity());
      if (found != known.end()) return found->second;
      Extent all;
      const auto add = [&](const JsValue& inner, std::size_t key) {
        const Extent one = self(self, inner);
        all.nodes = std::min(all.nodes + one.nodes, kMaxText + 1);
        // Each level is indented by two more spaces.
        all.text = std::min(all.text + key + one.text + 2 * one.nodes, kMaxText + 1);
        all.depth = std::max(all.depth, one.depth);
      };
      if (value.is_list()) {
        for (const JsValue& item : value.list()) add(item, 2);
      } else {
        for (const auto& [key, member] : value.object().members()) add(member, key.size() + 2);
      }
      ++all.depth;
      known.emplace(value.identity(), all);
      return all;
    };
    const Extent all = extent(extent, whole);
    if (all.depth > kMaxDepth)
      fail({root_uri_, ""}, "expected at most " + std::to_string(kMaxDepth) + " levels once every $ref is replaced");
    if (all.text > kMaxText)
      fail({root_uri_, ""}, "expected at most " + std::to_string(kMaxText) + " bytes once every $ref is replaced");
  }

  const std::string root_uri_;
  const DocumentReader& reader_;
  std::map<std::string, JsValue> documents_;
  std::unordered_set<const void*> open_;      ///< The objects that are being visited.
  std::unordered_set<const void*> finished_;  ///< The objects without a `$ref` inside.
  std::vector<JsValue> kept_;  ///< Keeps replaced objects alive, so that no other object gets the address of one.
};

void add_references(const std::string& uri, const JsValue& value, std::set<std::string>& found) {
  if (value.is_list()) {
    for (const JsValue& item : value.list()) add_references(uri, item, found);
  } else if (value.is_object()) {
    if (const std::string* const ref = ref_of(value)) {
      const std::string full = resolve_uri(uri, *ref);
      if (without_fragment(full) != without_fragment(uri)) found.emplace(without_fragment(full));
    }
    for (const auto& member : value.object().members()) add_references(uri, member.second, found);
  }
}

}  // namespace

boost::system::result<JsValue, RefProblem> replaced_refs(const std::string& uri, JsValue root,
                                                         const DocumentReader& reader) {
  try {
    return {boost::system::in_place_value, Replacement(uri, reader).replaced(std::move(root))};
  } catch (const Replacement::NotReplaced& error) {
    return error.problem;
  }
}

std::set<std::string> referenced_documents(const std::string& uri, const JsValue& value) {
  std::set<std::string> found;
  add_references(uri, value, found);
  return found;
}

}  // namespace eventgate
