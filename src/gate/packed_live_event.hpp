#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "eventgate/gate/live_feed.hpp"

// The form of an event in the ring of LiveFeed: a head of fixed size, then the texts that it counts.
//
//     PackedLiveEvent | stream | schema_uri | cause | query | text | topic | key | added ranges | packed status
//
// All of it stays within one process, so sizes and numbers are in the machine's byte order.

namespace eventgate {

/// The head of a packed event.
struct PackedLiveEvent {
  std::uint64_t number;
  std::uint64_t request;
  std::int64_t received_at;
  std::int64_t offset;
  std::int32_t partition;
  std::uint32_t index;
  std::uint32_t of;
  // The sizes of the parts, in bytes.
  std::uint32_t stream;
  std::uint32_t schema_uri;
  std::uint32_t cause;
  std::uint32_t query;
  std::uint32_t text;
  std::uint32_t topic;
  std::uint32_t key;
  std::uint32_t added;
  std::uint32_t status;
  LiveOutcome outcome;
  bool hasty;
  bool cut;

  /// Bytes of the whole packed event.
  std::size_t size() const {
    return sizeof(PackedLiveEvent) + stream + schema_uri + cause + query + text + topic + key + added + status;
  }
};

/// An event whose parts are cut to their bounds, ready to be written.
struct BoundedLiveEvent {
  PackedLiveEvent head;
  std::string_view stream, schema_uri, cause, query, text, topic, key;
  std::span<const TextRange> added;
  std::string_view status;

  /// Writes `head.size()` bytes to `out`.
  void write(char* out) const;
};

/// Cuts the parts of `event` to their bounds. The result has views into `event` and `status_buffer`.
BoundedLiveEvent bound_live_event(const LiveEvent& event, std::uint64_t number, std::string& status_buffer);

/// Reads the head of the packed event at `bytes`.
PackedLiveEvent read_head(const char* bytes);

}  // namespace eventgate
