#include <re2/re2.h>

#include "../events/private.hpp"
static const std::regex slow("[a;]");  // std::regex
