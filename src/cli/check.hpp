#pragma once

#include <string>
#include <vector>

#include "eventgate/config/config.hpp"

namespace eventgate {

/// What was found of a config and of what it names, each with what was expected.
struct Findings {
  std::vector<std::string> problems;  ///< What would go wrong if a service were started with it.
  std::vector<std::string> warnings;  ///< What keeps less than a 2xx promises where other things fail.
};

/// Looks at schemas, stream configs, outputs, test events, brokers and topics. Asks what `config` names; produces
/// nothing and makes nothing. Blocks, some seconds for hosts that do not answer.
Findings findings_of(const Config& config);

}  // namespace eventgate
