#pragma once

#include "config_section.hpp"
#include "eventgate/config/config.hpp"

namespace eventgate {

/// Reads `stream_config_default_settings`, `stream_config_groups`, `stream_config_wiki` and `stream_config_service`.
void read_wiki_streams(ConfigSection& root, Config& config);

/// Reads `canary`.
void read_canary(ConfigSection& root, GateOptions& gate);

}  // namespace eventgate
