#pragma once

#include <atomic>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/gate/request_context.hpp"
#include "eventgate/http/server.hpp"
#include "eventgate/io/connection_socket.hpp"
#include "eventgate/io/deadline_timers.hpp"
#include "eventgate/io/inflight_bytes.hpp"
#include "eventgate/io/task.hpp"
#include "info_handler.hpp"
#include "live_handler.hpp"
#include "request.hpp"
#include "response.hpp"
#include "router.hpp"

namespace eventgate {

class EventBatch;
class RequestParser;
class HttpConnection;

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, IoExecutor>;

/// Calls `done` when the last of those who hold it is gone.
struct OnLastRelease {
  std::function<void()> done;
  ~OnLastRelease() {
    if (done) done();
  }
};

/// What all sessions of a server share.
///
/// Thread-safe: immutable but for its atomics.
struct ServerContext {
  ServerContext(HttpOptions http_options, HttpServices http_services)
      : options(std::move(http_options)),
        services(std::move(http_services)),
        format(options),
        router(!options.test_events.empty(), services.streams != nullptr, services.live != nullptr),
        info(options, services),
        live(options, services.live),
        inflight_bytes(services.inflight ? services.inflight
                                         : std::make_shared<InflightBytes>(options.max_inflight_bytes)),
        inflight(*inflight_bytes) {}

  const HttpOptions options;
  const HttpServices services;
  const ResponseFormat format;
  const Router router;
  const InfoHandler info;
  const LiveHandler live;
  const std::shared_ptr<InflightBytes> inflight_bytes;
  InflightBytes& inflight;  ///< The same.
  std::atomic<bool> stopping{false};
  /// When `stopping` was set. Set before it.
  std::atomic<std::chrono::steady_clock::time_point> stopped_at{};
  /// Requests whose events are being worked on, hasty ones included.
  std::atomic<std::size_t> processing{0};
  /// The server is gone, and its services may be: what is left of sessions only ends.
  std::atomic<bool> abandoned{false};
};

/// Counts a request in `ServerContext::processing` for as long as it lives.
class Processing {
 public:
  explicit Processing(std::shared_ptr<ServerContext> state) : state_(std::move(state)) {
    state_->processing.fetch_add(1, std::memory_order_relaxed);
  }
  Processing(Processing&& other) noexcept = default;
  ~Processing() {
    if (state_) state_->processing.fetch_sub(1, std::memory_order_release);
  }

 private:
  std::shared_ptr<ServerContext> state_;
};

/// What a session needs from a request's first bytes to its answer. Kept for the next one of the same thread.
struct Workspace {
  std::string_view unread() const { return {bytes.get() + begin, end - begin}; }

  std::unique_ptr<char[]> bytes;  ///< Null: nothing is unread.
  std::size_t begin = 0;          ///< Of what is received and not yet used.
  std::size_t end = 0;
  Request request;
  std::string out;  ///< What is sent at the client's pace.
};

/// What the sessions of one I/O thread share.
///
/// One strand: the thread.
class HttpThread {
 public:
  HttpThread(IoExecutor executor, std::size_t buffer_size);
  ~HttpThread();

  std::unique_ptr<Workspace> take();
  void give(std::unique_ptr<Workspace> space);

  /// Gives `space` a buffer if it has none, or takes it if nothing in it is unread: a request keeps none while it waits
  /// for its deliveries.
  void take_buffer(Workspace& space);
  void give_buffer(Workspace& space);

  /// Ends idle sessions; those under way end after their answer.
  void stop();

  const IoExecutor executor;
  DeadlineTimers& deadlines;
  EpollReactor& reactor;
  const std::size_t buffer_size;
  std::string answer;  ///< From when it is made to when the connection has taken what it can; nothing waits meanwhile.

 private:
  friend class HttpConnection;
  struct SessionList;
  std::unique_ptr<SessionList> sessions_;
  std::vector<std::unique_ptr<Workspace>> spaces_;
  std::vector<std::unique_ptr<char[]>> buffers_;
};

/// Starts a session on a connected socket, on its I/O thread. It ends by itself. `slot` and `drain` are held until
/// then, `drain` by hasty work too. `metrics`: it serves `/metrics` and nothing else.
struct ConnectionArgs {
  std::shared_ptr<ServerContext> state;
  std::shared_ptr<HttpThread> worker;
  std::shared_ptr<OnLastRelease> drain;
  std::shared_ptr<void> slot;
  Socket socket;
  std::string remote_address;
  bool metrics = false;
};
void start_session(ConnectionArgs start);

}  // namespace eventgate
