#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/telemetry/metrics.hpp"

namespace eventgate {

/// Records what happens on the read side as metrics and log lines. Streams and topics are declared ones, so their
/// labels are bounded.
///
/// Thread-safe.
class StreamMetrics {
 public:
  /// `metrics` must outlive this.
  explicit StreamMetrics(Metrics& metrics);
  ~StreamMetrics();

  /// The option `max_stream_clients`, for how near it is.
  void limited_to(std::size_t max_stream_clients);

  /// A stream begins. `streams` are the names asked for, each once and sorted.
  void reader_connected(const std::vector<std::string>& streams);
  /// A stream has ended. `cause` is one of a fixed set of names, such as `client_left` or `too_slow`.
  void reader_disconnected(const std::vector<std::string>& streams, std::string_view cause);
  /// A request for a stream was refused. `cause` is one of a fixed set of names.
  void reader_refused(std::string_view cause);
  void sent(std::size_t events, std::size_t bytes);
  /// A record of `topic` is sent to nobody, because of `cause`.
  void record_skipped(std::string_view topic, std::int64_t offset, std::string_view cause);
  /// Events did not pass the filter of a subscription.
  void filtered(std::size_t events);
  /// Records are missing in a topic.
  void gap_found(std::string_view topic, std::int32_t partition, std::int64_t from, std::int64_t to);
  /// `change` readers more replay.
  void replays_changed(int change);
  /// `change` readers more wait for a replay (`max_replays`).
  void waiting_replays_changed(int change);
  void lag_changed(std::string_view topic, std::int64_t records);
  void ring_changed(std::string_view topic, std::size_t bytes);
  /// A topic is not followed any more.
  void topic_left(std::string_view topic);
  /// The source does not answer. The log has the first line of an outage.
  void source_away(std::string_view source, std::string_view reason);
  void source_back(std::string_view source);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate
