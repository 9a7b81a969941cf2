#pragma once

#include <string>

#include "eventgate/config/config.hpp"

namespace eventgate {

/// Returns the options that differ between `fresh` and `in_use` and need a restart, as dotted paths with commas
/// between. `logging` and options of what clients can read are left out, because a reload applies them.
std::string options_for_restart(const Config& in_use, const Config& fresh);

}  // namespace eventgate
