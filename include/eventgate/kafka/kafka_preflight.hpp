#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/kafka/kafka_sink.hpp"

namespace eventgate {

/// What was found of the Kafka that a config names, each with what was expected.
struct KafkaFindings {
  /// Options that librdkafka refuses, brokers that do not answer, topics that are not there, and a `message.max.bytes`
  /// above the topics' `max.message.bytes`.
  std::vector<std::string> problems;
  /// What docs/deploying.md wants for a 201 that survives the loss of a broker, and is not so: acks, replication
  /// factor, `min.insync.replicas`, `unclean.leader.election.enable`. And topics whose options cannot be read.
  std::vector<std::string> warnings;
};

/// Compares `options` and `topics` with what the brokers say. Produces nothing and makes no topic.
///
/// Thread-safe. Blocks, up to some 15 seconds where brokers do not answer.
KafkaFindings kafka_findings(const KafkaSinkOptions& options, const std::vector<std::string>& topics);

/// Whether the option `name` is node-rdkafka's own, none of librdkafka's: such an option is read and ignored.
///
/// Thread-safe.
bool is_node_rdkafka_option(std::string_view name);

/// Why librdkafka refuses the option `name` with `value`, in its words, which may have the value in them; nothing if it
/// takes them. `of_topics`: as one of `topic_conf`. What is wrong only beside other options is not found here.
///
/// Thread-safe.
std::optional<std::string> kafka_option_problem(const std::string& name, const std::string& value, bool of_topics);

}  // namespace eventgate
