#pragma once

#include <string>
#include <vector>

#include "eventgate/sinks/kafka_sink.hpp"

namespace eventgate {

/// What speaks against producing to `topics` with `options`, each with what was expected: options that librdkafka
/// refuses, brokers that do not answer, topics that are not there, and a `message.max.bytes` above the topics'
/// `max.message.bytes`. Asks the brokers, produces nothing and makes no topic.
///
/// Thread-safe. Blocks, up to some ten seconds where brokers do not answer.
std::vector<std::string> kafka_problems(const KafkaSinkOptions& options, const std::vector<std::string>& topics);

}  // namespace eventgate
