#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>

#include "eventgate/config/config.hpp"

namespace eventgate {

/// The running service: the object graph, its I/O threads, and their end in order.
class Service {
 public:
  /// Builds everything and listens. Throws a standard exception whose message says what is wrong and what was expected;
  /// nothing is then left running. So too if `stop` is asked for while schemas or stream configs are read, for which
  /// it does not wait then.
  explicit Service(Config config, std::stop_token stop = {});
  /// Stops, if `stop` was not called.
  ~Service();

  std::uint16_t port() const;
  std::optional<std::uint16_t> metrics_port() const;

  /// Drains in order: `/readyz` says so, no new connections, requests under way answered, hasty and error events
  /// produced, sinks flushed; all within `shutdown_timeout`. Blocks. Returns whether nothing was lost. Not on an I/O
  /// thread.
  bool stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate
