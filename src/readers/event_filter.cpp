#include "eventgate/readers/event_filter.hpp"

#include <algorithm>
#include <utility>

namespace eventgate {
namespace {

bool equals(JsonValue value, const std::string& text) {
  switch (value.type()) {
    case JsonType::string:
      return value.string_equals(text);
    case JsonType::number:
    case JsonType::boolean:
    case JsonType::null:
      return value.source() == text;
    case JsonType::object:
    case JsonType::array:
      return false;
  }
  return false;
}

/// Appends `text` with its size, so that no two lists of texts look alike.
void append_sized(std::string& out, const std::string& text) {
  out += std::to_string(text.size());
  out += ':';
  out += text;
}

std::string key_of(const EventFilter::Condition& condition) {
  std::vector<std::string> values = condition.values;
  std::sort(values.begin(), values.end());
  std::string key(1, condition.negated ? '!' : '=');
  append_sized(key, condition.path.dotted());
  for (const std::string& value : values) append_sized(key, value);
  return key;
}

}  // namespace

EventFilter::EventFilter(std::vector<Condition> conditions) : conditions_(std::move(conditions)) {
  std::vector<std::string> keys;
  for (const Condition& condition : conditions_) keys.push_back(key_of(condition));
  std::sort(keys.begin(), keys.end());
  for (const std::string& key : keys) append_sized(key_, key);
}

bool EventFilter::matches(JsonValue event) const {
  return std::all_of(conditions_.begin(), conditions_.end(), [event](const Condition& condition) {
    const auto value = condition.path.find(event);
    const bool found = value && std::any_of(condition.values.begin(), condition.values.end(),
                                            [&value](const std::string& text) { return equals(*value, text); });
    return found != condition.negated;
  });
}

}  // namespace eventgate
