#include "keyword_values.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "eventgate/json/json_text.hpp"
#include "eventgate/schema/member_index.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

Limit read_limit(const Json& schema, const SchemaPosition& position, bool maximum) {
  Limit limit;
  const std::string keyword = maximum ? "maximum" : "minimum";
  const std::string exclusive_keyword = maximum ? "exclusiveMaximum" : "exclusiveMinimum";
  const Json* inclusive = find_member(schema, keyword);
  const Json* exclusive = find_member(schema, exclusive_keyword);
  if (inclusive && !inclusive->is_number()) position.at(keyword).fail("is no number: expected one");
  if (exclusive && !exclusive->is_number() && !exclusive->is_boolean())
    position.at(exclusive_keyword).fail("is no number: expected one, or a boolean in draft 04");
  const bool number = exclusive && exclusive->is_number();
  const Json* chosen = inclusive;
  if (number && (!inclusive || (maximum ? exclusive->get<double>() <= inclusive->get<double>()
                                        : exclusive->get<double>() >= inclusive->get<double>()))) {
    chosen = exclusive;
    limit.exclusive = true;
  } else if (exclusive && exclusive->is_boolean()) {
    limit.exclusive = exclusive->get<bool>();
  }
  if (!chosen) return limit;
  limit.present = true;
  limit.value = chosen->get<double>();
  limit.text = js_number(limit.value);
  limit.exact.read(chosen->dump());
  if (std::abs(limit.value) < 0x1p62 && limit.value == std::trunc(limit.value)) {
    limit.small = true;
    limit.integer = chosen->is_number_float() ? static_cast<std::int64_t>(limit.value) : chosen->get<std::int64_t>();
  }
  return limit;
}

}  // namespace

TypeSet read_types(const Json& type, const SchemaPosition& position, std::string& names) {
  static const std::map<std::string, TypeSet, std::less<>> kTypes = {
      {"null", type_bit(JsonType::null)},     {"boolean", type_bit(JsonType::boolean)},
      {"number", type_bit(JsonType::number)}, {"integer", kIntegerBit},
      {"string", type_bit(JsonType::string)}, {"object", type_bit(JsonType::object)},
      {"array", type_bit(JsonType::array)}};
  const auto read_one = [&](const Json& one) {
    const auto found = one.is_string() ? kTypes.find(one.get_ref<const std::string&>()) : kTypes.end();
    if (found == kTypes.end())
      position.fail("is no type: expected null, boolean, number, integer, string, object or array, or several of them");
    if (!names.empty()) names += ',';
    names += found->first;
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

void read_count(const Json& schema, const SchemaPosition& position, const char* keyword, bool maximum, Count& count) {
  const Json* found = find_member(schema, keyword);
  if (!found) return;
  const double value = found->is_number() ? found->get<double>() : -1;
  if (value < 0 || value != std::trunc(value)) position.at(keyword).fail("is no count: expected an integer from 0");
  count.value =
      value >= 0x1p63 ? std::numeric_limits<std::uint64_t>::max() - !maximum : static_cast<std::uint64_t>(value);
  count.text = js_number(value);
}

std::optional<NumberRules> read_number_rules(const Json& schema, const SchemaPosition& position) {
  NumberRules rules;
  rules.maximum = read_limit(schema, position, true);
  rules.minimum = read_limit(schema, position, false);
  if (const Json* divisor = find_member(schema, "multipleOf")) {
    if (!divisor->is_number() || !rules.divisor.read(divisor->dump()))
      position.at("multipleOf").fail("is no number above 0: expected one");
    rules.has_divisor = true;
    rules.divisor_text = js_number(divisor->get<double>());
  }
  if (!rules.maximum.present && !rules.minimum.present && !rules.has_divisor) return std::nullopt;
  rules.small = !rules.has_divisor && rules.maximum.small >= rules.maximum.present &&
                rules.minimum.small >= rules.minimum.present;
  if (rules.maximum.small) rules.largest = rules.maximum.integer - rules.maximum.exclusive;
  if (rules.minimum.small) rules.smallest = rules.minimum.integer + rules.minimum.exclusive;
  return rules;
}

}  // namespace eventgate
