#pragma once

#include "config_section.hpp"
#include "eventgate/config/config.hpp"

namespace eventgate {

/// Reads the section `legacy`, and sets `config.legacy` if it has members. Call it after the options of the gate, the
/// API and the read side were read. Adds a problem to the document for a bad value.
void read_legacy(ConfigSection& root, Config& config);

}  // namespace eventgate
