// Any bytes as what people write: what is read is an object within the limits (levels, and what aliases copy), in valid
// UTF-8, and the same when it is written as JSON and read again; what nlohmann::json takes is read as it reads it, but
// for what is refused on purpose.

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/fetch/object_reader.hpp"
#include "require.hpp"

namespace {

using eventgate::parse_object_text;
using nlohmann::ordered_json;

constexpr std::size_t kDepth = 64;

std::size_t depth_of(const ordered_json& value) {
  std::size_t deepest = 0;
  if (!value.is_structured()) return 0;
  for (const ordered_json& child : value) deepest = std::max(deepest, depth_of(child));
  return deepest + 1;
}

struct Extent {
  std::size_t nodes = 0;  // keys too
  std::size_t bytes = 0;  // of strings and keys
};

void add_extent(const ordered_json& value, Extent& extent) {
  ++extent.nodes;
  if (value.is_string()) extent.bytes += value.get_ref<const std::string&>().size();
  if (value.is_object())
    for (const auto& [key, member] : value.items()) {
      ++extent.nodes;
      extent.bytes += key.size();
      add_extent(member, extent);
    }
  if (value.is_array())
    for (const ordered_json& item : value) add_extent(item, extent);
}

bool is_finite(const ordered_json& value) {
  if (value.is_number_float()) return std::isfinite(value.get<double>());
  return !value.is_structured() || std::all_of(value.begin(), value.end(), is_finite);
}

/// Whether a JSON text has an object with a key twice. nlohmann's parser would keep the last.
bool has_duplicate_key(std::string_view text) {
  std::vector<std::set<std::string>> keys;
  bool found = false;
  const auto look = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    if (event == nlohmann::json::parse_event_t::object_start) keys.emplace_back();
    if (event == nlohmann::json::parse_event_t::object_end) keys.pop_back();
    if (event == nlohmann::json::parse_event_t::key)
      found = found || !keys.back().insert(parsed.get<std::string>()).second;
    return true;
  };
  [[maybe_unused]] const nlohmann::json ignored = nlohmann::json::parse(text, look, false);
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = parse_object_text(text, kDepth);
  if (read) {
    require(read->is_object(), "what is read is an object");
    require(depth_of(*read) <= kDepth, "what is read is no deeper than the limit");
    Extent extent;
    add_extent(*read, extent);
    // What aliases copy is bounded; else a byte makes two nodes at most (`{a,b}`), and a timestamp doubles its text.
    require(extent.nodes <= 100'000 + 2 * size + 2, "aliases copy no more nodes than the limit");
    require(extent.bytes <= 16 * std::max<std::size_t>(size, 64 * 1024) + 4 * size, "nor more bytes");
    const std::string json = read->dump();  // throws at invalid UTF-8
    if (is_finite(*read)) {
      const auto again = parse_object_text(json, kDepth);
      require(again.has_value() && *again == *read, "what is read is the same as JSON");
    }
  } else {
    require(!read.error().message.empty() && read.error().message.size() < 2000, "an error is a short text");
    static_cast<void>(ordered_json(read.error().message).dump());
  }

  // Its parser takes a NUL for the end of the text, and recursion is none of its problems.
  if (text.find('\0') != std::string_view::npos || !ordered_json::accept(text)) return 0;
  if (has_duplicate_key(text)) {
    require(!read, "a key that occurs twice is refused");
    return 0;
  }
  const auto expected = ordered_json::parse(text);
  if (!expected.is_object() || depth_of(expected) > kDepth)
    require(!read, "what is no object, or too deep, is refused");
  else
    require(read.has_value() && *read == expected, "JSON is read as nlohmann reads it");
  return 0;
}
