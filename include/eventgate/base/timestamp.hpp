#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace eventgate {

/// Returns the milliseconds since the epoch of an ISO 8601 or RFC 3339 date-time, as JavaScript's Date reads it. A time
/// without an offset is UTC. Returns nullopt if `text` is no date-time.
std::optional<std::int64_t> parse_timestamp(std::string_view text);

}  // namespace eventgate
