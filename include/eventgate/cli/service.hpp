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

/// The running gate: creates every object from the config, runs the I/O threads, and ends all of it in order.
class Service {
 public:
  /// Starts the gate and listens. Throws a standard exception if the config cannot be served; its message says what is
  /// wrong and what was expected, and nothing keeps running. A stop request ends the wait for schemas and stream
  /// configs and throws, too. `socket` is a listening TCP socket that replaces option `port`.
  explicit Service(Config config, const std::stop_token& stop = {}, std::optional<int> socket = std::nullopt);
  /// Calls `stop` if it was not called before.
  ~Service();

  std::uint16_t port() const;
  std::optional<std::uint16_t> metrics_port() const;

  /// Returns why the gate cannot produce now, or nullopt if it can. `/readyz` shows it. Thread-safe.
  std::optional<std::string> not_ready_reason() const;
  /// Returns a sentence for each schema or stream config that serves although it could not be refreshed. Thread-safe.
  std::vector<std::string> stale() const;

  /// Calls `done` on the last I/O thread that reaches a task posted to all of them. If one hangs, `done` is never
  /// called. The watchdog of systemd is fed this way. Thread-safe.
  void turn(const std::function<void()>& done);

  /// Reads the config `files` again and applies what can change while the gate serves: `logging`, the stream configs at
  /// the `stream_config_uri` in use, certificates and keys. Then it loads failed schemas again and opens output files
  /// again. A warning lists other options that differ. Returns nullopt, or the reason if a file is bad; then nothing
  /// changes. Both are logged and counted. Blocks up to `fetch_timeout`, or until `stop` is requested. Call it on one
  /// thread at a time, not on an I/O thread.
  std::optional<std::string> reload(const std::vector<std::string>& files, const std::stop_token& stop = {});

  /// Stops within `shutdown_timeout`: `/readyz` turns 503, accepting ends, requests are answered, hasty and error
  /// events are produced, sinks are flushed. Returns true if no event was lost. Blocks; do not call it on an I/O
  /// thread.
  bool stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate
