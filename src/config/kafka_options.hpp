#pragma once

#include "config_section.hpp"
#include "eventgate/config/config.hpp"

namespace eventgate {

/// Returns true if the config is one of EventStreams: librdkafka's options stand directly in `kafka`, and no `conf`.
bool has_flat_kafka_options(ConfigSection& root);

/// Reads section `kafka` into `config.kafka`, which stays unset if the section names no option of Kafka. Each producer
/// gets the options of `kafka.conf` and its own over them. If `config.readers` is set, `kafka.conf`, the options that
/// stand directly in `kafka`, and `kafka.streams` over them become `config.kafka_readers`.
void read_kafka(ConfigSection& root, Config& config);

}  // namespace eventgate
