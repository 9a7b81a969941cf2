#pragma once

#include <string>
#include <vector>

#include "eventgate/config/config.hpp"

namespace eventgate {

/// What would go wrong if a service were started with `config`: schemas, stream configs, outputs, test events, brokers
/// and topics that cannot be used, each with what was expected. Asks what `config` names; produces nothing and makes
/// nothing. Blocks, some seconds for hosts that do not answer.
std::vector<std::string> problems_of(const Config& config);

}  // namespace eventgate
