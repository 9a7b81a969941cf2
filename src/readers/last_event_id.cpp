#include <charconv>
#include <limits>
#include <tuple>
#include <utility>

#include "eventgate/json/decimal.hpp"
#include "eventgate/json/json_nodes.hpp"
#include "eventgate/readers/stream_position.hpp"

namespace eventgate {
namespace {

constexpr std::string_view kExpected =
    "expected a JSON array of {\"topic\", \"partition\", \"offset\"} or {\"topic\", \"partition\", \"timestamp\"}, or "
    "of "
    "topic names";

void append_number(std::string& out, std::int64_t value) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end.ptr);
}

/// Reads a number of an entry. `least` is the smallest that is allowed. Returns what was expected, or an empty text.
std::string read_number(JsonValue value, std::string_view name, std::int64_t least, std::int64_t most,
                        std::int64_t& out) {
  const auto number = value.is_number() ? integer_literal(value.source()) : std::nullopt;
  if (number && *number >= least && *number <= most) {
    out = *number;
    return {};
  }
  std::string error(name);
  error += ": expected a whole number from 0 to " + std::to_string(most);
  if (least < 0) error += ", -1 for the end, or -2 for the beginning";
  return error;
}

/// Reads one entry. Returns what was expected, or an empty text.
std::string read_entry(JsonValue value, LastEventEntry& entry) {
  if (value.is_string()) {
    entry.topic = value.string();
    return {};
  }
  if (!value.is_object()) return std::string(kExpected);
  const auto topic = value.find("topic");
  const auto partition = value.find("partition");
  const auto offset = value.find("offset");
  const auto timestamp = value.find("timestamp");
  if (!topic || !topic->is_string() || !partition || (!offset && !timestamp)) return std::string(kExpected);
  entry.topic = topic->string();
  std::int64_t number = 0;
  std::string error = read_number(*partition, "partition", 0, std::numeric_limits<std::int32_t>::max(), number);
  entry.partition = static_cast<std::int32_t>(number);
  for (const auto& [member, name, out] :
       {std::tuple(&offset, "offset", &entry.offset), std::tuple(&timestamp, "timestamp", &entry.timestamp)}) {
    if (!*member || !error.empty()) continue;
    error = read_number(**member, name, -2, std::numeric_limits<std::int64_t>::max(), number);
    *out = number;
  }
  return error;
}

}  // namespace

void append_stream_id(std::string& out, std::span<const StreamPosition> positions, bool ended) {
  out += '[';
  bool first = true;
  for (const StreamPosition& position : positions) {
    out += first ? "{\"topic\":\"" : ",{\"topic\":\"";
    out += position.topic;
    out += "\",\"partition\":";
    append_number(out, position.partition);
    out += ",\"offset\":";
    append_number(out, position.offset);
    if (position.timestamp) {
      out += ",\"timestamp\":";
      append_number(out, *position.timestamp);
    }
    if (ended && first) out += ",\"end\":true";
    out += '}';
    first = false;
  }
  out += ']';
}

boost::system::result<LastEventId, std::string> parse_last_event_id(std::string_view text) {
  if (text.size() > kMaxLastEventId) return "expected at most " + std::to_string(kMaxLastEventId) + " bytes";
  std::string padded;
  padded.reserve(text.size() + kJsonPadding);
  padded = text;
  padded.append(kJsonPadding, ' ');
  JsonNodes nodes;
  // An entry needs two levels; further members may have some of their own.
  if (const auto error = parse_json(std::string_view(padded).substr(0, text.size()), nodes, {.depth = 16})) {
    return std::string(kExpected) + "; at byte " + std::to_string(error->offset) + " of it, JSON needs " +
           error->expected;
  }
  const JsonValue root = nodes.root();
  if (!root.is_array() || root.begin() == root.end()) return std::string(kExpected);
  LastEventId id;
  const bool names = (*root.begin()).is_string();
  for (const JsonValue value : root) {
    if (value.is_string() != names) return std::string(kExpected);
    LastEventEntry entry;
    if (std::string error = read_entry(value, entry); !error.empty()) return error;
    if (value.is_object()) {
      const auto end = value.find("end");
      id.ended |= end && end->is_true();
    }
    id.entries.push_back(std::move(entry));
  }
  return id;
}

}  // namespace eventgate
