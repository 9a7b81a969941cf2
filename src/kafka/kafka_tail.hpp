#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eventgate/source/record_source.hpp"
#include "kafka_consumer.hpp"

namespace eventgate {

/// Follows the end of one topic through the live client, in a queue of its own. The source's thread compares what the
/// tail reads with the bounds of the topic (`reconcile`): it begins new partitions, goes on after a gap, and begins a
/// topic that was made anew from its beginning.
///
/// librdkafka does not tell a topic from a later one of the same name. A topic is taken for a new one if:
/// - an offset beyond its end was to be read, or
/// - Kafka finds a time at an earlier offset than before: in one log the first offset of a time only grows, or
/// - a record that was read has another time, or
/// - it was absent, and nothing shows that it is the same.
/// Some records may come twice then; none is left out.
///
/// Thread-safe.
class KafkaTail {
 public:
  /// What shows whether a partition is still the log that was read. The tail fills in what it has read, and the
  /// source's thread what Kafka has now.
  struct LogCheck {
    std::int32_t partition = 0;
    std::int64_t timestamp = 0;            ///< A time to be looked up.
    std::optional<std::int64_t> expected;  ///< The offset that Kafka found for it before.
    RecordPlace witness;                   ///< A record that was read.

    std::optional<std::int64_t> found;  ///< The offset that Kafka finds for `timestamp` now.
    enum class Log : std::uint8_t { same, other, unknown } log = Log::unknown;

    /// Returns true if only the record at `witness.offset` can tell the log.
    bool needs_record() const { return !expected || !found || *found > *expected; }
    /// Sets `log`. `record`: the first record at or after `witness.offset`, if that was looked up.
    void decide(const std::optional<RecordPlace>& record);
  };

  /// `request_check` makes the source's thread reconcile soon. It must outlive the tail.
  KafkaTail(std::string topic, std::shared_ptr<KafkaConsumer> consumer, std::span<const PartitionOffset> from,
            std::function<void()> on_readable, std::function<void()> request_check);
  ~KafkaTail() { close(); }

  const std::string& topic() const { return topic_; }
  /// The client that the tail reads with. Compare only.
  const KafkaConsumer* consumer() const;

  /// As RecordTail::read.
  void read(TailRead& into, std::size_t max_bytes);
  /// As RecordTail::lag.
  std::int64_t lag() const;

  /// Stops reading. `on_readable` is not called afterwards.
  void close();

  // The source's thread only.

  /// Notes what is read now, for a `reconcile` with answers of Kafka that are newer. Returns what to look up.
  std::vector<LogCheck> begin_check();
  /// Begins, repairs and ends partitions, after Kafka's answers.
  void reconcile(const TopicBounds& bounds, const std::vector<LogCheck>& checks);
  /// Reads on with another client, from where it is.
  void change_consumer(std::shared_ptr<KafkaConsumer> consumer);
  /// Wakes the client if a partition has begun lately and no record has come. Returns true if it did.
  bool wake_if_started();

 private:
  struct Partition {
    std::int64_t next = 0;                       ///< The offset to read.
    std::int64_t end = 0;                        ///< As Kafka said last.
    bool reading = false;                        ///< Started in librdkafka.
    bool broken = false;                         ///< librdkafka has stopped at an offset out of range.
    std::int64_t checked_next = 0;               ///< `next` before Kafka was asked.
    bool checked_broken = false;                 ///< `broken` before Kafka was asked.
    bool beyond_end = false;                     ///< Kafka said last that `checked_next` is beyond the end.
    std::optional<RecordPlace> last;             ///< The record read last.
    std::optional<RecordPlace> checked_last;     ///< `last` before Kafka was asked.
    std::optional<RecordPlace> witness;          ///< A record that was read before the log could have become another.
    std::optional<std::int64_t> witness_lookup;  ///< Where Kafka found the time of the witness: not at offset 0.
  };
  using Partitions = std::map<std::int32_t, Partition>;

  void start(std::int32_t number, Partition& partition, std::int64_t offset);
  void stop(std::int32_t number, Partition& partition);
  /// Goes on at `to`, which is not where reading would have gone on, and says so.
  void restart(std::int32_t number, Partition& partition, std::int64_t to);
  void reconcile_partition(const PartitionBounds& bounds, const LogCheck* check);
  /// Returns true if `into` got something.
  bool take(const rd_kafka_message_t& message, TailRead& into, std::size_t& bytes);
  static void handle_queue_event(rd_kafka_t* client, void* self);
  void notify();

  const std::string topic_;
  const std::function<void()> on_readable_;
  const std::function<void()> request_check_;
  std::atomic<bool> awaited_{false};  // read has found nothing since on_readable was called

  std::mutex notify_mutex_;  // held while the source's thread calls on_readable
  mutable std::mutex mutex_;
  std::shared_ptr<KafkaConsumer> consumer_;
  KafkaQueue queue_;
  Partitions partitions_;
  std::vector<TailRead::Started> started_;
  std::vector<RecordGap> gaps_;
  std::size_t bytes_since_wake_ = 0;
  bool starting_ = true;  // a partition has begun and no record has come since
  int wakes_ = 0;
  bool absent_ = false;  // Kafka said last that there is no such topic
  bool closed_ = false;
};

}  // namespace eventgate
