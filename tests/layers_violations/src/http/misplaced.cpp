#include <re2/re2.h>

#include "../json/private.hpp"
static const std::regex slow("[a;]");  // std::regex
