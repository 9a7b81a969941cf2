#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eventgate/source/record_source.hpp"
#include "kafka_consumer.hpp"

namespace eventgate {

/// Asks brokers for the partitions of topics and for their offsets. A call tries again until its deadline.
///
/// Thread-safe.
class KafkaLookup {
 public:
  using Clock = std::chrono::steady_clock;
  using Deadline = RecordSource::Deadline;
  /// The number of partitions of a topic, or nullopt if Kafka has no such topic.
  using PartitionCount = std::optional<std::int32_t>;

  /// `telemetry` must outlive this.
  KafkaLookup(std::shared_ptr<KafkaConsumer> consumer, Telemetry& telemetry)
      : consumer_(std::move(consumer)), telemetry_(telemetry) {}

  /// Returns the client that asks.
  std::shared_ptr<KafkaConsumer> consumer() const;
  /// Asks through another client from the next call on.
  void change_consumer(std::shared_ptr<KafkaConsumer> consumer);

  /// As RecordSource::bounds.
  SourceResult<std::vector<TopicBounds>> bounds(std::span<const std::string> topics, Deadline deadline);
  /// As RecordSource::offsets_at.
  SourceResult<std::vector<std::optional<std::int64_t>>> offsets_at(std::span<const PartitionTime> times,
                                                                    Deadline deadline);
  /// Returns true if Kafka has the partition, or had it less than a second ago.
  SourceResult<bool> exists(const PartitionId& id, Deadline deadline);
  /// Returns an answer if any broker answers.
  SourceResult<bool> probe(Deadline deadline);

  /// Waits for `time`, or until `stop`. Returns false if stopped.
  bool pause(std::chrono::milliseconds time);
  bool is_stopped() const { return stopped_; }
  void stop();

  SourceFailure stopped() const { return {SourceFailure::Kind::stopped, "the source of streams is stopped"}; }
  /// A call has failed because of `reason`. Counts and logs it.
  SourceFailure away(std::string_view cause, const std::string& reason) const;

 private:
  struct Attempt {
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    std::string what;  ///< Of an error: the topic or partition.
  };

  /// Calls `attempt` with the time for one answer until it succeeds, the deadline has passed, or `stop`.
  std::optional<SourceFailure> retry(Deadline deadline,
                                     const std::function<Attempt(std::chrono::milliseconds timeout)>& attempt);
  Attempt ask_partition_counts(std::span<const std::string> topics, std::vector<PartitionCount>& counts,
                               std::chrono::milliseconds timeout);
  /// A partition and a time: -2 asks for the beginning and -1 for the end. `offset` is the answer: the first that is
  /// not before the time, or a negative number if there is none.
  struct Question {
    const std::string& topic;
    std::int32_t partition = 0;
    std::int64_t time = 0;
    std::int64_t offset = 0;
  };
  Attempt ask_offsets(std::vector<Question>& questions, std::chrono::milliseconds timeout);

  std::shared_ptr<KafkaConsumer> consumer_;  // guarded by mutex_
  Telemetry& telemetry_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> stopped_{false};
  struct Known {
    PartitionCount count;
    Clock::time_point at;
  };
  std::map<std::string, Known> known_;  // guarded by mutex_
};

}  // namespace eventgate
