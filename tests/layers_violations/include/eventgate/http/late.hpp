#pragma once
#include "eventgate/json/upward.hpp"
