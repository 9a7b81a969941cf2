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

/// A Date of JavaScript, as the text that its toISOString returns.
struct JsDate {
  std::string text;
};
/// An integer beyond 64 bits, with all its digits. JavaScript would round it.
struct JsInteger {
  std::string digits;
};

/// A value of JavaScript. An object or a list may be shared by several places. js-yaml writes an anchor and aliases for
/// a shared one, so the text of a version depends on sharing. The default is `undefined`.
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
  /// Returns a number as a double, which every number of JavaScript is.
  double number() const;
  /// Returns the address of an object or a list. Shared ones have the same.
  const void* identity() const;

  using Variant = std::variant<std::monostate, std::nullptr_t, bool, std::int64_t, std::uint64_t, double, JsInteger,
                               JsDate, std::string, List, Object>;
  const Variant& variant() const { return value_; }

 private:
  Variant value_;
};

/// The members of an object, in the order in which they were set. `keys` returns the order of JavaScript.
class JsObject {
 public:
  using Member = std::pair<std::string, JsValue>;

  /// Returns null if there is no such member.
  const JsValue* find(std::string_view key) const;
  JsValue* find(std::string_view key);
  bool has(std::string_view key) const { return find(key) != nullptr; }
  /// A new member becomes the last. An existing one keeps its place.
  void set(std::string_view key, JsValue value);
  void erase(std::string_view key);

  const std::vector<Member>& members() const { return members_; }
  std::size_t size() const { return members_.size(); }
  bool empty() const { return members_.empty(); }
  /// Returns the members in the order of Object.keys: array indexes come first.
  std::vector<const Member*> keys() const;

 private:
  /// Objects of at most so many members have no index.
  static constexpr std::size_t kMaxSearched = 16;
  std::size_t place(std::string_view key) const;
  void index_all();

  std::vector<Member> members_;
  std::unordered_map<std::string, std::size_t> index_;  ///< Places by key. Empty in small objects.
};

inline JsValue::Object js_object() { return std::make_shared<JsObject>(); }

/// Returns the value of a document. An alias becomes a shared object.
JsValue js_value(const AuthoredDocument& document);
JsValue js_value(const nlohmann::ordered_json& value);

/// Returns the value as JSON. A date becomes its text, and a long integer the nearest double.
nlohmann::ordered_json plain_json(const JsValue& value);

/// Returns true if JSON can express the value: it has no date and no long integer.
bool is_plain(const JsValue& value);

/// Compares as lodash's isEqual does: numbers by value, objects without the order of their members.
bool is_equal(const JsValue& a, const JsValue& b);

/// Copies several values as lodash's cloneDeep does one. What they share, their copies share.
class JsClones {
 public:
  JsValue of(const JsValue& value);
  std::size_t copied() const { return copied_; }

 private:
  std::unordered_map<const void*, JsValue> copies_;
  std::size_t copied_ = 0;
};

/// Sorts as lodash's sortBy does without a key: by JavaScript's `<`, null last, stable.
void sort_by_value(JsList& values);

/// Returns a number as JavaScript writes it. A long integer keeps its digits.
std::string js_number_text(const JsValue& number);

}  // namespace eventgate
