#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "eventgate/telemetry/telemetry.hpp"
#include "kafka_consumer_conf.hpp"

namespace eventgate {

struct KafkaMessageDeleter {
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};
using KafkaMessage = std::unique_ptr<rd_kafka_message_t, KafkaMessageDeleter>;

struct KafkaQueueDeleter {
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};
using KafkaQueue = std::unique_ptr<rd_kafka_queue_t, KafkaQueueDeleter>;

/// One consumer instance of librdkafka that belongs to no group. Each partition is read at one place at a time.
///
/// Thread-safe, but for one partition: start and stop it on one thread at a time. Stop all partitions and destroy all
/// queues before the client.
class KafkaConsumer {
 public:
  /// Throws std::invalid_argument with librdkafka's reason if it refuses `options`. `telemetry` must outlive this.
  KafkaConsumer(const KafkaSourceOptions& options, ConsumerPurpose purpose, Telemetry& telemetry);
  ~KafkaConsumer();
  KafkaConsumer(const KafkaConsumer&) = delete;
  KafkaConsumer& operator=(const KafkaConsumer&) = delete;

  rd_kafka_t* handle() const { return handle_; }
  /// Contents of the files of keys and certificates, as they were when this was made.
  const std::vector<std::string>& credential_files() const { return credential_files_; }
  KafkaQueue make_queue() const { return KafkaQueue(rd_kafka_queue_new(handle_)); }

  /// Returns the handle of `topic`, which lives as long as this. Asks for its metadata the first time.
  rd_kafka_topic_t* topic(const std::string& topic);

  /// Begins to read a partition from `offset` into `queue`, and wakes the broker threads.
  void start(const std::string& topic, std::int32_t partition, std::int64_t offset, rd_kafka_queue_t& queue);

  /// Ends reading the partition. What is in its queue of this partition is dropped. Blocks briefly.
  void stop(const std::string& topic, std::int32_t partition);

  /// Makes broker threads look now whether a partition needs records. Without it they look once a second, if a queue
  /// was full, or if a partition was started meanwhile. Does not block.
  void wake();

  /// Counts and logs the error of `message`. Returns its text.
  std::string report(const rd_kafka_message_t& message) const;

  /// Reports errors and statistics that have come. Returns the text of an error that concerns all brokers, or nothing.
  std::string serve();

 private:
  static void handle_log(const rd_kafka_t* client, int syslog_level, const char* facility, const char* text);

  const char* const label_;
  Telemetry& telemetry_;
  std::vector<std::string> credential_files_;
  std::string user_;
  std::string password_;
  rd_kafka_t* handle_ = nullptr;
  KafkaQueue events_;
  std::mutex mutex_;
  std::map<std::string, rd_kafka_topic_t*> topics_;
};

}  // namespace eventgate
