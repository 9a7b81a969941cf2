#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/kafka/kafka_sink.hpp"

namespace eventgate {

// Checks of Kafka's options, brokers and topics before the gate starts. `eventgate check` and the reading of the config
// use them.

/// What a gate will do with its brokers.
struct KafkaExpectations {
  struct Topic {
    std::string name;
    bool has_key = false;  ///< Its records have keys.
  };
  std::vector<Topic> topics;
  /// The longest time by which a record's timestamp is ahead of the clock. 0: as long as clients like. Nullopt: records
  /// have the time of their receipt.
  std::optional<std::chrono::milliseconds> max_future_dt;
};

/// The result of `kafka_findings`. Each text says what was expected.
struct KafkaFindings {
  /// The gate would not work: librdkafka refuses an option, a broker does not answer, a topic is missing and no broker
  /// creates it, `message.max.bytes` is above a topic's `max.message.bytes`, or a topic is compacted and has no keys.
  std::vector<std::string> problems;
  /// A 201 would not survive the loss of a broker (docs/deploying.md): acks, the replication factor,
  /// `min.insync.replicas`, or `unclean.leader.election.enable`. Or the options of a topic cannot be read; a topic is
  /// missing that the broker creates (`auto.create.topics.enable`); or a topic refuses times that the gate lets pass
  /// (`message.timestamp.after.max.ms`).
  std::vector<std::string> warnings;
};

/// Compares `options` and `expected` with what the brokers report. Produces no record and creates no topic.
///
/// Thread-safe. Blocks, about 15 seconds at most if brokers do not answer.
KafkaFindings kafka_findings(const KafkaSinkOptions& options, const KafkaExpectations& expected);

/// Returns true if `name` is an option of node-rdkafka that librdkafka does not have. The gate ignores such options.
///
/// Thread-safe.
bool is_node_rdkafka_option(std::string_view name);

/// Returns why librdkafka refuses the option `name` with `value`, or nullopt if it takes it. The text may contain the
/// value. `of_topics`: the option is one of `topic_conf`. Conflicts between options are not found here.
///
/// Thread-safe.
std::optional<std::string> kafka_option_problem(const std::string& name, const std::string& value, bool of_topics);

}  // namespace eventgate
