#pragma once

#include <boost/system/result.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eventgate/readers/event_filter.hpp"
#include "eventgate/readers/exposed_streams.hpp"
#include "eventgate/readers/stream_position.hpp"

namespace eventgate {

enum class StreamFormat : std::uint8_t {
  sse,    ///< Server-Sent Events.
  lines,  ///< JSON lines.
};

/// What a client of `/v2/stream/{streams}` asks for, checked.
struct StreamRequest {
  static constexpr std::size_t kMaxStreams = 50;
  static constexpr std::uint32_t kMaxLast = 1000;

  std::vector<std::string> streams;  ///< Names as asked for, each once, sorted: the label of metrics.
  /// The topics to read, each once: those of the streams, or those of `topics_allowed` that Last-Event-ID names.
  std::vector<std::string> topics;
  StreamFormat format = StreamFormat::sse;
  /// Milliseconds since 1970; 0 for the beginning. Nullopt: from the end.
  std::optional<std::int64_t> since;
  std::vector<LastEventEntry> last_event_id;  ///< Of `topics` only. Empty: none was given. It beats `since`.
  std::optional<std::int64_t> until;          ///< The stream ends when every partition has reached this time.
  std::optional<std::uint32_t> last;
  std::optional<std::uint64_t> limit;
  EventFilter filter;
  bool canary = false;               ///< Canary events are sent.
  std::vector<std::string> notices;  ///< Sentences about what was ignored, for comments in the preamble. Bounded.
};

/// Why a request is refused.
struct StreamRefusal {
  unsigned status = 400;
  std::string_view cause;  ///< The label of metrics and the log: `not_found`, `invalid_timestamp`, ...
  std::string detail;      ///< For a problem JSON; says what was expected.
};

/// The parts of an HTTP request that `parse_stream_request` reads.
struct StreamRequestParts {
  std::string_view streams;                                       ///< Path parameter, decoded.
  const std::vector<std::pair<std::string, std::string>>& query;  ///< Decoded.
  std::optional<std::string_view> accept;
  std::optional<std::string_view> last_event_id;
  bool sees_private = false;     ///< The client has sent `stream_token`.
  bool sends_canary = false;     ///< `canary_events: sent`.
  std::int64_t received_at = 0;  ///< Milliseconds since 1970: `since=-15m` and `until=now` count from here.
};

/// Reads a request. Bounded in time and memory by the size of the request. Thread-safe.
boost::system::result<StreamRequest, StreamRefusal> parse_stream_request(const StreamRequestParts& parts,
                                                                         const ExposedStreams& streams);

}  // namespace eventgate
