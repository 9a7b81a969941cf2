#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "eventgate/config/config.hpp"

namespace eventgate {

/// The running service: the object graph, its I/O threads, and their end in order.
class Service {
 public:
  /// Builds everything and listens. Throws a standard exception whose message says what is wrong and what was expected;
  /// nothing is then left running. So too if `stop` is asked for while schemas or stream configs are read, for which
  /// it does not wait then. `socket`, if there is one, is a listening TCP socket and takes the place of `port`.
  explicit Service(Config config, std::stop_token stop = {}, std::optional<int> socket = std::nullopt);
  /// Stops, if `stop` was not called.
  ~Service();

  std::uint16_t port() const;
  std::optional<std::uint16_t> metrics_port() const;

  /// What `/readyz` says: why it cannot produce now, or nothing; and what serves although it is old. Thread-safe.
  std::optional<std::string> not_ready_reason() const;
  std::vector<std::string> stale() const;

  /// Calls `done` once each I/O thread has come round to it, on the last of them: never, if one hangs. Thread-safe.
  void turn(const std::function<void()>& done);

  /// Reads `files` again and puts to use what can change while it serves: `logging`, the stream configs (those at the
  /// `stream_config_uri` in use), the certificates and keys (`ca_file`, those of Kafka's options); then it tries the
  /// schemas again that could not be used. Options that differ otherwise are listed in a warning. Returns nothing, or
  /// why everything stays as it was: a file that is no good. Both are logged and counted. Blocks for up to
  /// `fetch_timeout`, no longer than until `stop` is asked for, after which stream configs are read no more. One thread
  /// at a time, not an I/O thread.
  std::optional<std::string> reload(const std::vector<std::string>& files, std::stop_token stop = {});

  /// Drains in order: `/readyz` says so, no new connections, requests under way answered, hasty and error events
  /// produced, sinks flushed; all within `shutdown_timeout`. Blocks. Returns whether nothing was lost. Not on an I/O
  /// thread.
  bool stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate
