#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "eventgate/gate/live_event.hpp"

namespace eventgate {

/// Returns true if `name` is `pattern`. A `*` in the pattern stands for any characters; with one, case does not count.
bool matches_name(std::string_view pattern, std::string_view name);

/// Which events a viewer wants.
struct LiveFilter {
  std::optional<std::string> stream;  ///< A pattern for `matches_name`. Nullopt: every stream.
  std::optional<std::string> schema;  ///< As `stream`, for the schema_uri.
  std::string text;                   ///< In lower case. Occurs in the event, its names or its errors, in any case.
  std::optional<std::string> reason;  ///< See LiveReason. Nullopt: every one, and accepted events.
  std::optional<std::string> path;    ///< As `reason`.
  std::int64_t since = 0;             ///< Milliseconds since 1970: received then or later.
  std::int64_t until = std::numeric_limits<std::int64_t>::max();  ///< Received before that.
  bool accepted = true;
  bool invalid = true;
  bool error = true;
  bool rejected = true;

  bool wants(LiveOutcome outcome) const;
  bool wants_names(std::string_view stream_name, std::string_view schema_uri) const;
  bool wants(const LiveEvent& event) const;
};

}  // namespace eventgate
