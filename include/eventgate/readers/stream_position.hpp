#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Positions in the partitions of a subscription: the `id` of an event, and `Last-Event-ID`.
//
//     [{"topic":"eqiad.x","partition":0,"offset":12,"timestamp":1795910400001},{"topic":"codfw.x","partition":0,"offset":0}]

namespace eventgate {

/// A position in one partition.
struct StreamPosition {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;  ///< The next one wanted.
  /// The time of the record before `offset`, plus 1 ms. Nullopt: the partition has no record before it.
  std::optional<std::int64_t> timestamp;
};

/// Appends the JSON array of `positions`, in their order: the text of an `id`.
void append_stream_id(std::string& out, std::span<const StreamPosition> positions);

/// One entry of `Last-Event-ID`.
struct LastEventEntry {
  std::string topic;
  std::optional<std::int32_t> partition;  ///< Nullopt: a topic name alone, so every partition from the end.
  std::optional<std::int64_t> offset;     ///< The next one wanted; -1 the end, -2 the beginning.
  std::optional<std::int64_t> timestamp;  ///< Milliseconds since 1970.
};

}  // namespace eventgate
