#include "js_value.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "eventgate/fetch/js_yaml_scalar.hpp"
#include "eventgate/json/json_text.hpp"
#include "eventgate/schema/ajv_text.hpp"

namespace eventgate {
namespace {

using Json = nlohmann::ordered_json;

/// JavaScript's String(value), as its operators compare objects.
std::string string_of(const JsValue& value) {
  if (value.is_text()) return value.text();
  if (value.is_null()) return "null";
  if (value.is_boolean()) return value.is(true) ? "true" : "false";
  if (value.is_number()) return js_number_text(value);
  if (value.is_list()) {
    std::string all;
    for (const JsValue& item : value.list()) {
      if (&item != value.list().data()) all += ',';
      if (!item.is_null() && !item.is_undefined()) all += string_of(item);
    }
    return all;
  }
  if (const auto* date = std::get_if<JsDate>(&value.variant())) return date->text;
  return "[object Object]";
}

/// JavaScript's Number(value) of a value that is no object.
double number_of(const JsValue& value) {
  if (value.is_number()) return value.number();
  if (value.is_boolean()) return value.is(true) ? 1 : 0;
  if (value.is_null()) return 0;
  const std::string text = string_of(value);
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return 0;
  char* end = nullptr;
  const double number = std::strtod(text.c_str() + begin, &end);
  return std::string_view(end).find_first_not_of(" \t\r\n") == std::string_view::npos
             ? number
             : std::numeric_limits<double>::quiet_NaN();
}

/// JavaScript's `a < b`.
bool js_less(const JsValue& a, const JsValue& b) {
  const auto is_string = [](const JsValue& value) {
    return value.is_text() || value.is_structured() || std::holds_alternative<JsDate>(value.variant());
  };
  if (is_string(a) && is_string(b)) return string_of(a) < string_of(b);
  return number_of(a) < number_of(b);
}

int compare_ascending(const JsValue& a, const JsValue& b) {
  if (a.is_null() || b.is_null()) return int{a.is_null()} - int{b.is_null()};
  if (js_less(b, a)) return 1;
  if (js_less(a, b)) return -1;
  return 0;
}

bool equal_numbers(const JsValue& a, const JsValue& b) {
  if (const auto* digits = std::get_if<JsInteger>(&a.variant()))
    if (const auto* other = std::get_if<JsInteger>(&b.variant())) return digits->digits == other->digits;
  const auto is_integer = [](const JsValue& value) {
    return std::holds_alternative<std::int64_t>(value.variant()) ||
           std::holds_alternative<std::uint64_t>(value.variant());
  };
  if (is_integer(a) && is_integer(b)) return js_number_text(a) == js_number_text(b);
  const double x = a.number();
  const double y = b.number();
  return x == y || (std::isnan(x) && std::isnan(y));
}

}  // namespace

bool JsValue::is_number() const {
  return std::holds_alternative<std::int64_t>(value_) || std::holds_alternative<std::uint64_t>(value_) ||
         std::holds_alternative<double>(value_) || std::holds_alternative<JsInteger>(value_);
}

double JsValue::number() const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<std::uint64_t>(&value_)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<double>(&value_)) return *value;
  if (const auto* value = std::get_if<JsInteger>(&value_)) return std::strtod(value->digits.c_str(), nullptr);
  return std::numeric_limits<double>::quiet_NaN();
}

const void* JsValue::identity() const {
  if (const auto* list = std::get_if<List>(&value_)) return list->get();
  if (const auto* object = std::get_if<Object>(&value_)) return object->get();
  return nullptr;
}

std::size_t JsObject::place(std::string_view key) const {
  if (members_.size() <= kMaxSearched) {
    for (std::size_t i = 0; i < members_.size(); ++i)
      if (members_[i].first == key) return i;
    return members_.size();
  }
  const auto found = index_.find(std::string(key));
  return found == index_.end() ? members_.size() : found->second;
}

const JsValue* JsObject::find(std::string_view key) const {
  const std::size_t at = place(key);
  return at == members_.size() ? nullptr : &members_[at].second;
}

JsValue* JsObject::find(std::string_view key) {
  const std::size_t at = place(key);
  return at == members_.size() ? nullptr : &members_[at].second;
}

void JsObject::index_all() {
  index_.clear();
  if (members_.size() <= kMaxSearched) return;
  for (std::size_t i = 0; i < members_.size(); ++i) index_.emplace(members_[i].first, i);
}

void JsObject::set(std::string_view key, JsValue value) {
  const std::size_t at = place(key);
  if (at < members_.size()) {
    members_[at].second = std::move(value);
    return;
  }
  members_.emplace_back(key, std::move(value));
  if (members_.size() == kMaxSearched + 1) {
    index_all();
  } else if (members_.size() > kMaxSearched) {
    index_.emplace(members_.back().first, at);
  }
}

void JsObject::erase(std::string_view key) {
  const std::size_t at = place(key);
  if (at == members_.size()) return;
  members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(at));
  index_all();
}

std::vector<const JsObject::Member*> JsObject::keys() const {
  std::vector<const Member*> keys;
  keys.reserve(members_.size());
  bool indexes = false;
  for (const Member& member : members_) {
    keys.push_back(&member);
    indexes = indexes || array_index(member.first);
  }
  if (indexes)
    std::stable_sort(keys.begin(), keys.end(),
                     [](const Member* a, const Member* b) { return !precedes(b->first, a->first); });
  return keys;
}

JsValue js_value(const Json& value) {
  switch (value.type()) {
    case Json::value_t::object: {
      auto object = js_object();
      for (const auto& [key, member] : value.get_ref<const Json::object_t&>()) object->set(key, js_value(member));
      return object;
    }
    case Json::value_t::array: {
      JsList list;
      list.reserve(value.size());
      for (const Json& item : value) list.push_back(js_value(item));
      return list;
    }
    case Json::value_t::string:
      return value.get_ref<const std::string&>();
    case Json::value_t::boolean:
      return value.get<bool>();
    case Json::value_t::number_integer:
      return value.get<std::int64_t>();
    case Json::value_t::number_unsigned:
      return value.get<std::uint64_t>();
    case Json::value_t::number_float:
      return value.get<double>();
    case Json::value_t::binary: {
      const auto& bytes = value.get_binary();
      std::string text(bytes.begin(), bytes.end());
      if (bytes.subtype() == static_cast<std::uint64_t>(JsYamlSubtype::date)) return JsDate{std::move(text)};
      return JsInteger{std::move(text)};
    }
    default:
      return nullptr;
  }
}

namespace {

/// A place where a value goes.
JsValue* at_path(JsValue& root, const ValuePath& path) {
  JsValue* value = &root;
  for (const std::uint32_t place : path) {
    if (value->is_list() && place < value->list().size()) {
      value = &value->list()[place];
    } else if (value->is_object() && place < value->object().size()) {
      value = value->object().find(value->object().members()[place].first);
    } else {
      return nullptr;
    }
  }
  return value;
}

}  // namespace

JsValue js_value(const AuthoredDocument& document) {
  JsValue root = js_value(document.object);
  for (const auto& [alias, anchor] : document.aliases) {
    JsValue* const to = at_path(root, alias);
    const JsValue* const from = at_path(root, anchor);
    if (to && from) *to = JsValue(*from);
  }
  return root;
}

Json plain_json(const JsValue& value) {
  struct Maker {
    Json operator()(std::monostate) const { return nullptr; }
    Json operator()(std::nullptr_t) const { return nullptr; }
    Json operator()(bool given) const { return given; }
    Json operator()(std::int64_t given) const { return given; }
    Json operator()(std::uint64_t given) const { return given; }
    Json operator()(double given) const {
      // To JavaScript 1.0 and 1 are the same.
      constexpr double kExact = 9007199254740992;
      if (std::trunc(given) == given && std::abs(given) <= kExact) return static_cast<std::int64_t>(given);
      return given;
    }
    Json operator()(const JsInteger& given) const { return std::strtod(given.digits.c_str(), nullptr); }
    Json operator()(const JsDate& given) const { return given.text; }
    Json operator()(const std::string& given) const { return given; }
    Json operator()(const JsValue::List& given) const {
      Json list = Json::array();
      for (const JsValue& item : *given) list.push_back(plain_json(item));
      return list;
    }
    Json operator()(const JsValue::Object& given) const {
      Json object = Json::object();
      auto& members = object.get_ref<Json::object_t&>();
      for (const auto& [key, member] : given->members()) members.emplace_back(key, plain_json(member));
      return object;
    }
  };
  return std::visit(Maker(), value.variant());
}

bool is_plain(const JsValue& value) {
  if (value.is_list()) return std::all_of(value.list().begin(), value.list().end(), is_plain);
  if (value.is_object()) {
    const auto& members = value.object().members();
    return std::all_of(members.begin(), members.end(), [](const auto& member) { return is_plain(member.second); });
  }
  return !std::holds_alternative<JsDate>(value.variant()) && !std::holds_alternative<JsInteger>(value.variant());
}

bool is_equal(const JsValue& a, const JsValue& b) {
  if (a.is_number() && b.is_number()) return equal_numbers(a, b);
  if (a.variant().index() != b.variant().index()) return false;
  if (a.is_object()) {
    if (&a.object() == &b.object()) return true;
    if (a.object().size() != b.object().size()) return false;
    for (const auto& [key, value] : a.object().members()) {
      const JsValue* const other = b.object().find(key);
      if (!other || !is_equal(value, *other)) return false;
    }
    return true;
  }
  if (a.is_list()) {
    if (&a.list() == &b.list()) return true;
    return std::equal(a.list().begin(), a.list().end(), b.list().begin(), b.list().end(), is_equal);
  }
  if (a.is_text()) return a.text() == b.text();
  if (a.is_boolean()) return a.is(b.is(true));
  if (const auto* date = std::get_if<JsDate>(&a.variant())) return date->text == std::get<JsDate>(b.variant()).text;
  return true;  // null, undefined
}

JsValue JsClones::of(const JsValue& value) {
  if (!value.is_structured()) return value;
  const auto known = copies_.find(value.identity());
  if (known != copies_.end()) return known->second;
  ++copied_;
  JsValue copy;
  if (value.is_list()) {
    JsList list;
    list.reserve(value.list().size());
    for (const JsValue& item : value.list()) list.push_back(of(item));
    copied_ += list.size();
    copy = std::move(list);
  } else {
    auto object = js_object();
    for (const JsObject::Member* const member : value.object().keys()) object->set(member->first, of(member->second));
    copied_ += object->size();
    copy = std::move(object);
  }
  copies_.emplace(value.identity(), copy);
  return copy;
}

void sort_by_value(JsList& values) {
  std::stable_sort(values.begin(), values.end(),
                   [](const JsValue& a, const JsValue& b) { return compare_ascending(a, b) < 0; });
}

std::string js_number_text(const JsValue& number) {
  if (const auto* value = std::get_if<std::int64_t>(&number.variant())) return std::to_string(*value);
  if (const auto* value = std::get_if<std::uint64_t>(&number.variant())) return std::to_string(*value);
  if (const auto* value = std::get_if<JsInteger>(&number.variant())) return value->digits;
  return js_number(number.number());
}

}  // namespace eventgate
