#include "js_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "eventgate/events/json_text.hpp"

namespace eventgate {
namespace {

bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }
bool is_letter(char c) { return static_cast<unsigned char>((c | 0x20) - 'a') < 26; }

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

bool is_array_index(std::string_view key) {
  if (key.empty() || key.size() > 10 || (key[0] == '0' && key.size() > 1)) return false;
  if (!std::all_of(key.begin(), key.end(), is_digit)) return false;
  std::uint64_t index = 0;
  std::from_chars(key.data(), key.data() + key.size(), index);
  return index < 0xFFFFFFFFu;
}

bool precedes(std::string_view a, std::string_view b) {
  if (!is_array_index(b)) return true;
  if (!is_array_index(a)) return false;
  return a.size() != b.size() ? a.size() < b.size() : a <= b;
}

std::vector<std::pair<std::string_view, const nlohmann::ordered_json*>> js_members(
    const nlohmann::ordered_json& object) {
  std::vector<std::pair<std::string_view, const nlohmann::ordered_json*>> members;
  members.reserve(object.size());
  bool indexes = false;
  for (auto member = object.begin(); member != object.end(); ++member) {
    members.emplace_back(member.key(), &member.value());
    indexes = indexes || is_array_index(member.key());
  }
  if (indexes)
    std::stable_sort(members.begin(), members.end(),
                     [](const auto& a, const auto& b) { return !precedes(b.first, a.first); });
  return members;
}

std::string js_number(double number) {
  if (!std::isfinite(number)) return "null";
  if (number == 0) return "0";
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, std::abs(number), std::chars_format::scientific).ptr;
  const char* exponent_mark = std::find(text, end, 'e');
  std::string digits;
  for (const char* c = text; c != exponent_mark; ++c)
    if (*c != '.') digits += *c;
  int exponent = 0;
  const char* exponent_begin = exponent_mark + 1 + (exponent_mark[1] == '+');
  std::from_chars(exponent_begin, end, exponent);
  // ECMA-262, Number::toString: the number is 0.digits * 10^point.
  const int size = static_cast<int>(digits.size());
  const int point = exponent + 1;
  std::string out = number < 0 ? "-" : "";
  if (size <= point && point <= 21) {
    out += digits;
    out.append(static_cast<std::size_t>(point - size), '0');
  } else if (0 < point && point <= 21) {
    out += digits.substr(0, static_cast<std::size_t>(point));
    out += '.';
    out += digits.substr(static_cast<std::size_t>(point));
  } else if (-6 < point && point <= 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-point), '0');
    out += digits;
  } else {
    out += digits[0];
    if (size > 1) {
      out += '.';
      out += digits.substr(1);
    }
    out += exponent < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(exponent));
  }
  return out;
}

std::string js_json(const nlohmann::ordered_json& value) {
  std::string out;
  append_js_json(out, value);
  return out;
}

std::string js_property(std::string_view key) {
  const auto is_name_start = [](char c) { return is_letter(c) || c == '$' || c == '_'; };
  if (!key.empty() && is_name_start(key[0]) &&
      std::all_of(key.begin(), key.end(), [&](char c) { return is_name_start(c) || is_digit(c); }))
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

std::string js_fragment(std::string_view key) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : key) {
    if (c == '/') {
      out += "~1";
    } else if (c == '~') {
      out += "~0";
    } else if (is_letter(c) || is_digit(c) || std::string_view("-_.!*'()").find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

}  // namespace eventgate
