#include "all_of_merge.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <unordered_set>
#include <utility>

#include "eventgate/base/json_pointer.hpp"
#include "eventgate/schema/schema_keywords.hpp"

// One class holds the whole merge, because each keyword merges values that may hold every other. Hence over 600 lines.

namespace eventgate {
namespace {

/// Limit of the values that a merge visits and copies. Real schemas have some ten thousand.
constexpr std::size_t kMaxSteps = 5'000'000;
/// Limit of the combinations of the branches of `anyOf` or `oneOf`.
constexpr std::size_t kMaxChoices = 10'000;

using Values = JsList;
using Path = std::vector<std::string>;

std::string pointer_of(const Path& path) {
  std::string pointer;
  for (const std::string& key : path) pointer += '/' + escape_pointer_token(key);
  return pointer;
}

struct NotMerged : std::runtime_error {
  NotMerged(std::string pointer_, const std::string& what) : runtime_error(what), pointer(std::move(pointer_)) {}
  std::string pointer;
};

bool is_schema(const JsValue& value) { return value.is_object() || value.is_boolean(); }

const JsValue kUndefined;

const JsValue& member(const JsValue& value, std::string_view key) {
  if (!value.is_object()) return kUndefined;
  const JsValue* const found = value.object().find(key);
  return found ? *found : kUndefined;
}

/// Limits the work of a merge.
class Steps {
 public:
  void take(std::size_t count = 1) {
    taken_ += count;
    if (taken_ > kMaxSteps) throw NotMerged("", "expected an allOf that takes less work to merge");
  }

 private:
  std::size_t taken_ = 0;
};

/// Compares two schemas by their meaning, as json-schema-compare does.
class SchemaComparison {
 public:
  explicit SchemaComparison(Steps& steps) : steps_(steps) {}

  bool same(const JsValue& a, const JsValue& b) {
    steps_.take();
    const auto is_empty = [](const JsValue& schema) {
      return schema.is_undefined() || schema.is(true) || (schema.is_object() && schema.object().empty());
    };
    if (is_empty(a) && is_empty(b)) return true;
    for (const JsValue* const schema : {&a, &b})
      if (!schema->is_undefined() && !is_schema(*schema)) throw NotMerged("", "expected a schema, found another value");
    if (a.is_boolean() && b.is_boolean()) return a.is(true) == b.is(true);
    if (!a.is_object() || !b.is_object()) {
      // To JavaScript a boolean is an object without members.
      if (a.is_undefined() || b.is_undefined()) return false;
      return !a.is_object() ? b.object().empty() : a.object().empty();
    }
    if (&a.object() == &b.object()) return true;
    const auto all = [&](const JsObject& keys, bool only_new) {
      return std::all_of(keys.members().begin(), keys.members().end(), [&](const auto& one) {
        return (only_new && a.object().has(one.first)) || same_keyword(one.first, a, b);
      });
    };
    return all(a.object(), false) && all(b.object(), true);
  }

  /// Returns true if both have equal values at `key`, as the keyword compares them.
  bool same_keyword(const std::string& key, const JsValue& a, const JsValue& b) {
    const JsValue& one = member(a, key);
    const JsValue& other = member(b, key);
    if (is_one_of(key, {"additionalProperties", "additionalItems", "contains", "propertyNames", "not"}))
      return same(one, other);
    return same_values(key, one, other);
  }

  bool same_values(const std::string& key, const JsValue& one, const JsValue& other) {
    if (equal(one, other)) return true;
    const bool lacks_one = one.is_undefined() || other.is_undefined();
    if (lacks_one && !is_one_of(key, {"properties", "patternProperties", "dependencies", "uniqueItems", "minLength",
                                      "minItems", "minProperties", "required"}))
      return false;
    if (key == "uniqueItems") return (one.is_undefined() && other.is(false)) || (other.is_undefined() && one.is(false));
    if (is_one_of(key, {"minLength", "minItems", "minProperties"})) {
      const auto zero = [](const JsValue& value) { return value.is_number() && value.number() == 0; };
      return (one.is_undefined() && zero(other)) || (other.is_undefined() && zero(one));
    }
    if (is_one_of(key, {"required", "enum"})) {
      const auto empty = [](const JsValue& value) {
        return value.is_undefined() || (value.is_list() && value.list().empty());
      };
      if (empty(one) && empty(other)) return true;
      return same_set(one, other);
    }
    if (key == "type") return same_set(as_list(one), as_list(other));
    if (is_one_of(key, {"anyOf", "allOf", "oneOf"})) return same_schemas(one, other);
    if (is_one_of(key, {"properties", "patternProperties", "dependencies"})) return same_group(one, other);
    if (key == "items") {
      if (one.is_object() && other.is_object()) return same(one, other);
      if (one.is_list() && other.is_list()) return same_lists(one.list(), other.list());
    }
    return false;
  }

 private:
  bool equal(const JsValue& a, const JsValue& b) {
    steps_.take();
    return is_equal(a, b);
  }

  static JsValue as_list(const JsValue& value) { return value.is_list() ? value : JsValue(JsList{value}); }

  /// Returns true if both lists have the same values, in any order.
  bool same_set(const JsValue& a, const JsValue& b) {
    if (!a.is_list() || !b.is_list()) return equal(a, b);
    const auto set_of = [&](const JsList& list) {
      JsList values;
      for (const JsValue& value : list) {
        steps_.take(values.size());
        if (value.is_structured() ||
            std::none_of(values.begin(), values.end(), [&](const JsValue& other) { return is_equal(value, other); }))
          values.push_back(value);
      }
      sort_by_value(values);
      return JsValue(std::move(values));
    };
    return equal(set_of(a.list()), set_of(b.list()));
  }

  bool same_group(const JsValue& a, const JsValue& b) {
    const auto empty = [](const JsValue& group) {
      return group.is_undefined() || (group.is_object() && group.object().empty());
    };
    if (empty(a) && empty(b)) return true;
    if (!a.is_object() || !b.is_object()) return false;
    const auto same_in_both = [&](const auto& one) {
      const JsValue& x = member(a, one.first);
      const JsValue& y = member(b, one.first);
      if (x.is_list() || y.is_list()) return x.is_list() && y.is_list() && equal(x, y);
      return !x.is_undefined() && !y.is_undefined() && same(x, y);
    };
    return a.object().size() == b.object().size() &&
           std::all_of(a.object().members().begin(), a.object().members().end(), same_in_both);
  }

  bool same_lists(const JsList& a, const JsList& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
      if (!same(a[i], b[i])) return false;
    return true;
  }

  bool same_schemas(const JsValue& a, const JsValue& b) {
    if (!a.is_list() || !b.is_list()) return false;
    const Values one = distinct(a.list());
    const Values other = distinct(b.list());
    const auto shared = std::count_if(one.begin(), one.end(), [&](const JsValue& schema) {
      return std::any_of(other.begin(), other.end(), [&](const JsValue& second) { return same(schema, second); });
    });
    return static_cast<std::size_t>(shared) == std::max(one.size(), other.size());
  }

 public:
  /// Returns `schemas` without duplicates.
  Values distinct(const Values& schemas) {
    Values out;
    for (const JsValue& schema : schemas)
      if (std::none_of(out.begin(), out.end(), [&](const JsValue& other) { return same(other, schema); }))
        out.push_back(schema);
    return out;
  }

 private:
  Steps& steps_;
};

Values defined(const Values& values) {
  Values out;
  for (const JsValue& value : values)
    if (!value.is_undefined()) out.push_back(value);
  return out;
}

class Merger {
 public:
  JsValue merged_root(const JsValue& schema) { return merge_flat(schema, {}); }

 private:
  /// Returns the schema and its branches in their order, each without its `allOf`.
  void flatten(const JsValue& schema, Values& out, const Path& at) {
    steps_.take();
    if (!is_schema(schema))
      throw NotMerged(pointer_of(in(at, "allOf")), "expected schemas, found " + brief_json(plain_json(schema)));
    const JsValue& branches = member(schema, "allOf");
    if (branches.is_undefined()) {
      out.push_back(schema);
      return;
    }
    if (!branches.is_list())
      throw NotMerged(pointer_of(in(at, "allOf")),
                      "expected a list of schemas, found " + brief_json(plain_json(branches)));
    auto own = js_object();
    for (const auto& [key, value] : schema.object().members())
      if (key != "allOf") own->set(key, value);
    out.emplace_back(std::move(own));
    for (const JsValue& branch : branches.list()) flatten(branch, out, at);
  }

  /// Merges `schema`, which has an `allOf`. Its own keywords stay, even those that the merge leaves without a value.
  JsValue merge_flat(const JsValue& schema, const Path& at) {
    Values schemas;
    flatten(schema, schemas, at);
    return merge(schemas, schemas.front(), at);
  }

  /// Merges `given` to one schema. Keywords of the branches replace those of `base`; other keywords of `base` stay.
  JsValue merge(const Values& given, const JsValue& base, const Path& at) {
    const Values present = defined(given);
    if (present.empty()) return {};
    const auto is = [](bool value) { return [value](const JsValue& schema) { return schema.is(value); }; };
    if (std::any_of(present.begin(), present.end(), is(false))) return false;
    if (std::all_of(present.begin(), present.end(), is(true))) return true;

    JsClones clones;
    Values schemas;
    for (const JsValue& schema : present)
      if (schema.is_object()) schemas.push_back(clones.of(schema));
    steps_.take(clones.copied() + 1);
    const std::vector<std::string> keys = keys_of(schemas);
    if (std::find(keys.begin(), keys.end(), "allOf") != keys.end()) {
      auto all = js_object();
      all->set("allOf", schemas);
      return merge_flat(all, at);
    }

    const auto merged = base.is_object() ? std::get<JsValue::Object>(base.variant()) : js_object();
    std::vector<std::string> property_keys;
    std::vector<std::string> item_keys;
    for (const std::string& key : keys) {
      if (is_one_of(key, {"properties", "patternProperties", "additionalProperties"})) {
        property_keys.push_back(key);
      } else if (is_one_of(key, {"items", "additionalItems"})) {
        item_keys.push_back(key);
      } else {
        merge_keyword(key, schemas, *merged, at);
      }
    }
    if (!property_keys.empty()) merge_properties(groups_of(schemas, property_keys), *merged, at);
    if (!item_keys.empty()) merge_items(groups_of(schemas, item_keys), *merged, at);
    return merged;
  }

  static Path in(Path at, std::string key) {
    at.push_back(std::move(key));
    return at;
  }

  static std::vector<std::string> keys_of(const Values& objects) {
    std::vector<std::string> keys;
    std::unordered_set<std::string_view> seen;
    for (const JsValue& object : objects) {
      if (!object.is_object()) continue;
      for (const JsObject::Member* const one : object.object().keys())
        if (seen.insert(one->first).second) keys.push_back(one->first);
    }
    return keys;
  }

  /// Returns the values of `key` without duplicates.
  Values values_of(const Values& schemas, const std::string& key) {
    Values out;
    for (const JsValue& schema : schemas) {
      const JsValue& value = member(schema, key);
      if (value.is_undefined()) continue;
      auto one = js_object();
      one->set(key, value);
      if (std::none_of(out.begin(), out.end(), [&](const JsValue& other) {
            auto second = js_object();
            second->set(key, other);
            return comparison_.same(second, one);
          }))
        out.push_back(value);
    }
    return out;
  }

  void merge_keyword(const std::string& key, const Values& schemas, JsObject& merged, const Path& at) {
    const Values values = values_of(schemas, key);
    const Path inner = in(at, key);
    if (key == "anyOf" || key == "oneOf") return merged.set(key, merge_choices(values, inner));
    if (key == "definitions" || key == "dependencies") return merged.set(key, merge_names(values, inner));
    if (key == "contains" || key == "propertyNames") return merged.set(key, merge(values, {}, inner));
    if (key == "not") return merged.set(key, merge_not(values, inner));
    if (values.size() == 1) return merged.set(key, values.front());
    if (key == "pattern") {  // several patterns get an `allOf` of their own
      JsList patterns;
      for (const JsValue& value : values) {
        auto one = js_object();
        one->set(key, value);
        patterns.emplace_back(std::move(one));
      }
      if (const JsValue* const others = merged.find("allOf"); others && others->is_list())
        patterns.insert(patterns.end(), others->list().begin(), others->list().end());
      merged.erase(key);
      return merged.set("allOf", std::move(patterns));
    }
    merged.set(key, merge_values(key, values, inner));
  }

  JsValue merge_values(const std::string& key, const Values& values, const Path& at) {
    if (is_one_of(key, {"$id", "$ref", "$schema", "default", "description", "title", "examples"}))
      return values.front();
    if (key == "required") return joined(values);
    if (is_one_of(key, {"maximum", "exclusiveMaximum", "maxItems", "maxLength", "maxProperties"}))
      return extreme(values, at, [](double a, double b) { return a < b; });
    if (is_one_of(key, {"minimum", "exclusiveMinimum", "minItems", "minLength", "minProperties"}))
      return extreme(values, at, [](double a, double b) { return a > b; });
    if (key == "uniqueItems")
      return std::any_of(values.begin(), values.end(), [](const JsValue& value) { return value.is(true); });
    if (key == "multipleOf") return least_common_multiple(values, at);
    if (key == "type" && std::any_of(values.begin(), values.end(), [](const auto& value) { return value.is_list(); })) {
      JsList common = shared(values);
      if (common.size() == 1) return common.front();
      if (!common.empty()) return common;
    }
    if (key == "enum") {
      JsList common = shared(values);
      sort_by_value(common);
      if (!common.empty()) return common;
    }
    throw conflict(key, values, at);
  }

  static NotMerged conflict(const std::string& key, const Values& values, const Path& at) {
    std::string texts;
    for (const JsValue& value : values) texts += (texts.empty() ? "" : " and ") + brief_json(plain_json(value));
    return {pointer_of(at), "expected values of `" + key + "` in allOf that go together, found " + texts};
  }

  template <typename Better>
  static JsValue extreme(const Values& values, const Path& at, const Better& better) {
    const JsValue* best = &values.front();
    for (const JsValue& value : values) {
      if (!value.is_number() || std::isnan(value.number())) throw conflict(at.back(), values, at);
      if (better(value.number(), best->number())) best = &value;
    }
    return *best;
  }

  static JsValue least_common_multiple(const Values& values, const Path& at) {
    // The original computes with doubles. A result that they cannot hold exactly is an error here.
    constexpr double kExact = 9007199254740992;
    double factor = 1;
    const auto fits = [&](const JsValue& value) {
      const double scaled = value.number() * factor;
      return value.is_number() && scaled > 0 && scaled < kExact;
    };
    const auto is_whole = [&](const JsValue& value) {
      return std::trunc(value.number() * factor) == value.number() * factor;
    };
    while (std::all_of(values.begin(), values.end(), fits)) {
      if (!std::all_of(values.begin(), values.end(), is_whole)) {
        factor *= 10;
        continue;
      }
      double multiple = 1;
      for (const JsValue& value : values) {
        const auto number = static_cast<std::uint64_t>(value.number() * factor);
        multiple = multiple / static_cast<double>(std::gcd(static_cast<std::uint64_t>(multiple), number)) *
                   static_cast<double>(number);
        if (multiple >= kExact) throw conflict("multipleOf", values, at);
      }
      return multiple / factor;
    }
    throw conflict("multipleOf", values, at);
  }

  /// Returns the texts of all `lists`, sorted, without duplicates.
  static JsValue joined(const Values& lists) {
    JsList all;
    std::unordered_set<std::string> names;
    for (const JsValue& list : lists) {
      const auto add = [&](const JsValue& name) {
        if (!name.is_text() || names.insert(name.text()).second) all.push_back(name);
      };
      if (list.is_list())
        std::for_each(list.list().begin(), list.list().end(), add);
      else
        add(list);
    }
    sort_by_value(all);
    return all;
  }

  /// Returns the values that all of `values` have, in the order of the first. Each is a list or a single value.
  JsList shared(const Values& values) {
    std::vector<JsList> lists;
    for (const JsValue& value : values) lists.push_back(value.is_list() ? value.list() : JsList{value});
    JsList out;
    for (const JsValue& item : lists.front()) {
      const auto has = [&](const JsList& list) {
        steps_.take(list.size() + 1);
        return std::any_of(list.begin(), list.end(), [&](const JsValue& other) { return is_equal(item, other); });
      };
      if (std::all_of(lists.begin(), lists.end(), has) &&
          std::none_of(out.begin(), out.end(), [&](const JsValue& other) { return is_equal(item, other); }))
        out.push_back(item);
    }
    return out;
  }

  /// Merges `definitions` or `dependencies`, whose members are schemas or lists of properties.
  JsValue merge_names(const Values& objects, const Path& at) {
    auto out = js_object();
    for (const std::string& name : keys_of(objects)) {
      Values values;
      for (const JsValue& object : objects) {
        const JsValue& value = member(object, name);
        if (!value.is_undefined() &&
            std::none_of(values.begin(), values.end(), [&](const JsValue& other) { return is_equal(value, other); }))
          values.push_back(value);
        steps_.take(values.size());
      }
      const auto lists = std::count_if(values.begin(), values.end(), [](const auto& value) { return value.is_list(); });
      if (lists > 0 && static_cast<std::size_t>(lists) == values.size()) {
        out->set(name, joined(values));
        continue;
      }
      Values schemas;
      for (const JsValue& value : values)
        if (lists == 0 || is_schema(value)) schemas.push_back(value);
      for (const JsValue& value : values) {
        if (!value.is_list()) continue;
        auto required = js_object();
        required->set("required", value);
        schemas.emplace_back(std::move(required));
      }
      if (lists == 0) schemas = comparison_.distinct(schemas);
      out->set(name, merge(schemas, {}, in(at, name)));
    }
    return out;
  }

  /// Merges `anyOf` or `oneOf`. One list keeps its schemas. Several lists become the combinations that can be valid.
  JsValue merge_choices(const Values& lists, const Path& at) {
    for (const JsValue& list : lists)
      if (!list.is_list()) throw NotMerged(pointer_of(at), "expected a list of schemas");
    JsList out;
    if (lists.size() == 1) {
      for (std::size_t i = 0; i < lists.front().list().size(); ++i) {
        const JsValue& schema = lists.front().list()[i];
        out.push_back(merge({schema}, schema, in(at, std::to_string(i))));
      }
      return out;
    }
    std::vector<Values> combinations{{}};
    for (const JsValue& list : lists) {
      std::vector<Values> more;
      for (const Values& combination : combinations)
        for (const JsValue& schema : list.list()) {
          Values longer{schema};  // it comes before the schemas of earlier lists
          longer.insert(longer.end(), combination.begin(), combination.end());
          more.push_back(std::move(longer));
          if (more.size() > kMaxChoices)
            throw NotMerged(pointer_of(at), "expected at most " + std::to_string(kMaxChoices) + " combinations");
        }
      combinations = std::move(more);
    }
    for (const Values& combination : combinations) {
      try {
        if (JsValue merged = merge(combination, {}, at); !merged.is_undefined()) out.push_back(std::move(merged));
      } catch (const NotMerged& problem) {
        if (problem.pointer.empty()) throw;  // too much work
      }
    }
    out = comparison_.distinct(out);
    if (out.empty()) throw conflict(at.back(), lists, at);
    return out;
  }

  /// Merges `not` to `{anyOf: [...]}`, even if there is only one. The original leaves an `allOf` in it.
  JsValue merge_not(const Values& values, const Path& at) {
    JsList all;
    for (const JsValue& value : values) all.push_back(has_all_of(value) ? merge({value}, {}, at) : value);
    auto any = js_object();
    any->set("anyOf", std::move(all));
    return any;
  }

  static bool has_all_of(const JsValue& value) {
    if (value.is_list()) return std::any_of(value.list().begin(), value.list().end(), has_all_of);
    if (!value.is_object()) return false;
    if (member(value, "allOf").is_list()) return true;
    const auto& members = value.object().members();
    return std::any_of(members.begin(), members.end(), [](const auto& one) { return has_all_of(one.second); });
  }

  /// Returns the parts of the schemas that have only `keys`, without duplicates.
  Values groups_of(const Values& schemas, const std::vector<std::string>& keys) {
    Values groups;
    for (const JsValue& schema : schemas) {
      auto group = js_object();
      for (const std::string& key : keys)
        if (const JsValue& value = member(schema, key); !value.is_undefined()) group->set(key, value);
      groups.emplace_back(std::move(group));
    }
    return comparison_.distinct(groups);
  }

  static Values members_of(const Values& objects, std::string_view key) {
    Values values;
    for (const JsValue& object : objects) values.push_back(member(object, key));
    return values;
  }

  /// Sets a value unless it is empty: an empty schema has no effect.
  static void set_unless_empty(JsObject& merged, std::string_view key, const JsValue& value) {
    if (value.is_boolean() || (value.is_object() && !value.object().empty()) ||
        (value.is_list() && !value.list().empty()))
      merged.set(key, value);
  }

  JsValue merge_group(const Values& groups, const Path& at) {
    auto out = js_object();
    for (const std::string& name : keys_of(groups))
      out->set(name, merge(comparison_.distinct(defined(members_of(groups, name))), {}, in(at, name)));
    return out;
  }

  void merge_properties(const Values& groups, JsObject& merged, const Path& at) {
    const JsValue additional = merge(members_of(groups, "additionalProperties"), {}, in(at, "additionalProperties"));
    const JsValue patterns = merge_group(members_of(groups, "patternProperties"), in(at, "patternProperties"));
    JsValue properties = merge_group(members_of(groups, "properties"), in(at, "properties"));
    if (additional.is(false)) {  // then a property with the schema `false` needs no entry
      auto possible = js_object();
      for (const auto& [name, schema] : properties.object().members())
        if (!schema.is(false)) possible->set(name, schema);
      properties = possible;
    }
    set_unless_empty(merged, "additionalProperties", additional);
    set_unless_empty(merged, "patternProperties", patterns);
    set_unless_empty(merged, "properties", properties);
  }

  void merge_items(const Values& groups, JsObject& merged, const Path& at) {
    const Values items = members_of(groups, "items");
    const Values present = defined(items);
    const auto is_list = [](const JsValue& value) { return value.is_list(); };
    JsValue merged_items;
    if (std::all_of(present.begin(), present.end(), is_schema)) {
      merged_items = merge(items, {}, in(at, "items"));
    } else {
      std::size_t size = 0;
      for (const JsValue& one : items) size = std::max(size, one.is_list() ? one.list().size() : 0);
      JsList list;
      for (std::size_t i = 0; i < size; ++i) {
        Values schemas;
        for (const JsValue& group : groups) {
          const JsValue& own = member(group, "items");
          if (!own.is_list()) {
            schemas.push_back(own);
          } else if (i < own.list().size() && is_schema(own.list()[i])) {
            schemas.push_back(own.list()[i]);
          } else {
            schemas.push_back(member(group, "additionalItems"));
          }
        }
        list.push_back(merge(comparison_.distinct(defined(schemas)), {}, in(in(at, "items"), std::to_string(i))));
      }
      merged_items = std::move(list);
    }
    JsValue additional;
    if (std::any_of(present.begin(), present.end(), is_list) || present.empty()) {
      Values last;
      for (const JsValue& group : groups) {
        const JsValue& own = member(group, "items");
        last.push_back(own.is_list() || std::all_of(present.begin(), present.end(), is_list)
                           ? member(group, "additionalItems")
                           : own);
      }
      additional = merge(last, {}, in(at, "additionalItems"));
    }
    if (additional.is(false) && merged_items.is_list()) {
      JsList possible;
      for (const JsValue& item : merged_items.list())
        if (!item.is(false)) possible.push_back(item);
      merged_items = std::move(possible);
    }
    set_unless_empty(merged, "items", merged_items);
    set_unless_empty(merged, "additionalItems", additional);
  }

  Steps steps_;
  SchemaComparison comparison_{steps_};
};

void set_bounds(const JsValue& schema, const JsValue& minimum, const JsValue& maximum,
                std::unordered_set<const void*>& seen) {
  if (!schema.is_object() || !seen.insert(schema.identity()).second) return;
  JsObject& object = schema.object();
  const JsValue& type = member(schema, "type");
  if (type.is_text() && is_one_of(type.text(), {"number", "integer"})) {
    if (!object.has("minimum")) object.set("minimum", minimum);
    if (!object.has("maximum")) object.set("maximum", maximum);
  }
  // As json-schema-traverse 0.4 does, leave out `if`, `then` and `else`.
  for (std::size_t i = 0; i < object.members().size(); ++i) {
    const auto& [key, value] = object.members()[i];
    if (value.is_list()) {
      if (is_one_of(key, {"items", "allOf", "anyOf", "oneOf"}))
        for (const JsValue& item : value.list()) set_bounds(item, minimum, maximum, seen);
    } else if (names_schemas(key)) {
      if (value.is_object())
        for (const auto& named : value.object().members()) set_bounds(named.second, minimum, maximum, seen);
    } else if (is_one_of(key,
                         {"additionalItems", "items", "contains", "additionalProperties", "propertyNames", "not"})) {
      set_bounds(value, minimum, maximum, seen);
    }
  }
}

}  // namespace

boost::system::result<JsValue, MergeProblem> merged_all_of(const JsValue& schema) {
  try {
    return {boost::system::in_place_value, Merger().merged_root(schema)};
  } catch (const NotMerged& problem) {
    return MergeProblem{problem.pointer, problem.what()};
  }
}

void set_numeric_bounds(const JsValue& schema, const JsValue& minimum, const JsValue& maximum) {
  std::unordered_set<const void*> seen;
  set_bounds(schema, minimum, maximum, seen);
}

}  // namespace eventgate
