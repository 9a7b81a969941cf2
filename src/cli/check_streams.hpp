#pragma once

#include <string>
#include <vector>

#include "eventgate/config/config.hpp"
#include "eventgate/telemetry/telemetry.hpp"

namespace eventgate {

/// Returns warnings about what the stream configs give each wiki: settings that clients, readers or tables cannot use,
/// streams for other wikis only, and canaries without an example. `wiki` is `all`, or the wiki to look at; if it is
/// empty, that of `stream_config_wiki`. Throws std::runtime_error if the documents cannot be read. Blocks.
std::vector<std::string> stream_warnings(const Config& config, const std::string& wiki, Telemetry& telemetry);

}  // namespace eventgate
