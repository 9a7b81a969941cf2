#pragma once

#include "config_section.hpp"
#include "eventgate/config/config.hpp"

namespace eventgate {

/// Reads section `kafka` into `config.kafka`, which stays unset if the section names no option of Kafka. Each producer
/// gets the options of `kafka.conf` and its own over them.
void read_kafka(ConfigSection& root, Config& config);

}  // namespace eventgate
