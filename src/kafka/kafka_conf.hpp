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

// How options of the config file become librdkafka's configuration of a producer. `label` is `guaranteed` or `hasty`.

/// Returns the options of the producer `label`.
const KafkaProducerOptions& producer_options(const KafkaSinkOptions& options, std::string_view label);

/// Returns librdkafka's configuration of the producer `label`: its options, and the gate's defaults for others. An
/// option that librdkafka refuses is left out, and `problems` gets its name and librdkafka's reason.
KafkaConf make_kafka_conf(const KafkaSinkOptions& options, std::string_view label, std::vector<std::string>& problems);

/// Sets the option `name`. Throws std::invalid_argument if librdkafka refuses it. The message begins with `where`, the
/// place in the config file.
void set_kafka_conf(rd_kafka_conf_t& conf, const std::string& where, const std::string& name, const std::string& value);

/// Returns the value of the option `name`, or an empty string if there is no such option.
std::string kafka_conf_value(const rd_kafka_conf_t& conf, const char* name);

/// Returns the contents of the files that options name: keys and certificates. A file that cannot be read is empty.
std::vector<std::string> read_credential_files(const rd_kafka_conf_t& conf);

}  // namespace eventgate
