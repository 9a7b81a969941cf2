#include "eventgate/schema/ajv_text.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "eventgate/base/ascii.hpp"
#include "eventgate/base/json_pointer.hpp"
#include "eventgate/base/percent.hpp"
#include "eventgate/json/json_text.hpp"

namespace eventgate {
namespace {

void append_js_json(std::string& out, const nlohmann::ordered_json& value) {
  switch (value.type()) {
    case nlohmann::ordered_json::value_t::object: {
      out += '{';
      bool first = true;
      for (const auto& [key, member] : js_members(value)) {
        if (!first) out += ',';
        first = false;
        append_json_string(out, key);
        out += ':';
        append_js_json(out, *member);
      }
      out += '}';
      break;
    }
    case nlohmann::ordered_json::value_t::array: {
      out += '[';
      for (std::size_t i = 0; i < value.size(); ++i) {
        if (i) out += ',';
        append_js_json(out, value[i]);
      }
      out += ']';
      break;
    }
    case nlohmann::ordered_json::value_t::string:
      append_json_string(out, value.get_ref<const std::string&>());
      break;
    case nlohmann::ordered_json::value_t::boolean:
      out += value.get<bool>() ? "true" : "false";
      break;
    case nlohmann::ordered_json::value_t::number_integer:
    case nlohmann::ordered_json::value_t::number_unsigned:
    case nlohmann::ordered_json::value_t::number_float:
      out += js_number(value.get<double>());
      break;
    default:
      out += "null";
  }
}

}  // namespace

bool precedes(std::string_view a, std::string_view b) {
  const auto second = array_index(b);
  if (!second) return true;
  const auto first = array_index(a);
  return first && *first <= *second;
}

std::vector<std::pair<std::string_view, const nlohmann::ordered_json*>> js_members(
    const nlohmann::ordered_json& object) {
  std::vector<std::pair<std::string_view, const nlohmann::ordered_json*>> members;
  members.reserve(object.size());
  bool indexes = false;
  for (auto member = object.begin(); member != object.end(); ++member) {
    members.emplace_back(member.key(), &member.value());
    indexes = indexes || array_index(member.key());
  }
  if (indexes)
    std::stable_sort(members.begin(), members.end(),
                     [](const auto& a, const auto& b) { return !precedes(b.first, a.first); });
  return members;
}

std::string js_json(const nlohmann::ordered_json& value) {
  std::string out;
  append_js_json(out, value);
  return out;
}

std::string js_property(std::string_view key) {
  const auto is_name_start = [](char c) { return is_ascii_letter(c) || c == '$' || c == '_'; };
  if (!key.empty() && is_name_start(key[0]) &&
      std::all_of(key.begin(), key.end(), [&](char c) { return is_name_start(c) || is_ascii_digit(c); }))
    return "." + std::string(key);
  std::string out = "['";
  for (const char c : key) switch (c) {
      case '\'':
      case '\\':
        out += '\\';
        out += c;
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += c;
    }
  return out + "']";
}

std::string js_fragment(std::string_view key) { return percent_encode(escape_pointer_token(key)); }

}  // namespace eventgate
