#include "eventgate/json/stringify.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>
#include <vector>

#include "eventgate/json/json_text.hpp"

namespace eventgate {
namespace {

/// Appends a JSON number as JavaScript writes its nearest double.
void append_number(std::string& out, std::string_view number) {
  double value = 0;  // from_chars leaves it if the number is too small for a double
  std::from_chars(number.data(), number.data() + number.size(), value);
  out += js_number(value);
}

struct Member {
  std::string key;
  std::size_t order;
  JsonValue value;
};

/// Returns the members of `object` as JavaScript keeps them. A repeated key has the place of the first and the value of
/// the last.
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
  std::sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
    return javascript_member_rank(a.key, a.order) < javascript_member_rank(b.key, b.order);
  });
  return members;
}

}  // namespace

std::uint64_t javascript_member_rank(std::string_view key, std::size_t order) {
  if (const auto index = array_index(key)) return *index;
  return (std::uint64_t{1} << 32) + order;
}

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

}  // namespace eventgate
