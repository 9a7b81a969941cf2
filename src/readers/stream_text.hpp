#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "eventgate/readers/frame.hpp"
#include "eventgate/readers/stream_position.hpp"
#include "eventgate/readers/stream_request.hpp"

namespace eventgate {

/// Writes the parts of a stream's body: Server-Sent Events or JSON lines, in the chunks of HTTP/1.1 or, to HTTP/1.0,
/// without them. Each function appends to `out`.
///
/// Immutable.
class StreamText {
 public:
  StreamText(StreamFormat format, bool chunked) : format_(format), chunked_(chunked) {}

  StreamFormat format() const { return format_; }
  bool chunked() const { return chunked_; }

  /// What comes before `frame.text` when it is sent with the positions behind it.
  void append_before_frame(std::string& out, const Frame& frame, std::span<const StreamPosition> positions) const;
  /// The part of `frame.text` that is sent.
  std::string_view frame_text(const Frame& frame) const;
  /// What comes after it.
  std::string_view after_frame() const;

  /// The first block: `:ok`, then comments, and the id if it is known.
  void append_preamble(std::string& out, std::span<const std::string> comments,
                       std::span<const StreamPosition> positions) const;
  void append_heartbeat(std::string& out, std::span<const StreamPosition> positions,
                        const std::optional<std::string>& away_reason) const;
  /// `event: gap`. Lines show a gap by `meta.offset` alone.
  void append_gap(std::string& out, std::string_view topic, const RecordGap& gap,
                  std::span<const StreamPosition> positions) const;
  /// A comment and the id.
  void append_comment(std::string& out, std::string_view comment, std::span<const StreamPosition> positions) const;
  /// `event: end`, after which the client must not come back.
  void append_end_event(std::string& out, std::string_view reason, std::span<const StreamPosition> positions) const;
  /// The end of the body. The client comes back after `retry`.
  void append_end(std::string& out, std::optional<std::chrono::milliseconds> retry) const;

 private:
  void append_part(std::string& out, std::string_view part) const;

  StreamFormat format_;
  bool chunked_;
};

}  // namespace eventgate
