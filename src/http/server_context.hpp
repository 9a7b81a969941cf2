#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

#include "eventgate/http/http_options.hpp"
#include "eventgate/http/server.hpp"
#include "response_format.hpp"

namespace eventgate {

/// Calls `done` from its destructor. Every connection and every ServerWork holds a shared_ptr to it, so `done` runs
/// when the server has drained.
struct OnLastRelease {
  std::function<void()> done;
  ~OnLastRelease() {
    if (done) done();
  }
};

/// What all connections of a server share.
///
/// Thread-safe: immutable but for its atomics.
struct ServerContext {
  ServerContext(HttpOptions http_options, HttpServices services)
      : options(std::move(http_options)),
        router(std::move(services.router)),
        metrics(std::move(services.metrics)),
        telemetry(services.telemetry),
        on_rejection(std::move(services.on_rejection)),
        format(options),
        inflight_bytes(services.inflight ? std::move(services.inflight)
                                         : std::make_shared<InflightBytes>(options.max_inflight_bytes)),
        inflight(*inflight_bytes) {}

  const HttpOptions options;
  const Router router;
  const std::unique_ptr<Endpoint> metrics;
  Telemetry& telemetry;
  const std::function<void(const RejectedRequest&)> on_rejection;
  const ResponseFormat format;
  const std::shared_ptr<InflightBytes> inflight_bytes;
  InflightBytes& inflight;  ///< `*inflight_bytes`.
  std::atomic<bool> stopping{false};
  /// The time when `stopping` was set. It is written before `stopping`.
  std::atomic<std::chrono::steady_clock::time_point> stopped_at{};
  /// The number of ServerWork objects.
  std::atomic<std::size_t> processing{0};
  /// True: the server is destroyed, and `telemetry` may be. Connections that remain only end.
  std::atomic<bool> abandoned{false};
};

}  // namespace eventgate
