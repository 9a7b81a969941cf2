#pragma once

#include <string>

#include "eventgate/config/config.hpp"

namespace eventgate {

/// The options of `fresh` that differ from those `in_use` and count after a restart only: dotted paths, with commas
/// between them. All but `logging`, which a reload puts to use.
std::string options_for_restart(const Config& in_use, const Config& fresh);

}  // namespace eventgate
