#pragma once

#include <string>
#include <vector>

#include "eventgate/config/config.hpp"

namespace eventgate {

/// What would go wrong if a service were started with `config`: schemas, stream configs, outputs and test events that
/// cannot be used, each with what was expected. Reads what `config` names; produces nothing. Blocks.
std::vector<std::string> problems_of(const Config& config);

}  // namespace eventgate
