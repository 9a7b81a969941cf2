#pragma once
#include "eventgate/http/late.hpp"
#include "eventgate/nowhere/x.hpp"
