#pragma once

#include <string>
#include <vector>

#include "eventgate/kafka/kafka_preflight.hpp"
#include "eventgate/kafka/kafka_source.hpp"

namespace eventgate {

/// Compares the read side's `options` and the topics that clients can read with what the brokers report. Joins no group
/// and creates no topic. A topic that is missing is a warning, because it is read once it is there.
///
/// Thread-safe. Blocks, about 10 seconds at most if brokers do not answer.
KafkaFindings kafka_source_findings(const KafkaSourceOptions& options, const std::vector<std::string>& topics);

}  // namespace eventgate
