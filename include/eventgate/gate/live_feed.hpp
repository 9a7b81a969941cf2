#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/gate/event_status.hpp"
#include "eventgate/json/event_patch.hpp"

// The live feed holds the last events of clients for the live page. The gate adds events once it knows their outcome;
// each viewer reads from its own position on:
//
//     LiveFeed::Page page = feed.read(feed.oldest(), {}, 64 * 1024);
//     std::string_view events = page.events;
//     LiveEventMemory memory;
//     while (const auto event = next_live_event(events, memory)) show(*event);

namespace eventgate {

/// The outcome of an event as the live page shows it.
enum class LiveOutcome : std::uint8_t {
  accepted,  ///< It was produced.
  invalid,   ///< Validation refused it.
  error,     ///< It failed for another reason.
};

/// Returns the name of an outcome: that of the enumerator.
std::string_view live_outcome_name(LiveOutcome outcome);

/// A client's event with its outcome. The texts belong to the code that made it.
struct LiveEvent {
  std::uint64_t number = 0;      ///< Its number among all events of the feed, from 1. `add` sets it.
  std::int64_t received_at = 0;  ///< Milliseconds since 1970.
  LiveOutcome outcome = LiveOutcome::accepted;
  bool hasty = false;
  bool canary = false;          ///< `meta.domain` is `canary`.
  bool cut = false;             ///< The feed cut or left out parts that were too long.
  std::string_view stream;      ///< Empty: unknown.
  std::string_view schema_uri;  ///< Of the schema that checked it, else as the event has it. Empty: unknown.
  std::string_view query;       ///< The query without `hasty`, a JSON array of [name, value]. Empty: no parameters.
  std::string_view text;        ///< As completed so far. A malformed body stands here as it was sent.
  std::span<const TextRange> added;     ///< The parts of `text` that the gate added, in order. Empty if `text` is cut.
  const EventStatus* status = nullptr;  ///< Why it was not accepted, else null. `status->event` is unused.
};

/// Which events a viewer wants.
struct LiveFilter {
  std::optional<std::string> stream;  ///< Nullopt: every stream.
  bool accepted = true;
  bool invalid = true;
  bool error = true;
  bool canaries = false;  ///< Canaries, too.
};

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

  /// Adds `events` in this order. Sets their numbers in the feed, and ignores those given.
  void add(std::span<const LiveEvent> events);

  /// Returns a number that tells this feed from the feeds of other runs, whose event numbers mean nothing here.
  std::int64_t epoch() const { return epoch_; }

  /// Returns the number of the oldest event in the ring. For an empty ring, the number of the next event.
  std::uint64_t oldest() const;

  /// The result of one `read`.
  struct Page {
    std::uint64_t missed = 0;  ///< Overwritten events since the viewer's position, of any stream and outcome.
    std::uint64_t next = 0;    ///< The viewer's new position.
    std::string events;        ///< Packed. Read them with `next_live_event`.
  };

  /// Reads the events from number `next` on that `filter` wants: at least one, and otherwise at most `max_bytes`.
  Page read(std::uint64_t next, const LiveFilter& filter, std::size_t max_bytes);

 private:
  struct Slot {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };

  void add(const LiveEvent& event, std::string& status_buffer);
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
  std::size_t end_ = 0;      // the end of the newest event in `bytes_`
  std::size_t limit_ = kIdleBytes;
  std::int64_t read_at_ = 0;  // milliseconds since 1970
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
