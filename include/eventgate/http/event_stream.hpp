#pragma once

#include <chrono>
#include <string>
#include <string_view>

// Server-Sent Events (WHATWG HTML, section "Server-sent events"): the lines of a `text/event-stream` body.
//
//     id: 17-3
//     data: {"outcome":"accepted"}
//
//     event: dropped
//     data: {"dropped":17}
//
// Each function appends to `out`. No text may have a line end. An empty line ends an event, or a comment.

namespace eventgate {

inline constexpr std::string_view kEventStreamType = "text/event-stream; charset=utf-8";

/// Appends the id that the client sends as Last-Event-ID when it connects again.
inline void append_event_id(std::string& out, std::string_view id) { out.append("id: ").append(id).append("\n"); }

/// Appends the type of the event. Without it, the type is `message`.
inline void append_event_type(std::string& out, std::string_view type) {
  out.append("event: ").append(type).append("\n");
}

/// Appends a whole data line.
inline void append_event_data(std::string& out, std::string_view data) {
  out.append("data: ").append(data).append("\n");
}

/// Appends a comment, which clients ignore, for example as a heartbeat.
inline void append_event_comment(std::string& out, std::string_view text) {
  out.append(": ").append(text).append("\n");
}

/// Appends how long the client waits before it connects again.
inline void append_event_retry(std::string& out, std::chrono::milliseconds delay) {
  out.append("retry: ").append(std::to_string(delay.count())).append("\n");
}

/// Ends the event.
inline void end_event(std::string& out) { out += '\n'; }

}  // namespace eventgate
