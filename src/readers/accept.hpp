#pragma once

#include <string_view>

#include "eventgate/readers/stream_request.hpp"

namespace eventgate {

/// A format and the media type that it is sent as.
struct AcceptedFormat {
  StreamFormat format;
  std::string_view content_type;
};

/// Chooses the format that an `Accept` prefers (RFC 9110, section 12.5.1): JSON lines for `application/json` and
/// `application/x-ndjson`, else Server-Sent Events. Among equals a type that is named wins over a wildcard, and the one
/// named first over the others. What is not offered gets Server-Sent Events. Thread-safe.
AcceptedFormat accepted_format(std::string_view accept);

}  // namespace eventgate
