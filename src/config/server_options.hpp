#pragma once

#include "config_section.hpp"
#include "eventgate/config/config.hpp"

namespace eventgate {

// The options of the process and its ports. Each function adds a problem to the document for a bad value.

/// Reads `logging`, in service-runner's layout.
void read_logging(ConfigSection& root, LoggingOptions& logging);
/// Reads `metrics`: an entry of type prometheus, or a list with one.
void read_metrics(ConfigSection& root, HttpOptions& http);
/// Reads the options of connections and of routes.
void read_http(ConfigSection& root, HttpOptions& http, ApiOptions& api);
/// Reads `live` and `live_token`, whose text is never shown.
void read_live(ConfigSection& root, Config& config);
/// Reads a bearer token of at least 16 characters, whose text is never shown. `without` says what holds without it.
void read_token(ConfigSection& root, const std::string& name, const std::string& without, std::string& out);
/// Adds a problem if clients and metrics have the same port on the same interface.
void require_two_ports(ConfigSection& root, const HttpOptions& http);

}  // namespace eventgate
