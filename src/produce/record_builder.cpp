#include "eventgate/produce/record_builder.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>
#include <vector>

#include "eventgate/events/json_text.hpp"

namespace eventgate {

namespace {

constexpr std::size_t kMaxTopicName = 249;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Appends `number`, a JSON number's text, as JavaScript writes the double that it is.
void append_number(std::string& out, std::string_view number) {
  double value = 0;  // and stays so if the number is too small for a double
  std::from_chars(number.data(), number.data() + number.size(), value);
  out += js_number(value);
}

/// Where a member stands in a JavaScript object: index keys ascending, then the others as they came.
std::uint64_t member_rank(std::string_view key, std::size_t order) {
  if (const auto index = array_index(key)) return *index;
  return (std::uint64_t{1} << 32) + order;
}

struct Member {
  std::string key;
  std::size_t order;
  JsonValue value;
};

/// The members of `object` as a JavaScript object has them: of keys that occur again the first's place, the last's
/// value.
std::vector<Member> javascript_members(JsonValue object) {
  std::vector<Member> members;
  for (auto it = object.begin(); it != object.end(); ++it) {
    const JsonValue key = *it;
    ++it;
    members.push_back({key.string(), members.size(), *it});
  }
  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) { return std::tie(a.key, a.order) < std::tie(b.key, b.order); });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (kept > 0 && members[kept - 1].key == members[i].key) {
      members[kept - 1].value = members[i].value;
    } else {
      if (kept != i) members[kept] = std::move(members[i]);
      ++kept;
    }
  }
  members.erase(members.begin() + static_cast<std::ptrdiff_t>(kept), members.end());
  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) { return member_rank(a.key, a.order) < member_rank(b.key, b.order); });
  return members;
}

/// Appends `root` as JSON.stringify(JSON.parse(text)) would write it. Not recursive.
void append_as_javascript(std::string& out, JsonValue root) {
  struct Open {
    bool object;
    bool first;
    std::vector<Member> members;  // of an object
    std::size_t next_member;
    JsonValue::iterator element, end;  // of an array
  };
  std::vector<Open> open;
  std::string buffer;
  JsonValue value = root;
  for (;;) {
    switch (value.type()) {
      case JsonType::null:
      case JsonType::boolean:
        out += value.source();
        break;
      case JsonType::number:
        append_number(out, value.source());
        break;
      case JsonType::string:
        append_json_string(out, value.string(buffer));
        break;
      case JsonType::object:
        out += '{';
        open.push_back({true, true, javascript_members(value), 0, {}, {}});
        break;
      case JsonType::array:
        out += '[';
        open.push_back({false, true, {}, 0, value.begin(), value.end()});
        break;
    }
    for (;;) {
      if (open.empty()) return;
      Open& top = open.back();
      const bool done = top.object ? top.next_member == top.members.size() : top.element == top.end;
      if (done) {
        out += top.object ? '}' : ']';
        open.pop_back();
        continue;
      }
      if (!top.first) out += ',';
      top.first = false;
      if (top.object) {
        const Member& member = top.members[top.next_member++];
        append_json_string(out, member.key);
        out += ':';
        value = member.value;
      } else {
        value = *top.element;
        ++top.element;
      }
      break;
    }
  }
}

/// An object of the message_key: dotted key paths nest, as deep as the stream config's author wrote them.
struct KeyField {
  std::string key;
  std::optional<JsonValue> value;  // else an object of `fields`
  std::vector<KeyField> fields;
};

void set_key_field(std::vector<KeyField>& fields, const FieldPath& path, JsonValue value) {
  std::vector<KeyField>* level = &fields;
  KeyField* field = nullptr;
  for (const std::string& key : path.keys()) {
    if (field) {
      field->value.reset();
      level = &field->fields;
    }
    const auto found = std::find_if(level->begin(), level->end(), [&](const KeyField& f) { return f.key == key; });
    field = found != level->end() ? &*found : &level->emplace_back(KeyField{key, std::nullopt, {}});
  }
  if (!field) return;
  field->value = value;
  field->fields.clear();
}

void append_key_fields(std::string& out, const std::vector<KeyField>& fields) {
  std::vector<std::size_t> places(fields.size());
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
  std::sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
    return member_rank(fields[a].key, a) < member_rank(fields[b].key, b);
  });
  out += '{';
  bool first = true;
  for (const std::size_t place : places) {
    const KeyField& field = fields[place];
    if (!first) out += ',';
    first = false;
    append_json_string(out, field.key);
    out += ':';
    if (field.value) {
      append_as_javascript(out, *field.value);
    } else {
      append_key_fields(out, field.fields);
    }
  }
  out += '}';
}

/// Reads a date-time from the left.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  bool at_digit() const { return !text_.empty() && is_digit(text_[0]); }

  bool skip(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  /// Exactly `count` digits.
  bool digits(int count, int& value) {
    if (text_.size() < static_cast<std::size_t>(count)) return false;
    value = 0;
    for (int i = 0; i < count; ++i) {
      const char c = text_[static_cast<std::size_t>(i)];
      if (!is_digit(c)) return false;
      value = value * 10 + (c - '0');
    }
    text_.remove_prefix(static_cast<std::size_t>(count));
    return true;
  }

  /// The digits behind a decimal point: the first three count.
  bool milliseconds(int& value) {
    if (!at_digit()) return false;
    int weight = 100;
    for (value = 0; at_digit(); text_.remove_prefix(1)) {
      value += (text_[0] - '0') * weight;
      weight /= 10;
    }
    return true;
  }

 private:
  std::string_view text_;
};

/// Days since 1970-01-01 of the first of a month of the proleptic Gregorian calendar.
std::int64_t days_of_month_start(std::int64_t year, int month) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

}  // namespace

bool is_topic_name(std::string_view topic) {
  return !topic.empty() && topic.size() <= kMaxTopicName && topic != "." && topic != ".." &&
         std::all_of(topic.begin(), topic.end(), is_name_character);
}

std::string topic_name(std::string_view topic_prefix, std::string_view stream, const StreamConfig* config) {
  if (stream.starts_with("eventlogging_") || (config && config->without_topic_prefix)) return std::string(stream);
  std::string topic;
  topic.reserve(topic_prefix.size() + stream.size());
  topic += topic_prefix;
  topic += stream;
  return topic;
}

std::string stream_of_schema_uri(std::string_view schema_uri) {
  std::string stream;
  stream.reserve(schema_uri.size());
  for (const char c : schema_uri) stream += is_name_character(c) ? c : '_';
  stream.erase(0, stream.find_first_not_of('_'));
  return stream;
}

boost::system::result<std::optional<std::string>, std::string> message_key(const StreamConfig& config,
                                                                           JsonValue event) {
  if (config.message_key_fields.empty()) return {boost::system::in_place_value, std::nullopt};
  std::vector<KeyField> fields;
  for (const auto& [key_path, event_path] : config.message_key_fields) {
    const auto value = event_path.find(event);
    // The field named is the key's, as recorded of the original.
    if (!value)
      return {boost::system::in_place_error,
              "Failed extracting " + key_path.dotted() + " from event, field is not defined."};
    set_key_field(fields, key_path, *value);
  }
  std::string key;
  append_key_fields(key, fields);
  return {boost::system::in_place_value, std::move(key)};
}

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  TimeReader reader(text);
  int year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, millisecond = 0, offset_minutes = 0;
  // An expanded year: a sign and six digits.
  bool negative_year = false;
  if (reader.skip('+') || (negative_year = reader.skip('-'))) {
    if (!reader.digits(6, year) || (negative_year && year == 0)) return std::nullopt;
    if (negative_year) year = -year;
  } else if (!reader.digits(4, year)) {
    return std::nullopt;
  }
  bool whole_date = false;
  if (reader.skip('-')) {
    if (!reader.digits(2, month)) return std::nullopt;
    if (reader.skip('-')) {
      if (!reader.digits(2, day)) return std::nullopt;
      whole_date = true;
    }
  }
  if (reader.skip('T') || reader.skip('t') || (whole_date && reader.skip(' '))) {
    if (!reader.digits(2, hour) || !reader.skip(':') || !reader.digits(2, minute)) return std::nullopt;
    if (reader.skip(':')) {
      if (!reader.digits(2, second)) return std::nullopt;
      if (reader.skip('.') && !reader.milliseconds(millisecond)) return std::nullopt;
    }
    // Without an offset it is local time to JavaScript; the service's is UTC.
    if (!reader.skip('Z') && !reader.skip('z') && !reader.at_end()) {
      const bool west = reader.skip('-');
      int hours = 0, minutes = 0;
      if ((!west && !reader.skip('+')) || !reader.digits(2, hours)) return std::nullopt;
      if (reader.skip(':') ? !reader.digits(2, minutes) : reader.at_digit() && !reader.digits(2, minutes))
        return std::nullopt;
      if (hours > 23 || minutes > 59) return std::nullopt;
      offset_minutes = (west ? -1 : 1) * (hours * 60 + minutes);
    }
  }
  if (!reader.at_end() || month < 1 || month > 12 || day < 1 || day > 31 || minute > 59 || second > 59)
    return std::nullopt;
  if (hour > 24 || (hour == 24 && (minute != 0 || second != 0 || millisecond != 0))) return std::nullopt;
  // A day behind the month's last is one of the next month, as V8 has it.
  const std::int64_t days = days_of_month_start(year, month) + day - 1;
  const std::int64_t minutes = (days * 24 + hour) * 60 + minute - offset_minutes;
  const std::int64_t milliseconds = (minutes * 60 + second) * 1000 + millisecond;
  constexpr std::int64_t kMaxTime = 8'640'000'000'000'000;  // of a JavaScript Date
  if (milliseconds > kMaxTime || milliseconds < -kMaxTime) return std::nullopt;
  return milliseconds;
}

}  // namespace eventgate
