#include "schema_difference.hpp"

#include <nlohmann/json.hpp>
#include <set>

#include "eventgate/base/json_pointer.hpp"
#include "eventgate/schema/member_index.hpp"
#include "eventgate/schema/schema_keywords.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;
using Difference = std::optional<SchemaDifference>;

std::set<Json> names_of(const Json& list) { return {list.begin(), list.end()}; }

Difference difference_at(const Json& expected, const Json& found, const std::string& pointer, MemberIndex& members) {
  if (expected.is_object() && found.is_object()) {
    for (const auto& member : expected.items()) {
      const std::string inner = pointer + "/" + escape_pointer_token(member.key());
      const Json* const other = members.find(found, member.key());
      if (!other) return SchemaDifference{inner, "lacks " + inner};
      if (auto differs = difference_at(member.value(), *other, inner, members)) return differs;
    }
    if (expected.size() == found.size()) return std::nullopt;
    for (const auto& member : found.items()) {
      const std::string inner = pointer + "/" + escape_pointer_token(member.key());
      if (!members.find(expected, member.key()))
        return SchemaDifference{inner, "has " + inner + ", which should not be there"};
    }
    return std::nullopt;
  }
  if (expected.is_array() && found.is_array()) {
    if (pointer.ends_with("/required") && names_of(expected) == names_of(found)) return std::nullopt;
    if (expected.size() == found.size() && !pointer.ends_with("/required")) {
      for (std::size_t i = 0; i < expected.size(); ++i)
        if (auto differs = difference_at(expected[i], found[i], pointer + "/" + std::to_string(i), members))
          return differs;
      return std::nullopt;
    }
  }
  if (!expected.is_structured() && !found.is_structured() && expected == found) return std::nullopt;
  return SchemaDifference{pointer, "has " + brief_json(found) + " at " + (pointer.empty() ? "/" : pointer) +
                                       ", expected " + brief_json(expected)};
}

}  // namespace

std::optional<SchemaDifference> difference(const Json& expected, const Json& found) {
  MemberIndex members;
  return difference_at(expected, found, "", members);
}

}  // namespace eventgate
