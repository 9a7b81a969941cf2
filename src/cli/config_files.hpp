#pragma once

#include <string>
#include <vector>

#include "eventgate/config/config.hpp"
#include "eventgate/logging/log.hpp"

namespace eventgate {

/// The config of `files`. Throws std::runtime_error with every problem found in them.
Config config_of(const std::vector<std::string>& files);

/// For commands that say themselves what goes wrong.
void log_nothing(LoggingOptions options);

}  // namespace eventgate
