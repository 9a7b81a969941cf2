#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "eventgate/gate/live_event.hpp"
#include "eventgate/gate/live_filter.hpp"

// What the live page counts, since the start or the last reset. It is for those who look on and for tests of
// instrumentations; the ledger is what balances.

namespace eventgate {

/// Counts by LiveOutcome.
using LiveTally = std::array<std::uint64_t, kLiveOutcomeCount>;

/// The answer to one question about the counts.
struct LiveCount {
  LiveTally outcomes{};
  std::uint64_t in_flight = 0;  ///< Events whose outcome is not known yet, of any stream.
  /// Events that may be among those asked for, and are not told apart: LiveCounts::kMaxNames was reached.
  std::uint64_t unlisted = 0;
};

/// All counts.
struct LiveSummary {
  struct Names {
    std::string stream, schema_uri;
    LiveTally outcomes{};
    std::int64_t last_at = 0;  ///< Receipt of the last event, milliseconds since 1970.
  };
  struct Reason {
    std::string schema_uri, reason, path;
    LiveOutcome outcome = LiveOutcome::invalid;
    std::uint64_t count = 0;
    std::int64_t last_at = 0;
  };
  struct Second {
    std::int64_t second = 0;  ///< Since 1970.
    LiveTally outcomes{};
  };
  LiveTally totals{};
  std::uint64_t in_flight = 0;
  std::uint64_t kept = 0;      ///< Events in the ring.
  std::uint64_t last = 0;      ///< The number of the newest event.
  std::uint64_t unlisted = 0;  ///< Events in no entry of `names`.
  std::uint64_t unlisted_reasons = 0;
  std::int64_t since = 0;       ///< The start or the last reset, milliseconds since 1970.
  std::vector<Names> names;     ///< Pairs of a stream and a schema, in no order.
  std::vector<Reason> reasons;  ///< In no order.
  std::vector<Second> seconds;  ///< Of the last five minutes, those with events, in no order.
};

/// Counts events by stream and schema, by reason and by second. Clients make up names, so there are bounds.
///
/// Use from one thread at a time.
class LiveCounts {
 public:
  /// Pairs of a stream and a schema that are counted by themselves. Further ones are `unlisted`.
  static constexpr std::size_t kMaxNames = 2000;
  static constexpr std::size_t kMaxReasons = 500;
  /// Bytes kept of each name.
  static constexpr std::size_t kMaxName = 1024;
  static constexpr std::size_t kSeconds = 300;

  LiveCounts() = default;
  LiveCounts(const LiveCounts&) = delete;
  LiveCounts& operator=(const LiveCounts&) = delete;

  void add(const LiveEvent& event);
  /// Forgets everything.
  void clear();
  LiveCount count(const LiveFilter& filter) const;
  /// Fills all of `summary` but `in_flight`, `kept`, `last` and `since`.
  void fill(LiveSummary& summary) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };
  template <typename Entry>
  using ByKey = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;

  void find_bucket(std::int64_t received_at);
  void set_key(std::initializer_list<std::string_view> names);
  void find_names(const LiveEvent& event);
  void add_reason(const LiveEvent& event);

  LiveTally totals_{};
  LiveTally unlisted_{};
  std::uint64_t unlisted_reasons_ = 0;
  ByKey<LiveSummary::Names> names_;
  ByKey<LiveSummary::Reason> reasons_;
  std::array<LiveSummary::Second, kSeconds> seconds_{};
  LiveSummary::Second outdated_;
  // Of the last event. The pointers lead into this object, so it is not copied.
  LiveSummary::Second* bucket_ = nullptr;
  std::int64_t bucket_time_ = 0;
  LiveSummary::Names* last_ = nullptr;  // null: it has no entry
  std::string key_;
};

}  // namespace eventgate
