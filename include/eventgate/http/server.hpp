#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "eventgate/http/endpoint.hpp"
#include "eventgate/http/http_options.hpp"
#include "eventgate/http/router.hpp"
#include "eventgate/io/inflight_bytes.hpp"
#include "eventgate/io/task.hpp"

// The HTTP/1.1 server: it accepts connections, parses requests, hands each to the endpoint of its route, and sends the
// response. It knows nothing of events: module `api` has the endpoints.

namespace eventgate {

class Telemetry;

/// A request that is answered with a rejection, before the response is sent.
struct RejectedRequest {
  const Request& request;
  const Response& response;
  std::chrono::system_clock::time_point received_at;
};

/// What a server serves.
struct HttpServices {
  Router router;
  std::unique_ptr<Endpoint> metrics;  ///< Handles every request to `metrics_port`. Null only without that port.
  Telemetry& telemetry;               ///< Must outlive the server.
  /// Counts requests and responses against `max_inflight_bytes`. Null: the server makes its own.
  std::shared_ptr<InflightBytes> inflight = nullptr;
  /// Called with each request whose response has a `rejection_cause`, on its I/O thread. Empty: never. Thread-safe.
  std::function<void(const RejectedRequest&)> on_rejection = {};
};

/// The ports of a server, bound and not listening. The constructor finds a process that listens on one already; a
/// process that starts at the same moment is found when the server listens.
class HttpPorts {
 public:
  /// Binds the ports for a server whose first I/O thread is `executor`'s. `inherited` is a listening TCP socket that
  /// takes the place of `port`. Other processes may hold that socket, so a stop leaves them what waits in it.
  /// Throws std::runtime_error naming interface and port if a port cannot be bound.
  HttpPorts(const HttpOptions& options, const IoExecutor& executor, std::optional<int> inherited = std::nullopt);
  HttpPorts(HttpPorts&&) noexcept;
  ~HttpPorts();

 private:
  friend class HttpServer;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The HTTP servers: one acceptor for the interface and one for metrics. Connections go to the I/O threads in turn.
///
/// Thread-safe.
class HttpServer {
 public:
  /// Listens. `ports` were made from `options` and the first of `threads`, of which there is at least one.
  /// Throws std::runtime_error naming interface and port if that fails.
  HttpServer(HttpOptions options, HttpServices services, std::vector<IoExecutor> threads, HttpPorts ports);

  /// Closes the ports. Connections that still exist must not run any more.
  ~HttpServer();

  std::uint16_t port() const;
  std::optional<std::uint16_t> metrics_port() const;

  /// Returns the bytes in flight: requests, responses not sent yet, and everything else in the same InflightBytes.
  std::size_t inflight_bytes() const;

  /// Returns the number of ServerWork objects: requests whose events are being processed, hasty ones included. A
  /// request that is still received does not count, and neither does one whose response is being sent.
  std::size_t processing() const;

  /// Accepts the connections that wait in the kernel, stops listening, closes idle connections, and lets requests
  /// finish; their responses say `Connection: close`. Calls `done` on an I/O thread when the last connection has closed
  /// and the last ServerWork has ended. A client has 2 s for the rest of its request, and 2 s to read its response.
  void stop(std::function<void()> done);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace eventgate
