#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/gate/live_counts.hpp"
#include "eventgate/gate/live_event.hpp"
#include "eventgate/gate/live_filter.hpp"

// The live feed holds the last events of clients for the live page. The gate adds events once it knows their outcome;
// each viewer reads from its own position on:
//
//     LiveFeed::Page page = feed.read(feed.oldest(), {}, 64 * 1024);
//     std::string_view events = page.events;
//     LiveEventMemory memory;
//     while (const auto event = next_live_event(events, memory)) show(*event);

namespace eventgate {

/// A ring of the last events, of bounded size, allocated once. Viewers that fall behind miss the events that were
/// overwritten, so `add` waits for a reader only while that copies a few bytes.
///
/// Thread-safe.
class LiveFeed {
 public:
  /// Events that the ring keeps at most.
  static constexpr std::size_t kMaxEvents = 1024;
  /// Bytes that the ring keeps at most.
  static constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
  /// Bytes that the ring keeps once no viewer has read for kIdleAfter. They stay in a core's cache, and `add` copies
  /// only the last events of a large request, which makes it cheap.
  static constexpr std::size_t kIdleBytes = 64 * 1024;
  static constexpr std::chrono::minutes kIdleAfter{5};
  /// Bytes kept of an event's text, of its errors together, and of its added ranges. A text of an error is cut at 4096
  /// bytes.
  static constexpr std::size_t kMaxText = 64 * 1024;

  LiveFeed();

  /// Adds the events of one request, in this order, and counts them. Sets their numbers in the feed and their place in
  /// the request, and ignores those given.
  void add(std::span<const LiveEvent> events);

  /// Counts events whose outcome is not known yet, until `end`.
  void begin(std::size_t count) noexcept { in_flight_.fetch_add(count, std::memory_order_relaxed); }
  /// Ends what `begin` counted. Call `add` before, so that no reader finds an event in neither place.
  void end(std::size_t count) noexcept { in_flight_.fetch_sub(count, std::memory_order_release); }

  /// Returns the counts since the start, or since the last `reset`, of the events that `filter` wants by their stream,
  /// schema and outcome.
  LiveCount count(const LiveFilter& filter) const;

  /// Returns what is counted, stream by stream and reason by reason.
  LiveSummary summary() const;

  /// Forgets all counts and events. Events in flight stay in flight.
  void reset();

  /// Returns a number that tells this feed from the feeds of other runs, whose event numbers mean nothing here.
  std::int64_t epoch() const { return epoch_; }

  /// Returns the number of the oldest event in the ring. For an empty ring, the number of the next event.
  std::uint64_t oldest() const;

  /// The result of one `read`.
  struct Page {
    bool reset = false;        ///< The feed was reset after the viewer's position.
    std::uint64_t missed = 0;  ///< Overwritten events since the viewer's position, of any stream and outcome.
    std::uint64_t next = 0;    ///< The viewer's new position.
    std::string events;        ///< Packed. Read them with `next_live_event`.
  };

  /// Reads the events from number `next` on whose outcome `filter` wants: at least one, and otherwise at most
  /// `max_bytes`. The reader holds them to the rest of the filter itself (`LiveFilter::wants`), without the lock.
  Page read(std::uint64_t next, const LiveFilter& filter, std::size_t max_bytes);

 private:
  struct Slot {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };

  struct Place {
    std::uint64_t request;
    std::uint32_t index, size;
  };
  void add(const LiveEvent& event, const Place& place, std::string& status_buffer);
  /// Returns where the next event goes, and drops the events that it overwrites.
  char* make_room(std::size_t size);
  Slot& slot(std::uint64_t number) { return slots_[number % kMaxEvents]; }
  const Slot& slot(std::uint64_t number) const { return slots_[number % kMaxEvents]; }

  const std::int64_t epoch_;
  mutable std::mutex mutex_;
  std::vector<char> bytes_;
  std::vector<Slot> slots_;
  std::uint64_t first_ = 1;  // the number of the oldest event
  std::uint64_t next_ = 1;   // the number of the next event
  std::uint64_t reset_ = 0;  // the number of the first event after the last reset
  std::size_t end_ = 0;      // the end of the newest event in `bytes_`
  std::size_t limit_ = kIdleBytes;
  std::int64_t read_at_ = 0;  // milliseconds since 1970
  std::int64_t since_;        // the start or the last reset, milliseconds since 1970
  LiveCounts counts_;
  std::atomic<std::size_t> in_flight_{0};
};

/// Memory that a LiveEvent read from a page refers to.
struct LiveEventMemory {
  EventStatus status;
  std::vector<TextRange> added;
};

/// Removes the first event from `events`, which `LiveFeed::read` returned, and returns it. Returns nullopt at the end.
/// `memory` and the page must outlive the result.
std::optional<LiveEvent> next_live_event(std::string_view& events, LiveEventMemory& memory);

}  // namespace eventgate
