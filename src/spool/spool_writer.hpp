#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "eventgate/delivery/sink.hpp"
#include "eventgate/spool/spool_sink.hpp"
#include "eventgate/spool/spool_store.hpp"
#include "pending_write.hpp"
#include "spool_inbox.hpp"

namespace eventgate {

class FirstAttempts;
class SpoolState;
class TopicQueues;
struct TopicQueue;

/// Owns the store. Writes waiting records to it, removes delivered ones, keeps its room and repairs it. A record whose
/// predecessors are all under way may skip the store and go to Kafka by a first attempt.
///
/// Use on the spool's thread.
class SpoolWriter {
 public:
  using Clock = std::chrono::steady_clock;

  /// Opens the store at `options.path`. The references must outlive this. Throws std::runtime_error naming `spool.path`
  /// if the store cannot be opened.
  SpoolWriter(const SpoolOptions& options, Sink& kafka, FirstAttempts& first_attempts, TopicQueues& queues,
              SpoolInbox& inbox, SpoolState& state, Telemetry& telemetry);

  SpoolStore& store() { return store_; }

  /// Adds records from the inbox. `write_pending` decides where they go.
  void add(std::vector<PendingWrite> writes);

  /// Handles reports of first attempts.
  void handle_first_attempts(std::vector<AttemptReport> reports, Clock::time_point now);

  /// Removes a delivered record with the next write. `late`: its first attempt was acknowledged after all.
  void remove_later(std::int64_t id, TopicQueue& queue, bool late) { removals_.push_back({id, &queue, late}); }

  /// Sets a record aside with the next write, because Kafka will never take it.
  void set_aside_later(std::int64_t id, TopicQueue& queue, std::string reason) {
    undeliverables_.push_back({id, &queue, std::move(reason)});
  }

  /// Writes the waiting records, or hands them to Kafka. Also does what `remove_later` and `set_aside_later` have
  /// requested.
  void write_pending(Clock::time_point now);

  /// Repairs a damaged store. Returns false if that fails.
  bool repair();

  /// Checks the room, counts again what other processes changed, and shrinks the file. Call once a second.
  void run_maintenance();

  /// Returns when `write_pending` has something to do, at the latest `latest`.
  Clock::time_point next_run(Clock::time_point now, Clock::time_point latest) const;

 private:
  /// A record that will leave the store.
  struct Removal {
    std::int64_t id;
    TopicQueue* queue;
    bool late;
  };

  /// A record that Kafka will never take.
  struct Undeliverable {
    std::int64_t id;
    TopicQueue* queue;
    std::string reason;
  };

  enum class Destination {
    store,
    kafka,           ///< No earlier record of the topic is in the store.
    wait_for_topic,  ///< All earlier records of the topic are being replayed.
    wait_for_retry,  ///< Its first attempt failed, and the store has no room.
  };

  bool can_wait_for_room(const PendingWrite& write) const;
  Destination choose_destination(PendingWrite& write, bool may_skip_store, Clock::time_point now) const;
  void keep_waiting(std::vector<PendingWrite> writes, Clock::time_point now);
  void settle(const PendingWrite& write, std::optional<DeliveryFailure> failure);
  void send_to_kafka(std::vector<PendingWrite> writes);
  void write(std::vector<PendingWrite> writes);
  void complete_removals();
  std::string spooling_cause(const PendingWrite& write) const;
  void complete_stored(PendingWrite& write);
  std::optional<PendingWrite> keep_unwritten(PendingWrite write);
  bool apply(const SpoolStore::Changes& changes, SpoolError& error);
  std::size_t room() const;
  void check_room();
  void set_full_reason(const std::string& reason);
  void report_warnings();

  const SpoolOptions& options_;
  Sink& kafka_;
  FirstAttempts& first_attempts_;
  TopicQueues& queues_;
  SpoolInbox& inbox_;
  SpoolState& state_;
  Telemetry& telemetry_;
  SpoolStore store_;
  std::vector<PendingWrite> waiting_;                         // in order of id
  std::unordered_map<std::int64_t, PendingWrite> unwritten_;  // without room, and their first attempt has no report
  std::vector<Removal> removals_;
  std::vector<Undeliverable> undeliverables_;
  bool disk_failed_ = false;  // until the next maintenance
  bool shrink_ = false;       // the file may have space to give back
  bool changed_externally_ = false;
  std::size_t reported_warnings_ = 0;
};

}  // namespace eventgate
