#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "eventgate/gate/event_batch.hpp"
#include "eventgate/json/json_nodes.hpp"

// What the body of `POST /v1/events` is: an event (an object), events (an array), or why there are none.

namespace eventgate {

/// The reason phrase of the response to a body without events.
inline constexpr std::string_view kEmptyBody = "Request body was empty. Must provide JSON encoded events.";

/// A body without events: only white space, `{}` or `[]`.
struct EmptyBody {};

/// A body that is not JSON, or neither an object nor an array.
struct MalformedBody {
  std::string body;
  JsonError error;

  /// Returns the detail of the 400 response.
  std::string detail() const;
};

/// A body of more than `max_events` events.
struct TooManyEvents {
  std::size_t events;
  std::size_t max_events;

  /// Returns the detail of the 413 response.
  std::string detail() const;
};

using ParsedBody = std::variant<EventBatch, EmptyBody, MalformedBody, TooManyEvents>;

/// Parses `body`, which is decoded. Room for `kJsonPadding` more bytes saves a copy. A byte order mark is skipped.
ParsedBody parse_body(std::string body, const JsonLimits& limits, std::size_t max_events);

}  // namespace eventgate
