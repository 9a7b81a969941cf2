#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "eventgate/gate/event_status.hpp"
#include "eventgate/json/event_patch.hpp"

namespace eventgate {

/// The outcome of an event as the live page shows it.
enum class LiveOutcome : std::uint8_t {
  accepted,  ///< It was produced.
  invalid,   ///< Validation refused it.
  error,     ///< It failed for another reason.
  rejected,  ///< No event: a request that was refused before its events were looked at.
};
inline constexpr std::size_t kLiveOutcomeCount = 4;

/// Returns the name of an outcome: that of the enumerator.
std::string_view live_outcome_name(LiveOutcome outcome);

/// A client's event with its outcome. The texts belong to the code that made it.
struct LiveEvent {
  std::uint64_t number = 0;      ///< Its number among all events of the feed, from 1. `LiveFeed::add` sets it.
  std::uint64_t request = 0;     ///< The number of the first event of its request. `LiveFeed::add` sets it.
  std::uint32_t index = 0;       ///< Its place in the request, from 0. `LiveFeed::add` sets it.
  std::uint32_t of = 1;          ///< Events of the request. `LiveFeed::add` sets it.
  std::int64_t received_at = 0;  ///< Milliseconds since 1970.
  LiveOutcome outcome = LiveOutcome::accepted;
  bool hasty = false;
  bool cut = false;             ///< The feed cut or left out parts that were too long.
  std::string_view stream;      ///< Empty: unknown.
  std::string_view schema_uri;  ///< Of the schema that checked it, else as the event has it. Empty: unknown.
  std::string_view cause;       ///< The name of the cause in metrics and logs. Empty: accepted, or not known.
  std::string_view query;       ///< The query without `hasty`, a JSON array of [name, value]. Empty: no parameters.
  std::string_view text;        ///< As completed so far. A malformed body stands here as it was sent.
  std::string_view topic;       ///< Of its record. Empty: there is none.
  std::string_view key;         ///< Of its record. Empty: there is none.
  std::int32_t partition = -1;  ///< Where Kafka has it. Less than 0: not known.
  std::int64_t offset = -1;     ///< As `partition`.
  std::span<const TextRange> added;     ///< The parts of `text` that the gate added, in order. Empty if `text` is cut.
  const EventStatus* status = nullptr;  ///< Why it was not accepted, else null. `status->event` is unused.
};

/// Why an event was not accepted, in the form in which such events are grouped.
struct LiveReason {
  std::string_view reason;  ///< The keyword of its first validation error, else its cause.
  std::string path;  ///< The place of that error, as AJV writes it; `[]` for every index. Empty without an error.
};

/// Returns the reason of an event that was not accepted.
LiveReason live_reason(const LiveEvent& event);

}  // namespace eventgate
