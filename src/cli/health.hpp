#pragma once

#include <optional>
#include <string>

#include "eventgate/http/http_options.hpp"

namespace eventgate {

/// Why the gate with these options does not serve on this host, or nothing: it answers `GET /healthz` within two
/// seconds with 200. A gate on another socket than that of `port`, such as one of `port: 0`, cannot be found. Blocks.
std::optional<std::string> health_problem(const HttpOptions& options);

}  // namespace eventgate
