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
  std::string_view content_type = "text/event-stream; charset=utf-8";
  /// Milliseconds since 1970; 0 for the beginning. Nullopt: from the end.
  std::optional<std::int64_t> since;
  std::vector<LastEventEntry> last_event_id;  ///< Of `topics` only. Empty: none was given. It beats `since` and `last`.
  bool ended = false;                         ///< The Last-Event-ID is that of `event: end`. The answer is 204.
  std::optional<std::int64_t> until;          ///< The stream ends when every partition has reached this time.
  std::optional<std::uint32_t> last;
  std::optional<std::uint64_t> limit;
  EventFilter filter;
  bool sees_private = false;         ///< The client has sent `stream_token`.
  bool canary = false;               ///< Canary events are sent.
  std::vector<std::string> notices;  ///< Sentences in ASCII about what was ignored, for the preamble. Bounded.
};

/// Why a request is refused.
struct StreamRefusal {
  unsigned status = 400;
  std::string_view cause;  ///< `type` of the problem JSON, and label of metrics and the log: `not_found`, ...
  std::string_view title;  ///< `title` of the problem JSON.
  std::string detail;      ///< Says what was expected. Any bytes.
};

/// The parts of an HTTP request that `parse_stream_request` reads.
struct StreamRequestParts {
  std::string_view streams;                                       ///< Path parameter, decoded.
  const std::vector<std::pair<std::string, std::string>>& query;  ///< Decoded.
  std::optional<std::string_view> accept;
  /// Several fields of this name count as one text with `, ` between them.
  std::optional<std::string_view> last_event_id;
  bool sees_private = false;     ///< The client has sent `stream_token`.
  bool sends_canary = false;     ///< `canary_events: sent`.
  std::int64_t received_at = 0;  ///< Milliseconds since 1970: `since=-15m` and `until=now` count from here.
};

/// Reads a request. Bounded in time and memory by the size of the request. Thread-safe.
///
/// Fails with 400: `not_found` (a stream), `invalid_timestamp` (`since`, `until`), `invalid_last_event_id`,
/// `bad_request` (any other parameter). Unknown parameters are ignored with a notice.
boost::system::result<StreamRequest, StreamRefusal> parse_stream_request(const StreamRequestParts& parts,
                                                                         const ExposedStreams& streams);

/// Returns the problem JSON of a refusal: status, type, title, detail, method and uri.
std::string problem_json(const StreamRefusal& refusal, std::string_view method, std::string_view uri);

/// The refusal of a client that has too many connections.
StreamRefusal too_many_connections();

/// Returns `text` of a client for a notice or a comment: at most 60 bytes, with `?` for all but printable ASCII.
std::string notice_text(std::string_view text);

}  // namespace eventgate
