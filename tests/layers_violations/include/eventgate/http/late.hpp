#pragma once
#include "eventgate/events/upward.hpp"
