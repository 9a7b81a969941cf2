#include "materialize.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "eventgate/schema/member_index.hpp"
#include "eventgate/schema/schema_keywords.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;
using Values = std::vector<Json>;

/// Limit of the schemas that result from merging `anyOf` or `oneOf` with each other.
constexpr std::size_t kMaxChoices = 10'000;

struct NotMerged : std::runtime_error {
  using std::runtime_error::runtime_error;
};

Values distinct(const Values& values) {
  Values out;
  for (const Json& value : values)
    if (std::none_of(out.begin(), out.end(), [&](const Json& other) { return equal_json(value, other); }))
      out.push_back(value);
  return out;
}

/// Returns the values of `key` in the objects that have it.
Values values_of(const Values& objects, const std::string& key) {
  Values out;
  for (const Json& object : objects)
    if (object.is_object() && object.contains(key)) out.push_back(object[key]);
  return out;
}

/// Returns each key of `objects` with all its values, in the order of first occurrence.
std::vector<std::pair<std::string, Values>> members_of(const Values& objects) {
  std::vector<std::pair<std::string, Values>> members;
  std::unordered_map<std::string, std::size_t> places;
  for (const Json& object : objects) {
    if (!object.is_object()) continue;
    for (const auto& member : object.items()) {
      const auto [place, is_new] = places.try_emplace(member.key(), members.size());
      if (is_new) members.emplace_back(member.key(), Values());
      members[place->second].second.push_back(member.value());
    }
  }
  return members;
}

/// Returns every string of `lists` once, sorted.
Json joined(const Values& lists) {
  std::set<std::string> names;
  for (const Json& list : lists)
    for (const Json& name : list)
      if (name.is_string()) names.insert(name.get<std::string>());
  return Json(names);
}

/// Returns the values that all of `lists` have.
Json shared(const Values& lists) {
  Json out = Json::array();
  for (const Json& item : lists.front())
    if (std::all_of(lists.begin(), lists.end(), [&](const Json& list) {
          return std::any_of(list.begin(), list.end(), [&](const Json& other) { return equal_json(item, other); });
        }))
      out.push_back(item);
  return out;
}

Json least_common_multiple(const Values& numbers) {
  double factor = 1;
  const auto integers = [&] {
    return std::all_of(numbers.begin(), numbers.end(),
                       [&](const Json& n) { return std::trunc(n.get<double>() * factor) == n.get<double>() * factor; });
  };
  while (!integers() && factor < 1e9) factor *= 10;
  std::int64_t multiple = 1;
  for (const Json& number : numbers)
    multiple = std::lcm(multiple, static_cast<std::int64_t>(number.get<double>() * factor));
  return static_cast<double>(multiple) / factor;
}

void flatten(Json schema, Values& out) {
  Json all = Json::array();
  if (schema.is_object() && schema.contains("allOf") && schema["allOf"].is_array()) {
    all = std::move(schema["allOf"]);
    schema.erase("allOf");
  }
  out.push_back(std::move(schema));
  for (Json& inner : all) flatten(std::move(inner), out);
}

/// Merges `given` into one schema. Members of `base` stay only where the result has none.
Json merge(const Values& given, Json base = Json::object());

/// Merges objects from names to schemas, name by name.
Json merge_names(const Values& objects) {
  Json out = Json::object();
  for (const auto& [name, all] : members_of(objects)) {
    Values values = distinct(all);
    const auto is_list = [](const Json& value) { return value.is_array(); };
    if (std::all_of(values.begin(), values.end(), is_list)) {  // of `dependencies`
      append_member(out, name, joined(values));
      continue;
    }
    for (Json& value : values)
      if (value.is_array()) value = {{"required", std::move(value)}};
    append_member(out, name, merge(values));
  }
  return out;
}

Json merge_items(const Values& items, const Values& additional) {
  if (std::none_of(items.begin(), items.end(), [](const Json& one) { return one.is_array(); })) return merge(items);
  std::size_t size = 0;
  for (const Json& one : items) size = std::max(size, one.is_array() ? one.size() : 0);
  Json out = Json::array();
  for (std::size_t i = 0; i < size; ++i) {
    Values values;
    for (const Json& one : items) {
      if (!one.is_array()) {
        values.push_back(one);
      } else if (i < one.size()) {
        values.push_back(one[i]);
      } else {
        values.insert(values.end(), additional.begin(), additional.end());
      }
    }
    out.push_back(merge(values));
  }
  return out;
}

/// Merges the lists of `anyOf` or `oneOf`: each schema of one with each of the next. Drops combinations that contradict
/// each other.
Json merge_choices(const std::string& key, const Values& lists) {
  std::vector<Values> choices{{}};
  for (const Json& list : lists) {
    std::vector<Values> more;
    for (const Values& choice : choices)
      for (const Json& schema : list) {
        more.push_back(choice);
        more.back().push_back(schema);
        if (more.size() > kMaxChoices) throw NotMerged("`" + key + "` of allOf comes to too many choices");
      }
    choices = std::move(more);
  }
  Values out;
  for (const Values& choice : choices) try {
      const bool alone = choice.size() == 1 && choice[0].is_object() && !choice[0].contains("allOf");
      out.push_back(merge(choice, alone ? choice[0] : Json::object()));
    } catch (const NotMerged&) {
      if (lists.size() == 1) throw;
    }
  if (out.empty()) throw NotMerged("`" + key + "` of allOf leaves no choice");
  return lists.size() == 1 ? Json(out) : Json(distinct(out));
}

/// Merges several values of one keyword.
Json merge_values(const std::string& key, const Values& values, Json& merged) {
  const auto less = [](const Json& a, const Json& b) { return a < b; };
  if (is_one_of(key, {"$id", "$ref", "$schema", "default", "description", "title", "examples"})) return values.front();
  if (key == "required") return joined(values);
  if (is_one_of(key, {"maximum", "exclusiveMaximum", "maxItems", "maxLength", "maxProperties"}))
    return *std::min_element(values.begin(), values.end(), less);
  if (is_one_of(key, {"minimum", "exclusiveMinimum", "minItems", "minLength", "minProperties"}))
    return *std::max_element(values.begin(), values.end(), less);
  if (key == "uniqueItems") return true;
  if (key == "multipleOf") return least_common_multiple(values);
  if (key == "pattern") {
    for (const Json& value : values) merged["allOf"].push_back({{"pattern", value}});
    return nullptr;
  }
  if (key == "type" || key == "enum") {
    Values lists = values;
    for (Json& list : lists)
      if (!list.is_array()) list = Json::array({list});
    Json common = shared(lists);
    if (key == "type" && common.size() == 1) return common.front();
    if (key == "enum") std::sort(common.begin(), common.end(), less);
    if (!common.empty()) return common;
  }
  std::string texts;
  for (const Json& value : values) texts += (texts.empty() ? "" : " and ") + value.dump();
  throw NotMerged("allOf has several values of `" + key + "` that do not go together: " + texts);
}

Json merge(const Values& given, Json base) {
  if (std::any_of(given.begin(), given.end(), [](const Json& one) { return one == false; })) return false;
  if (std::all_of(given.begin(), given.end(), [](const Json& one) { return one == true; })) return true;
  Values schemas;
  for (const Json& schema : given)
    if (schema.is_object()) flatten(schema, schemas);

  Json merged = std::move(base);
  std::unordered_set<std::string> own;
  for (const auto& member : merged.items()) own.insert(member.key());
  for (const auto& [key, values] : members_of(schemas)) {
    const Values different = distinct(values);
    Json value;
    if (names_schemas(key)) {
      value = merge_names(values);
    } else if (is_one_of(key, {"additionalProperties", "contains", "propertyNames"})) {
      value = merge(different);
    } else if (key == "items") {
      value = merge_items(values, values_of(schemas, "additionalItems"));
    } else if (key == "additionalItems") {
      const Values items = values_of(schemas, "items");
      if (std::none_of(items.begin(), items.end(), [](const Json& one) { return one.is_array(); })) continue;
      value = merge(different);
    } else if (key == "not") {
      value = {{"anyOf", different}};
    } else if (key == "anyOf" || key == "oneOf") {
      value = merge_choices(key, different);
    } else if (different.size() == 1) {
      value = different.front();
    } else {
      value = merge_values(key, different, merged);
      if (key == "pattern") {  // in allOf now
        merged.erase(key);
        continue;
      }
    }
    const bool empty = value.is_structured() && value.empty();
    if (empty &&
        is_one_of(key, {"properties", "patternProperties", "additionalProperties", "items", "additionalItems"}))
      continue;
    if (own.contains(key) || key == "allOf")
      merged[key] = std::move(value);
    else
      append_member(merged, key, std::move(value));
  }
  if (merged.contains("additionalProperties") && merged["additionalProperties"] == false &&
      merged.contains("properties")) {
    Json possible = Json::object();
    for (auto& [name, property] : merged["properties"].items())
      if (property != false) append_member(possible, name, std::move(property));
    merged["properties"] = std::move(possible);
  }
  return merged;
}

}  // namespace

boost::system::result<Json, SchemaProblem> merged_all_of(const Json& schema) {
  try {
    Json own = schema;
    if (own.is_object()) own.erase("allOf");
    return {boost::system::in_place_value, merge(Values(1, schema), std::move(own))};
  } catch (const std::exception& error) {  // of a value of another type, too
    return SchemaProblem{error.what()};
  }
}

void set_numeric_bounds(Json& schema, double minimum, double maximum) {
  each_schema(schema, "", [&](Json& one, const std::string&) {
    const auto type = one.find("type");
    if (type == one.end() || (*type != "number" && *type != "integer")) return;
    if (!one.contains("minimum")) one["minimum"] = minimum;
    if (!one.contains("maximum")) one["maximum"] = maximum;
  });
}

namespace {

std::optional<std::string> difference_at(const Json& expected, const Json& found, const std::string& pointer) {
  const auto at = [](const std::string& place) { return place.empty() ? std::string("/") : place; };
  if (expected.is_object() && found.is_object()) {
    MemberIndex members;
    for (const auto& member : expected.items()) {
      const std::string inner = pointer + "/" + member.key();
      const Json* const other = members.find(found, member.key());
      if (!other) return "lacks " + inner;
      if (auto differs = difference_at(member.value(), *other, inner)) return differs;
    }
    for (const auto& member : found.items())
      if (!members.find(expected, member.key()))
        return "has " + pointer + "/" + member.key() + ", which should not be there";
    return std::nullopt;
  }
  if (expected.is_array() && found.is_array() && expected.size() == found.size() && !pointer.ends_with("/required")) {
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (auto differs = difference_at(expected[i], found[i], pointer + "/" + std::to_string(i))) return differs;
    return std::nullopt;
  }
  if (pointer.ends_with("/required") && expected.is_array() && found.is_array() &&
      equal_json(joined({expected}), joined({found})))
    return std::nullopt;
  if (equal_json(expected, found)) return std::nullopt;
  return "has " + brief_json(found) + " at " + at(pointer) + ", expected " + brief_json(expected);
}

}  // namespace

std::optional<std::string> difference(const Json& expected, const Json& found) {
  return difference_at(expected, found, "");
}

}  // namespace eventgate
