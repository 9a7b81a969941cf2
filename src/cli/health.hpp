#pragma once

#include <optional>
#include <string>

#include "eventgate/http/http_options.hpp"

namespace eventgate {

/// Asks the gate with these options on this host for `GET /healthz`. Returns nullopt if it answers 200 within two
/// seconds, else the reason. A gate on another socket than `port` says, such as one of `port: 0`, is not found. Blocks.
std::optional<std::string> health_problem(const HttpOptions& options);

}  // namespace eventgate
