#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "eventgate/gate/live_feed.hpp"

namespace eventgate {

/// Writes what one client of `/v1/live` receives: Server-Sent Events made from the live feed.
///
///     id: EPOCH-NUMBER            of each event and heartbeat; the client sends it as Last-Event-ID to continue
///     data: {"outcome": ...}      one event
///
///     event: dropped              the client was too slow, or away too long, and has missed so many events
///     data: {"dropped": 17}
///
///     event: reset                `POST /v1/live/reset` has emptied the feed
///     data: {}
///
/// Use on one I/O thread.
class LiveStream {
 public:
  /// Starts with event number `next`. `feed` must outlive this.
  LiveStream(LiveFeed& feed, LiveFilter filter, std::uint64_t next, std::chrono::milliseconds heartbeat);

  /// Appends the events since the last call, up to some 400 KB. Appends a heartbeat if there are none, and the client
  /// has received nothing for the heartbeat interval. May append nothing.
  void append(std::string& out, std::chrono::steady_clock::time_point now);

 private:
  bool append_page(std::string& out);

  LiveFeed& feed_;
  const LiveFilter filter_;
  std::uint64_t next_;
  const std::chrono::milliseconds heartbeat_;
  std::optional<std::chrono::steady_clock::time_point> sent_at_;  // nullopt: nothing is sent yet
};

/// Returns the number of the event that follows `last_id`, the Last-Event-ID of a client. Returns nullopt if it is no
/// id of a LiveStream. The id of another run of the gate is followed by the oldest event.
std::optional<std::uint64_t> next_live_event_number(std::string_view last_id, const LiveFeed& feed);

}  // namespace eventgate
