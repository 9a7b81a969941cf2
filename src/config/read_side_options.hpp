#pragma once

#include "config_section.hpp"
#include "eventgate/config/config.hpp"

namespace eventgate {

// The options of the read side, `GET /v2/stream/{streams}`. Each function adds a problem to the document for a bad
// value.

/// Reads `streams`, `intake` and the options of streams, readers and clients. Sets `config.intake` and, with
/// `streams: true`, `config.readers`. Both have other defaults in a config of EventStreams.
void read_read_side(ConfigSection& root, Config& config);

/// Holds `intake`, `streams` and the outputs to each other. Call it after Kafka and the output file were read: with
/// `intake: false` there is neither a producer nor a file.
void settle_read_side(ConfigSection& root, Config& config);

}  // namespace eventgate
