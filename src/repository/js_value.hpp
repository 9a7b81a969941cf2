#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "eventgate/fetch/authored_document.hpp"

namespace eventgate {

class JsObject;
class JsValue;
using JsList = std::vector<JsValue>;

/// A Date, as its toISOString.
struct JsDate {
  std::string text;
};
/// An integer beyond 64 bits, which JavaScript has not: it keeps its digits.
struct JsInteger {
  std::string digits;
};

/// A value as JavaScript has it: an object or a list may stand in several places, and is the same there. js-yaml makes
/// an anchor of it, so what is made of a schema depends on that. The default is `undefined`.
class JsValue {
 public:
  using List = std::shared_ptr<JsList>;
  using Object = std::shared_ptr<JsObject>;

  JsValue() = default;
  JsValue(std::nullptr_t) : value_(nullptr) {}
  JsValue(bool value) : value_(value) {}
  JsValue(std::int64_t value) : value_(value) {}
  JsValue(std::uint64_t value) : value_(value) {}
  JsValue(double value) : value_(value) {}
  JsValue(JsInteger value) : value_(std::move(value)) {}
  JsValue(JsDate value) : value_(std::move(value)) {}
  JsValue(std::string value) : value_(std::move(value)) {}
  JsValue(const char* value) : value_(std::string(value)) {}
  JsValue(JsList list) : value_(std::make_shared<JsList>(std::move(list))) {}
  JsValue(Object object) : value_(std::move(object)) {}

  bool is_undefined() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
  bool is(bool value) const { return std::holds_alternative<bool>(value_) && std::get<bool>(value_) == value; }
  bool is_boolean() const { return std::holds_alternative<bool>(value_); }
  bool is_number() const;
  bool is_text() const { return std::holds_alternative<std::string>(value_); }
  bool is_list() const { return std::holds_alternative<List>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  bool is_structured() const { return is_list() || is_object(); }

  const std::string& text() const { return std::get<std::string>(value_); }
  JsList& list() const { return *std::get<List>(value_); }
  JsObject& object() const { return *std::get<Object>(value_); }
  /// A number as JavaScript has it.
  double number() const;
  /// What tells an object or a list from others.
  const void* identity() const;

  using Variant = std::variant<std::monostate, std::nullptr_t, bool, std::int64_t, std::uint64_t, double, JsInteger,
                               JsDate, std::string, List, Object>;
  const Variant& variant() const { return value_; }

 private:
  Variant value_;
};

/// The members of an object, in the order in which they were set; `keys` has JavaScript's order.
class JsObject {
 public:
  using Member = std::pair<std::string, JsValue>;

  /// Null if there is none.
  const JsValue* find(std::string_view key) const;
  JsValue* find(std::string_view key);
  bool has(std::string_view key) const { return find(key) != nullptr; }
  /// A new member is the last one; one that is there keeps its place.
  void set(std::string_view key, JsValue value);
  void erase(std::string_view key);

  const std::vector<Member>& members() const { return members_; }
  std::size_t size() const { return members_.size(); }
  bool empty() const { return members_.empty(); }
  /// Object.keys: those that are array indexes first.
  std::vector<const Member*> keys() const;

 private:
  /// Members up to which they are searched from the first.
  static constexpr std::size_t kMaxSearched = 16;
  std::size_t place(std::string_view key) const;
  void index_all();

  std::vector<Member> members_;
  std::unordered_map<std::string, std::size_t> index_;  ///< Of large objects.
};

inline JsValue::Object js_object() { return std::make_shared<JsObject>(); }

/// The document, with its aliases.
JsValue js_value(const AuthoredDocument& document);
JsValue js_value(const nlohmann::ordered_json& value);

/// The value as JSON: a date is its text, a long integer the nearest double.
nlohmann::ordered_json plain_json(const JsValue& value);

/// Whether JSON has all of the values as they are: no date or long integer is among them.
bool is_plain(const JsValue& value);

/// lodash's isEqual: of numbers by their value, of objects whatever the order of their members.
bool is_equal(const JsValue& a, const JsValue& b);

/// lodash's cloneDeep of several values at once: what is the same in them is the same in their copies.
class JsClones {
 public:
  JsValue of(const JsValue& value);
  std::size_t copied() const { return copied_; }

 private:
  std::unordered_map<const void*, JsValue> copies_;
  std::size_t copied_ = 0;
};

/// lodash's sortBy without a key: JavaScript's `<`, null after the others; stable.
void sort_by_value(JsList& values);

/// A number as JavaScript writes it; an integer with all its digits.
std::string js_number_text(const JsValue& number);

}  // namespace eventgate
