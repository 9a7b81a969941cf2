#pragma once

#include <cstdint>
#include <string_view>

// The Content-Type of a body of events. Every function is pure, so any thread may call it.

namespace eventgate {

/// What a Content-Type says of a body of events.
enum class MediaType : std::uint8_t {
  json,      ///< `application/json`, `text/plain` or `application/reports+json`, in UTF-8 or US-ASCII.
  not_utf8,  ///< One of them, with another charset.
  other,     ///< Any other type, or none.
};

/// Classifies the value of a Content-Type field (RFC 9110, section 8.3).
MediaType media_type(std::string_view content_type);

/// Returns true if the first character of `body`, after white space and a byte order mark, is `{` or `[`.
bool begins_as_json(std::string_view body);

}  // namespace eventgate
