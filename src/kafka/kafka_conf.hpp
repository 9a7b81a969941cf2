#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/kafka/kafka_sink.hpp"

namespace eventgate {

struct KafkaConfDeleter {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
};
using KafkaConf = std::unique_ptr<rd_kafka_conf_t, KafkaConfDeleter>;

/// The producer's own options.
const KafkaProducerOptions& producer_options(const KafkaSinkOptions& options, std::string_view label);

/// librdkafka's conf of the producer `label`, `guaranteed` or `hasty`: its options, and what they leave to the gate.
/// Each one that is no good adds to `problems`, with its name and librdkafka's reason, and is left out.
KafkaConf make_kafka_conf(const KafkaSinkOptions& options, std::string_view label, std::vector<std::string>& problems);

/// Throws std::invalid_argument, where what is wrong is in `where`.
void set_kafka_conf(rd_kafka_conf_t& conf, const std::string& where, const std::string& name, const std::string& value);

std::string kafka_conf_value(const rd_kafka_conf_t& conf, const char* name);

}  // namespace eventgate
