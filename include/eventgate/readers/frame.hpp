#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "eventgate/source/record_source.hpp"

namespace eventgate {

class RedactionRules;

/// Why a record is not sent to anyone.
enum class SkipCause : std::uint8_t {
  none,          ///< It is sent.
  null_value,    ///< A tombstone.
  empty_value,   ///< No byte, or blanks only.
  not_json,      ///< No JSON text.
  not_object,    ///< An array, a string, a number, a boolean or null.
  too_deep,      ///< More than 128 levels.
  not_redacted,  ///< A redaction rule could not be applied.
};

/// Returns the label of a cause in metrics, such as `not_json`.
std::string_view skip_cause_name(SkipCause cause);

/// A record as it is sent to every reader: its event in one line, with `meta.topic`, `meta.partition`, `meta.offset`
/// and `meta.key` spliced in, and without redacted fields. All other bytes are those of the record, but for line ends
/// outside strings, which become a blank, and bytes that are no UTF-8, which become U+FFFD.
///
/// Immutable once it is shared.
struct Frame {
  /// Ends `text`: the end of an SSE event, and the end of a chunk of HTTP/1.1.
  static constexpr std::string_view kEnd = "\n\n\r\n";

  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t timestamp = 0;  ///< As SourceRecord::timestamp.
  SkipCause skip = SkipCause::none;
  bool canary = false;  ///< `meta.domain` is `canary`.
  std::string text;     ///< The event and `kEnd`. Empty if it is skipped.

  /// The event alone. It is followed by kEnd only: parse a copy.
  std::string_view event() const {
    return skip == SkipCause::none ? std::string_view(text).substr(0, text.size() - kEnd.size()) : std::string_view();
  }
};

using FramePtr = std::shared_ptr<const Frame>;

/// Makes the frame of a record of `topic`. `rules` may be null: nothing is redacted. Never fails: a record that cannot
/// be sent has a frame with its cause. O(size of the value). Thread-safe: each thread keeps its own workspace.
Frame make_frame(const std::string& topic, const SourceRecord& record, const RedactionRules* rules);

}  // namespace eventgate
