#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "eventgate/source/record_source.hpp"
#include "kafka_consumer.hpp"
#include "kafka_lookup.hpp"

namespace eventgate {

/// Copies a message of librdkafka that has no error.
SourceRecord source_record(const rd_kafka_message_t& message);

/// Reads partitions from any offset, for any number of callers, through a few clients.
///
/// A client reads a partition at one place at a time. That place is a session: its queue has records ahead. A call goes
/// on in the session that ended where the call begins, else it takes a client on which the partition is free, else the
/// session of that partition that was used least recently.
///
/// Thread-safe.
class KafkaFetcher {
 public:
  using Clock = std::chrono::steady_clock;
  using Deadline = RecordSource::Deadline;

  /// Places read at a time; further calls wait. With ConsumerPurpose::replay each holds about 1 MB.
  static constexpr std::size_t kMaxSessions = 64;

  /// What becomes of a session after a call that did not reach the end: it waits some seconds for the next call, or it
  /// ends.
  enum class AfterUse : std::uint8_t { keep, end };

  /// Calls `make_client` when it needs a client. It has `max_clients` at a time, but for those given up. `lookup` must
  /// outlive this.
  KafkaFetcher(std::function<std::shared_ptr<KafkaConsumer>()> make_client, std::size_t max_clients, AfterUse after_use,
               KafkaLookup& lookup);
  ~KafkaFetcher();

  /// As RecordSource::fetch.
  SourceResult<FetchedRecords> fetch(const PartitionId& id, std::int64_t offset, std::size_t max_bytes,
                                     Deadline deadline);

  /// Ends sessions that were not used for some seconds, and clients that were given up.
  void end_unused();

  /// Reports errors of the clients.
  void serve();

  /// Gives up the clients. A call that reads with one goes on; the others get new ones.
  void give_up_clients();

  /// Makes calls that wait look whether `KafkaLookup::stop` was called.
  void notify();

 private:
  struct Session {
    PartitionId id;
    KafkaConsumer* consumer = nullptr;
    KafkaQueue queue;
    std::int64_t next = 0;
    bool busy = true;
    Clock::time_point used;
  };
  using Sessions = std::list<Session>;

  /// What ended the reading of a session.
  enum class End : std::uint8_t { enough, at_end, gone, unknown, timeout, stopped };

  /// Returns a session that ended at `offset` and is the caller's now, or `end()`.
  Sessions::iterator take_idle(const PartitionId& id, std::int64_t offset);
  /// Returns a new session at `offset` that is the caller's, or `end()` if there is none before the deadline.
  Sessions::iterator acquire(const PartitionId& id, std::int64_t offset, Deadline deadline);
  Sessions::iterator open(KafkaConsumer& consumer, const PartitionId& id, std::int64_t offset);
  /// Returns a client on which the partition is free, or null.
  KafkaConsumer* free_consumer(const PartitionId& id);
  /// Returns the session not used for longest, of `id` if that is not null, or `end()`.
  Sessions::iterator least_recently_used(const PartitionId* id);
  void end_session(Sessions::iterator session);
  void release(Sessions::iterator session, bool keep);
  bool is_given_up(const KafkaConsumer& consumer) const;
  End read(Session& session, std::size_t max_bytes, Deadline deadline, FetchedRecords& found, std::string& error);
  /// Sets `found` to go on after an offset that is gone. Returns true if there may be records from `found.next` on.
  SourceResult<bool> skip_gap(const PartitionId& id, Deadline deadline, FetchedRecords& found);

  const std::function<std::shared_ptr<KafkaConsumer>()> make_client_;
  const std::size_t max_clients_;
  const AfterUse after_use_;
  KafkaLookup& lookup_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::shared_ptr<KafkaConsumer>> consumers_;
  std::vector<std::shared_ptr<KafkaConsumer>> given_up_;  // some session reads with it
  Sessions sessions_;
};

}  // namespace eventgate
