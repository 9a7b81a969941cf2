#include "eventgate/http/server.hpp"

#include <sys/socket.h>

#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <stdexcept>

#include "connection.hpp"
#include "eventgate/telemetry/telemetry.hpp"

namespace eventgate {

namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

/// Connections that wait in the kernel until they are accepted.
constexpr int kListenBacklog = 4096;
/// Connections of the metrics port. They do not count against `max_connections`, which is for clients.
constexpr std::size_t kMaxMetricsConnections = 64;
/// How long accepting pauses when the process has no file descriptor or memory left.
constexpr std::chrono::milliseconds kAcceptRetryDelay{100};

std::string address_text(const tcp::endpoint& peer) {
  const boost::asio::ip::address address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

using Acceptor = boost::asio::basic_socket_acceptor<tcp, IoExecutor>;

[[noreturn]] void cannot_listen(const std::string& interface, std::uint16_t port, const std::string& what,
                                const error_code& error) {
  throw std::runtime_error("Cannot listen on interface '" + interface + "', port " + std::to_string(port) + ": " +
                           what + ": " + error.message());
}

/// Returns a socket that is bound and does not listen. Throws std::runtime_error.
Acceptor bind_port(const std::string& interface, std::uint16_t port, const IoExecutor& executor) {
  error_code error;
  boost::asio::ip::basic_resolver<tcp, IoExecutor> resolver(executor);
  const auto found = resolver.resolve(interface, std::to_string(port), tcp::resolver::passive, error);
  if (error || found.empty()) cannot_listen(interface, port, "expected an address of this host", error);
  const tcp::endpoint endpoint = found.begin()->endpoint();
  Acceptor acceptor(executor);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.protocol() == tcp::v6()) acceptor.set_option(boost::asio::ip::v6_only(false), error);
  if (!error) acceptor.bind(endpoint, error);
  if (error) cannot_listen(interface, port, "bind", error);
  return acceptor;
}

/// Returns an acceptor of the listening TCP socket `socket`. Throws std::runtime_error.
Acceptor adopt_socket(int socket, const IoExecutor& executor) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  error_code error;
  Acceptor acceptor(executor);
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    error.assign(errno, boost::system::system_category());
  } else {
    acceptor.assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), socket, error);
  }
  if (error) throw std::runtime_error("Cannot take over the listening socket: " + error.message());
  return acceptor;
}

/// A bound port.
struct Port {
  Acceptor acceptor;
  std::string interface;
  bool inherited = false;  ///< It listens already, and other processes may hold it.
};

Port make_port(const std::string& interface, std::uint16_t port, const IoExecutor& executor) {
  return {bind_port(interface, port, executor), interface};
}

/// Accepts the connections of one port and hands them to the I/O threads in turn.
///
/// Use on the first I/O thread, unless a function says otherwise.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  /// Listens. `only_endpoint` handles every request, with kMaxMetricsConnections; null: the router finds the endpoint.
  /// Throws std::runtime_error.
  Listener(Port port, Endpoint* only_endpoint, std::shared_ptr<ServerContext> server,
           std::vector<std::shared_ptr<HttpThread>> threads)
      : only_endpoint_(only_endpoint),
        inherited_(port.inherited),
        server_(std::move(server)),
        threads_(std::move(threads)),
        acceptor_(std::move(port.acceptor)),
        timer_(threads_.front()->executor) {
    port_ = acceptor_.local_endpoint().port();
    error_code error;
    if (!inherited_) acceptor_.listen(kListenBacklog, error);
    if (!error) acceptor_.non_blocking(true, error);
    if (error) cannot_listen(port.interface, port_, "listen", error);
  }

  std::uint16_t port() const { return port_; }

  /// Starts to accept. Any thread may call this.
  void start(const std::shared_ptr<OnLastRelease>& drain) {
    spawn(threads_.front()->executor, accept(shared_from_this(), drain));
  }

  /// Accepts the connections that wait in the kernel, and no more. Those of an inherited socket are left to the process
  /// that holds it next.
  void stop(const std::shared_ptr<OnLastRelease>& drain) {
    stopped_ = true;
    timer_.cancel();
    error_code error;
    acceptor_.cancel(error);
    while (!inherited_) {
      const std::shared_ptr<HttpThread>& thread = next_thread();
      tcp::endpoint peer;
      Socket socket(thread->executor);
      acceptor_.accept(socket, peer, error);
      if (error == boost::asio::error::connection_aborted) continue;
      if (error) break;
      start_on(thread, std::move(socket), peer, drain);
    }
    close();
  }

  void close() {
    error_code ignored;
    acceptor_.close(ignored);
  }

  /// Closes the port. Call it from any thread, while no I/O thread runs.
  void abandon() {
    stopped_ = true;
    close();
  }

 private:
  /// Returns an awaitable that waits until the timer expires or is cancelled.
  auto wait_for_timer() {
    return suspend_with([this](ResumeHandle suspended) {
      timer_.async_wait([suspended = std::move(suspended)](const error_code&) mutable { suspended.resume(); });
    });
  }

  static Task<void> accept(std::shared_ptr<Listener> self, std::shared_ptr<OnLastRelease> drain) {
    while (!self->stopped_) {
      error_code error;
      if (self->is_full()) {
        self->server_->telemetry.accept_paused(self->open_);
        self->paused_ = true;
        self->timer_.expires_at(std::chrono::steady_clock::time_point::max());
        if (self->is_full()) co_await self->wait_for_timer();
        self->paused_ = false;
        continue;
      }
      const std::shared_ptr<HttpThread> thread = self->next_thread();
      tcp::endpoint peer;
      Socket socket(thread->executor);
      co_await suspend_with([&](ResumeHandle suspended) {
        self->acceptor_.async_accept(socket, peer,
                                     [&error, suspended = std::move(suspended)](error_code result) mutable {
                                       error = result;
                                       suspended.resume();
                                     });
      });
      if (!error) {
        self->start_on(thread, std::move(socket), peer, drain);
      } else if (error == boost::asio::error::no_descriptors || error == boost::asio::error::no_memory ||
                 error == boost::asio::error::no_buffer_space || error.value() == ENFILE) {
        self->server_->telemetry.accept_paused(self->open_);
        self->timer_.expires_after(kAcceptRetryDelay);
        if (!self->stopped_) co_await self->wait_for_timer();
      }
    }
  }

  bool is_full() const { return open_ >= (only_endpoint_ ? kMaxMetricsConnections : server_->options.max_connections); }

  const std::shared_ptr<HttpThread>& next_thread() { return threads_[next_++ % threads_.size()]; }

  void start_on(const std::shared_ptr<HttpThread>& thread, Socket socket, const tcp::endpoint& peer,
                const std::shared_ptr<OnLastRelease>& drain) {
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.set_option(tcp::no_delay(true), ignored);
    ++open_;
    std::shared_ptr<void> slot(nullptr, [self = shared_from_this()](std::nullptr_t) { self->end_connection(); });
    ConnectionArgs args{server_, thread, drain, std::move(slot), std::move(socket), address_text(peer), only_endpoint_};
    start_connection(std::move(args));
  }

  /// Counts a connection that has ended. Any thread may call this.
  void end_connection() {
    --open_;
    if (paused_.exchange(false) && !server_->abandoned)
      boost::asio::post(threads_.front()->executor, [self = shared_from_this()] { self->timer_.cancel(); });
  }

  Endpoint* const only_endpoint_;
  const bool inherited_;
  const std::shared_ptr<ServerContext> server_;
  const std::vector<std::shared_ptr<HttpThread>> threads_;
  Acceptor acceptor_;
  boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                    IoExecutor>
      timer_;
  std::uint16_t port_ = 0;
  std::size_t next_ = 0;
  bool stopped_ = false;
  std::atomic<std::size_t> open_{0};
  std::atomic<bool> paused_{false};
};

}  // namespace

struct HttpPorts::Impl {
  Port http;
  std::optional<Port> metrics;
};

HttpPorts::HttpPorts(const HttpOptions& options, const IoExecutor& executor, std::optional<int> inherited)
    : impl_(new Impl{inherited ? Port{adopt_socket(*inherited, executor), options.interface, true}
                               : make_port(options.interface, options.port, executor),
                     std::nullopt}) {
  const std::string& interface = options.metrics_interface.empty() ? options.interface : options.metrics_interface;
  if (options.metrics_port) impl_->metrics = make_port(interface, *options.metrics_port, executor);
}

HttpPorts::HttpPorts(HttpPorts&&) noexcept = default;

HttpPorts::~HttpPorts() = default;

struct HttpServer::Impl {
  std::shared_ptr<ServerContext> context;
  std::vector<std::shared_ptr<HttpThread>> threads;
  std::shared_ptr<OnLastRelease> drain;
  std::shared_ptr<Listener> listener;
  std::shared_ptr<Listener> metrics;
};

HttpServer::HttpServer(HttpOptions options, HttpServices services, const std::vector<IoExecutor>& threads,
                       HttpPorts ports)
    : impl_(std::make_shared<Impl>()) {
  Impl& impl = *impl_;
  // The largest head, and 4 KB of a body behind it.
  const std::size_t buffer_size = options.max_header_size + 4096;
  impl.context = std::make_shared<ServerContext>(std::move(options), std::move(services));
  for (const IoExecutor& executor : threads)
    impl.threads.push_back(std::make_shared<HttpThread>(executor, buffer_size));
  impl.drain = std::make_shared<OnLastRelease>();
  impl.listener = std::make_shared<Listener>(std::move(ports.impl_->http), nullptr, impl.context, impl.threads);
  if (ports.impl_->metrics)
    impl.metrics = std::make_shared<Listener>(std::move(*ports.impl_->metrics), impl.context->metrics.get(),
                                              impl.context, impl.threads);
  impl.listener->start(impl.drain);
  if (impl.metrics) impl.metrics->start(impl.drain);
}

HttpServer::~HttpServer() {
  impl_->context->abandoned = true;
  if (impl_->context->stopping) return;
  impl_->listener->abandon();
  if (impl_->metrics) impl_->metrics->abandon();
}

std::uint16_t HttpServer::port() const { return impl_->listener->port(); }

std::optional<std::uint16_t> HttpServer::metrics_port() const {
  if (!impl_->metrics) return std::nullopt;
  return impl_->metrics->port();
}

std::size_t HttpServer::inflight_bytes() const { return impl_->context->inflight.size(); }

std::size_t HttpServer::processing() const { return impl_->context->processing.load(std::memory_order_acquire); }

void HttpServer::stop(std::function<void()> done) {
  if (impl_->context->stopping) return;
  impl_->context->stopped_at = std::chrono::steady_clock::now();
  if (impl_->context->stopping.exchange(true)) return;
  boost::asio::post(impl_->threads.front()->executor, [impl = impl_, done = std::move(done)]() mutable {
    const std::shared_ptr<OnLastRelease> drain = std::move(impl->drain);
    drain->done = std::move(done);
    impl->listener->stop(drain);
    if (impl->metrics) impl->metrics->stop(drain);
    for (const std::shared_ptr<HttpThread>& thread : impl->threads)
      boost::asio::post(thread->executor, [thread, drain] { thread->stop(); });
  });
}

}  // namespace eventgate
