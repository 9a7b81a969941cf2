#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eventgate/io/inflight_bytes.hpp"
#include "eventgate/io/task.hpp"
#include "eventgate/json/json_nodes.hpp"

namespace eventgate {

class EventGate;
class Telemetry;
class LiveFeed;
class Metrics;
class SchemaRepository;
class StreamConfigSource;

struct HttpOptions {
  std::uint16_t port = 8888;  ///< 0: any free one.
  std::string interface = "0.0.0.0";
  std::optional<std::string> cors = "*";  ///< Nothing: no CORS headers.
  std::optional<std::string> csp;         ///< Nothing: as recorded of the original. Empty: no such header.
  std::string service_name = "eventgate";
  std::size_t max_body_size = 100 * 1024;
  std::size_t max_header_size = 16 * 1024;
  std::size_t max_header_count = 100;
  std::chrono::milliseconds header_timeout{10000};
  std::chrono::milliseconds request_timeout{60000};
  std::chrono::milliseconds keepalive_timeout{5000};
  std::size_t max_connections = 10000;
  std::size_t max_inflight_bytes = std::size_t{256} << 20;
  std::size_t max_events = 10000;
  JsonLimits json;
  bool tell_durability = false;               ///< `X-EventGate-Durability` in replies to events.
  std::string test_events;                    ///< JSON array text; empty: the route is not there.
  std::optional<std::uint16_t> metrics_port;  ///< Nothing: metrics are not served. 0: any free one.
  std::string metrics_interface;              ///< Where they are served. Empty: at `interface`.
  std::string live_token;                     ///< Who has it may look on from anywhere. Empty: only from this host.
  std::chrono::milliseconds live_heartbeat{15000};  ///< What a viewer hears at least as often.
};

/// What the routes need. All must outlive the server.
struct HttpServices {
  EventGate& gate;
  StreamConfigSource* streams;  ///< Null: no such route.
  Metrics& metrics;
  Telemetry& events;
  std::function<std::optional<std::string>()> not_ready_reason;  ///< Why `/readyz` is 503, or nothing. Thread-safe.
  /// What serves although it is old: `stale` in the 200 of `/readyz`. Thread-safe.
  std::function<std::vector<std::string>()> stale = {};
  /// Why events are refused (503) before they are read, or nothing. Thread-safe. Absent: never.
  std::function<std::optional<std::string>()> overload_reason = {};
  LiveFeed* live = nullptr;             ///< What `/live` shows. Null: no such routes.
  SchemaRepository* schemas = nullptr;  ///< Those of `gate`, whose documents are shown there; with `live`, never null.
  /// What requests and replies are counted in, with the bound `max_inflight_bytes`: the same as the gate's. Null: the
  /// server makes its own.
  std::shared_ptr<InflightBytes> inflight = nullptr;
};

/// The ports of a server, bound. Nobody listens on them yet: a process that listens on one already is found here, one
/// that starts at the same moment when the server listens.
class HttpPorts {
 public:
  /// For a server whose first I/O thread is `executor`'s. `inherited` is a listening TCP socket that takes the place of
  /// `port`: others may hold it, so what waits in it when the server stops is left to them.
  /// Throws std::runtime_error naming interface and port if one cannot be had.
  HttpPorts(const HttpOptions& options, const IoExecutor& executor, std::optional<int> inherited = std::nullopt);
  HttpPorts(HttpPorts&&) noexcept;
  ~HttpPorts();

 private:
  friend class HttpServer;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The HTTP servers: one acceptor for the interface, one for metrics, connections handed round-robin to the I/O
/// threads.
///
/// Thread-safe.
class HttpServer {
 public:
  /// Listens. `ports` are those of `options` and of the first of `threads`, of which there is at least one.
  /// Throws std::runtime_error naming interface and port if that fails.
  HttpServer(HttpOptions options, HttpServices services, std::vector<IoExecutor> threads, HttpPorts ports);
  ~HttpServer();

  std::uint16_t port() const;
  std::optional<std::uint16_t> metrics_port() const;

  /// Bytes in flight: of requests, of replies not sent yet, and of what shares the same InflightBytes.
  std::size_t inflight_bytes() const;

  /// Requests whose events are being worked on, hasty ones included. A request that is still received is not counted,
  /// nor is one whose answer is being sent.
  std::size_t processing() const;

  /// Takes what the kernel has accepted, stops listening, closes idle connections, lets requests under way finish
  /// (their answers say `Connection: close`), and calls `done` on an I/O thread when none is left, hasty ones included.
  /// A client has 2 s for the rest of its request, and 2 s to read its answer.
  void stop(std::function<void()> done);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace eventgate
