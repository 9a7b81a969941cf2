#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "eventgate/delivery/sink.hpp"
#include "eventgate/io/task.hpp"

namespace eventgate {

class Telemetry;

/// librdkafka's options of one producer, by their own names. `topic_conf` holds the options of topics.
struct KafkaProducerOptions {
  std::map<std::string, std::string> conf;
  std::map<std::string, std::string> topic_conf;
};

struct KafkaSinkOptions {
  KafkaProducerOptions guaranteed;       ///< The general and the specific options, merged.
  KafkaProducerOptions hasty;            ///< The same.
  std::string user_agent = "eventgate";  ///< client.id is this with `-producer-guaranteed` or `-producer-hasty`.
  std::chrono::milliseconds produce_timeout{10000};
  /// A spool answers for records that Kafka does not take in time, so librdkafka keeps them without a timeout.
  bool spooled = false;
};

/// Makes a sink that produces to Kafka through two librdkafka producers: one for guaranteed records, one for hasty
/// ones, so that each has its own linger. Delivery reports are read on the thread of `reports`. Starting while Kafka is
/// down succeeds. `telemetry` must outlive the sink.
///
/// Throws std::invalid_argument with librdkafka's reason if it refuses an option, and if the guaranteed producer has
/// `acks: 0`.
std::unique_ptr<Sink> make_kafka_sink(const KafkaSinkOptions& options, const IoExecutor& reports, Telemetry& telemetry);

}  // namespace eventgate
