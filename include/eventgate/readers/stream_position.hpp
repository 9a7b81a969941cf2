#pragma once

#include <boost/system/result.hpp>
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

/// Appends the JSON array of `positions`, in their order: the text of an `id`. With `ended`, the first entry has
/// `"end":true`: a client that comes back with it is told to stop.
void append_stream_id(std::string& out, std::span<const StreamPosition> positions, bool ended = false);

/// One entry of `Last-Event-ID`.
struct LastEventEntry {
  std::string topic;
  std::optional<std::int32_t> partition;  ///< Nullopt: a topic name alone, which says nothing of positions.
  std::optional<std::int64_t> offset;     ///< The next one wanted; -1 the end, -2 the beginning.
  std::optional<std::int64_t> timestamp;  ///< Milliseconds since 1970; -1 the end, -2 the beginning.
};

/// What a `Last-Event-ID` says.
struct LastEventId {
  std::vector<LastEventEntry> entries;  ///< In the order sent, also those of topics that are not subscribed.
  bool ended = false;                   ///< The stream had ended: see `append_stream_id`.
};

/// Bytes of the longest `Last-Event-ID`.
inline constexpr std::size_t kMaxLastEventId = std::size_t{64} << 10;

/// Reads the JSON of a `Last-Event-ID`: an array of objects with `topic`, `partition` and `offset` or `timestamp` or
/// both, or an array of topic names. Other members are ignored. Numbers may be written as `1.0`. Fails with a sentence
/// that says what was expected. Bounded in time and memory by the size of `text`. Thread-safe.
boost::system::result<LastEventId, std::string> parse_last_event_id(std::string_view text);

}  // namespace eventgate
