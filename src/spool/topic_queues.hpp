#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace eventgate {

class SpoolInbox;
class SpoolState;
class SpoolStore;
class Telemetry;

/// The records of one topic in the store, which are replayed in order of id.
///
/// Attempts, replays, removals and set-aside records under way hold a pointer to the queue. The id of each such record
/// is in `in_use`, so a queue without records has no pointer to it.
struct TopicQueue {
  std::string topic;
  std::size_t records = 0;         ///< To be replayed.
  std::size_t first_attempts = 0;  ///< Records whose first attempt has no report.
  std::size_t replaying = 0;       ///< Records that are being replayed.
  /// Records that must not be sent now: those of the two kinds above, and those that are about to leave the store.
  std::unordered_set<std::int64_t> in_use;
  std::int64_t read_up_to = 0;  ///< Ids up to which records were read from the store.
  bool failing = false;         ///< A replay failed. Replay starts again from the first record once all have reports.
  std::chrono::steady_clock::time_point retry_at{};  ///< No replay before this time.

  // For the log line of its end.
  std::size_t delivered = 0;                               ///< Records that Kafka has taken.
  std::int64_t oldest_spooled_at = 0;                      ///< Milliseconds since the epoch. 0: not known.
  std::chrono::steady_clock::time_point replay_started{};  ///< Of its first replay.

  bool has_replayable_records() const { return records > in_use.size(); }
};

/// All topics that have records in the store, and the attempts of those records that are under way.
///
/// Use on the spool's thread.
class TopicQueues {
 public:
  /// The references must outlive this.
  TopicQueues(SpoolInbox& inbox, SpoolState& state, Telemetry& telemetry);

  /// Returns the queue of `topic`, or null.
  const TopicQueue* find(const std::string& topic) const;
  bool is_empty() const { return queues_.empty(); }
  const std::unordered_map<std::string, std::unique_ptr<TopicQueue>>& all() const { return queues_; }

  /// Adds a record that was written to the store at `spooled_at`, in milliseconds since the epoch.
  void add_stored(const std::string& topic, std::int64_t id, bool attempt_in_flight, std::int64_t spooled_at = 0);
  /// Removes a record that left the store or was set aside. Erases its queue with the last record, reports that the
  /// topic's records are delivered, and returns true then.
  bool remove(TopicQueue& queue, std::int64_t id);

  bool has_first_attempt(std::int64_t id) const { return first_attempts_.contains(id); }
  /// Ends the first attempt of a stored record. Returns its queue, or null if the record is not stored.
  TopicQueue* end_first_attempt(std::int64_t id);

  /// `spooled_at` is that of the record; `now` is the time of the replay.
  void begin_replay(TopicQueue& queue, std::int64_t id, std::int64_t spooled_at,
                    std::chrono::steady_clock::time_point now);
  /// Ends the replay of a record. Returns its queue, or null if it is not being replayed.
  TopicQueue* end_replay(std::int64_t id);
  std::size_t replay_count() const { return replays_.size(); }

  /// Returns true if any attempt is under way.
  bool has_attempts() const { return !first_attempts_.empty() || !replays_.empty(); }

  /// Reads the numbers of records from `store`, because another process may have changed them.
  void recount(SpoolStore& store);
  /// Publishes the number of all records for the metrics.
  void publish_count();

 private:
  TopicQueue& get(const std::string& topic);

  SpoolInbox& inbox_;
  SpoolState& state_;
  Telemetry& telemetry_;
  std::unordered_map<std::string, std::unique_ptr<TopicQueue>> queues_;
  std::unordered_map<std::int64_t, TopicQueue*> first_attempts_;
  std::unordered_map<std::int64_t, TopicQueue*> replays_;
};

}  // namespace eventgate
