#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "eventgate/delivery/sink.hpp"
#include "eventgate/io/task.hpp"

namespace eventgate {

class Telemetry;

/// One producer's librdkafka options by their own names; `topic_conf` are those for topics.
struct KafkaProducerOptions {
  std::map<std::string, std::string> conf;
  std::map<std::string, std::string> topic_conf;
};

struct KafkaSinkOptions {
  KafkaProducerOptions guaranteed;  ///< General and specific options merged.
  KafkaProducerOptions hasty;
  std::string user_agent = "eventgate";  ///< client.id is this with `-producer-guaranteed` and `-producer-hasty`.
  std::chrono::milliseconds produce_timeout{10000};
  /// A spool answers for what Kafka does not take in time: librdkafka keeps records until Kafka takes them.
  bool spooled = false;
};

/// Produces to Kafka through two librdkafka producers. Delivery reports are read on `reports`' thread, from an eventfd.
/// Starting while Kafka is down succeeds. Throws std::invalid_argument with librdkafka's reason for an option it
/// refuses, and for `acks: 0` on the guaranteed producer.
std::unique_ptr<Sink> make_kafka_sink(KafkaSinkOptions options, IoExecutor reports, Telemetry& events);

}  // namespace eventgate
