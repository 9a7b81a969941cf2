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

namespace eventgate {

/// What became of an event, as the live page says it: it was produced, or is invalid, or failed for another reason.
enum class LiveOutcome : std::uint8_t { accepted, invalid, error };

/// The name of an outcome: that of the enumerator.
std::string_view live_outcome_name(LiveOutcome outcome);

/// A client's event and what became of it. Refers to texts of whoever made it.
struct LiveEvent {
  std::uint64_t number = 0;      ///< Its place among all events of the feed, from 1. The feed gives it.
  std::int64_t received_at = 0;  ///< Milliseconds since 1970.
  LiveOutcome outcome = LiveOutcome::accepted;
  bool hasty = false;
  bool cut = false;             ///< The feed cut the text or errors, or left some out, because they were too long.
  std::string_view stream;      ///< Empty: not known.
  std::string_view schema_uri;  ///< Of the schema it was checked against, else as the event has it; empty: not known.
  std::string_view query;       ///< The request's parameters but `hasty`: a JSON array of [name, value]. Empty: none.
  std::string_view text;        ///< As completed as it got. No JSON where a whole body was none.
  std::span<const TextRange> added;     ///< What the gate added to the text, in order. Of a text that is cut: nothing.
  const EventStatus* status = nullptr;  ///< Of one that is not accepted: why. Its `event` is not used.
};

/// Which events a viewer wants.
struct LiveFilter {
  std::optional<std::string> stream;
  bool accepted = true;
  bool invalid = true;
  bool error = true;
};

/// The last events of clients, accepted and refused, for those who look on: a ring of bounded size, allocated once.
/// Whoever looks on reads at his own pace from where he is; what is overwritten before that he has missed. So nobody
/// who adds waits for anybody who reads, but for the copying of some bytes.
///
/// Thread-safe.
class LiveFeed {
 public:
  /// Events and bytes kept.
  static constexpr std::size_t kMaxEvents = 1024;
  static constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
  /// Bytes kept while nobody has looked on for this long. So few stay in a core's cache, and of a large request only
  /// the last events are copied: that is what makes `add` cheap.
  static constexpr std::size_t kIdleBytes = 64 * 1024;
  static constexpr std::chrono::minutes kIdleAfter{5};
  /// Bytes kept of an event's text, of its errors together, and of the places in it that the gate added. A text of an
  /// error is cut at 4096 bytes.
  static constexpr std::size_t kMaxText = 64 * 1024;

  LiveFeed();

  /// Adds `events`, in this order; their numbers are not looked at.
  void add(std::span<const LiveEvent> events);

  /// Tells this feed from that of another run: its numbers mean nothing there.
  std::int64_t epoch() const { return epoch_; }

  /// The number of the oldest event there is; one more than the newest if there is none.
  std::uint64_t oldest() const;

  /// What `read` gives.
  struct Piece {
    std::uint64_t missed =
        0;                   ///< Events from where the viewer was on that are gone, whatever their stream and outcome.
    std::uint64_t next = 0;  ///< Where the viewer is now.
    std::string events;      ///< For `next_live_event`.
  };

  /// Reads the events that `filter` wants from number `next` on: as many as fit in `max_bytes`, but one at least.
  Piece read(std::uint64_t next, const LiveFilter& filter, std::size_t max_bytes);

 private:
  struct Slot {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };

  /// Adds one event, `status` being why it was refused.
  void add(const LiveEvent& event, std::string& status);
  /// The place for `size` bytes of the next event.
  char* make_room(std::size_t size);
  Slot& slot(std::uint64_t number) { return slots_[number % kMaxEvents]; }
  const Slot& slot(std::uint64_t number) const { return slots_[number % kMaxEvents]; }

  const std::int64_t epoch_;
  mutable std::mutex mutex_;
  std::vector<char> bytes_;
  std::vector<Slot> slots_;
  std::uint64_t first_ = 1;  // the oldest event's number
  std::uint64_t next_ = 1;   // the next event's
  std::size_t end_ = 0;      // where the newest event ends
  std::size_t limit_ = kIdleBytes;
  std::int64_t read_at_ = 0;  // milliseconds since 1970
};

/// What an event read refers to.
struct LiveEventMemory {
  EventStatus status;
  std::vector<TextRange> added;
};

/// Takes the next event from `events`, what `LiveFeed::read` gave. Nothing if there is none left. It refers to `events`
/// and to `memory`.
std::optional<LiveEvent> next_live_event(std::string_view& events, LiveEventMemory& memory);

}  // namespace eventgate
