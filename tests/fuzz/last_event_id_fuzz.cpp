// Texts of Last-Event-ID. What is read is within its bounds, and positions that are written are read back as they were.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/base/topic_name.hpp"
#include "eventgate/readers/stream_position.hpp"
#include "require.hpp"

namespace {

using namespace eventgate;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto id = parse_last_event_id(text);
  if (!id) {
    require(!id.error().empty() && id.error().size() < 1000);
    return 0;
  }
  require(!id->entries.empty() && id->entries.size() <= size);
  std::vector<StreamPosition> positions;
  for (const LastEventEntry& entry : id->entries) {
    require(entry.partition.has_value() == (entry.offset || entry.timestamp));
    if (!entry.partition) continue;
    require(*entry.partition >= 0 && entry.offset.value_or(0) >= -2 && entry.timestamp.value_or(0) >= -2);
    if (entry.offset && is_topic_name(entry.topic))
      positions.push_back({entry.topic, *entry.partition, *entry.offset, entry.timestamp});
  }
  if (positions.empty()) return 0;
  std::string written;
  append_stream_id(written, positions, id->ended);
  if (written.size() > kMaxLastEventId) return 0;
  const auto again = parse_last_event_id(written);
  require(again.has_value() && again->entries.size() == positions.size() && again->ended == id->ended);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const LastEventEntry& entry = again->entries[i];
    require(entry.topic == positions[i].topic && entry.partition == positions[i].partition &&
            entry.offset == positions[i].offset && entry.timestamp == positions[i].timestamp);
  }
  return 0;
}
