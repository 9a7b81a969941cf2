#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/kafka/kafka_sink.hpp"

namespace eventgate {

/// What speaks against producing to `topics` with `options`, each with what was expected: options that librdkafka
/// refuses, brokers that do not answer, topics that are not there, and a `message.max.bytes` above the topics'
/// `max.message.bytes`. Asks the brokers, produces nothing and makes no topic.
///
/// Thread-safe. Blocks, up to some ten seconds where brokers do not answer.
std::vector<std::string> kafka_problems(const KafkaSinkOptions& options, const std::vector<std::string>& topics);

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
