#pragma once

#include <string>
#include <vector>

#include "eventgate/config/config.hpp"

namespace eventgate {

/// What `eventgate check` found. Each text says what was expected.
struct Findings {
  std::vector<std::string> problems;  ///< What fails if the gate is started with this config.
  std::vector<std::string> warnings;  ///< What weakens the promise of a 2xx if a broker fails.
};

/// Checks schemas, stream configs, outputs, test events, brokers and topics that `config` names. Produces nothing and
/// creates nothing. Blocks; a host that does not answer takes some seconds. `wiki`: see `stream_warnings`.
Findings findings_of(const Config& config, const std::string& wiki = {});

}  // namespace eventgate
