#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "eventgate/gate/live_filter.hpp"
#include "eventgate/http/query.hpp"

// The queries of the live routes. Every function is pure, so any thread may call it.

namespace eventgate {

/// The parameters that a route takes.
enum class LiveParameters : std::uint8_t {
  events,  ///< All that a LiveFilter has.
  count,   ///< `stream`, `schema` and `outcome`.
};

/// Reads `filter` from the query. An empty value filters nothing. Returns the detail of a 400 response if that fails.
std::optional<std::string> read_live_filter(const Query& query, LiveParameters parameters, LiveFilter& filter);

/// Returns the detail of a 400 response to a parameter that is not known. `expected` are those that are.
std::string unknown_parameter(const std::string& name, std::string_view expected);

/// Returns the detail of a 400 response to a parameter that is there twice.
std::string repeated_parameter(const std::string& name);

}  // namespace eventgate
