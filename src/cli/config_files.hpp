#pragma once

#include <string>
#include <vector>

#include "eventgate/config/config.hpp"
#include "eventgate/logging/log.hpp"

namespace eventgate {

/// Returns the config of `files`. Throws std::runtime_error with every problem in them.
Config config_of(const std::vector<std::string>& files);

/// The log of commands that print their own errors: nothing below `fatal`.
void log_nothing(LoggingOptions options);

}  // namespace eventgate
