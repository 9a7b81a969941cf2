#include "connection.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include "body_reader.hpp"
#include "client_socket.hpp"
#include "eventgate/base/ascii.hpp"
#include "eventgate/logging/log.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "head_reader.hpp"

namespace eventgate {

namespace {

using std::chrono::steady_clock;

/// Requests that a connection serves in a row, and the time for them, before other connections have their turn.
constexpr std::size_t kMaxInARow = 64;
constexpr std::chrono::milliseconds kMaxTurn{1};
/// How long a connection lingers after the last response, so that the client reads it before it sees the end.
constexpr std::chrono::seconds kLinger{2};
/// How long a new connection has for its first request once the server stops.
constexpr std::chrono::milliseconds kFirstRequestGrace{500};
constexpr std::string_view kLastChunk = "0\r\n\r\n";

/// Appends a chunk of the chunked transfer coding (RFC 9112, section 7.1).
void append_chunk(std::string& out, std::string_view data) {
  char size[16];
  out.append(size, std::to_chars(size, size + sizeof(size), data.size(), 16).ptr).append("\r\n");
  out.append(data).append("\r\n");
}

/// The task of a request that no endpoint handles.
Task<Reply> reply_with(Response response) { co_return std::move(response); }

class RequestExchange;

/// One connection, from accept to close.
///
/// Use on one I/O thread.
class HttpConnection final : public StoppableConnection {
 public:
  explicit HttpConnection(ConnectionArgs args) : args_(std::move(args)), socket_(*args_.thread, *args_.server) {
    telemetry().connection_opened();
  }
  ~HttpConnection() override {
    if (!server().abandoned.load(std::memory_order_relaxed)) telemetry().connection_closed();
  }

  static Task<void> run(std::unique_ptr<HttpConnection> connection);

  void stop() override;

 private:
  friend class RequestExchange;

  Task<void> serve_all();
  Task<bool> serve();
  Endpoint* find_endpoint(RequestExchange& exchange, HeadReader& head, std::optional<Response>& rejected) const;
  bool start_response(RequestExchange& exchange, Response& response, bool close, std::string_view& unsent);
  void finish_response(RequestExchange& exchange, const Response& response);
  void hand_over(RequestExchange& exchange, Reply& reply);
  Task<void> give_way();
  Task<void> linger();

  bool stopping() const { return server().stopping.load(std::memory_order_relaxed); }
  ServerContext& server() const { return *args_.server; }
  Telemetry& telemetry() const { return server().telemetry; }

  ConnectionArgs args_;  // first: what it holds is released last
  ClientSocket socket_;
  bool idle_ = false;                    // it waits for the first byte of a request
  bool answered_ = false;                // it has served a request
  bool stop_ends_wait_ = false;          // an endpoint waits or streams
  std::size_t served_in_row_ = 0;        // requests since the connection gave way to others
  steady_clock::time_point turn_begun_;  // the last wait for the client, or the last giving way
};

/// The request that a connection is serving.
class RequestExchange final : public Exchange {
 public:
  explicit RequestExchange(HttpConnection& connection)
      : body(connection.socket_, connection.server()),
        reservation(connection.server().inflight),
        connection_(connection) {}
  ~RequestExchange() override {
    if (waker_) waker_->end_wait = nullptr;
  }

  const Request& request() const override { return connection_.socket_.buffers().request; }
  const Query& query() const override {
    if (!parameters) parameters = parse_query(match.query);
    return *parameters;
  }
  const std::string& path_parameter() const override { return match.parameter; }
  const std::string& remote_address() const override { return connection_.args_.remote_address; }
  std::chrono::system_clock::time_point received_at() const override { return received; }
  const IoExecutor& executor() const override { return connection_.args_.thread->executor; }
  bool stopping() const override { return connection_.stopping(); }
  bool has_body() const override { return body.has_unread(); }
  Task<BodyResult> read_body() override { return body.read(reservation); }
  std::optional<Response> reserve(std::size_t bytes) override;
  InflightReservation take_reservation() override { return std::move(reservation); }
  ServerWork begin_work() override;
  Task<bool> begin_stream(Response head) override;
  Task<bool> stream(std::string_view chunk) override;
  Task<Wake> wait(steady_clock::duration limit) override;
  Waker waker() override;

  bool is_head() const { return request().method == Method::head; }

  /// Ends the body of a stream whose client is still there.
  void end_stream() {
    if (!client_left_ && !request().http_1_0) connection_.socket_.raw().send(kLastChunk);
  }

  BodyReader body;
  InflightReservation reservation;  // of the request, then of its response
  Router::Match match;
  mutable std::optional<Query> parameters;  // parsed when an endpoint asks for them
  std::chrono::system_clock::time_point received;
  bool streaming = false;

 private:
  HttpConnection& connection_;
  bool client_left_ = false;
  std::shared_ptr<Waker::State> waker_;
};

std::optional<Response> RequestExchange::reserve(std::size_t bytes) {
  if (reservation.resize(bytes)) return std::nullopt;
  return inflight_exceeded_response(connection_.server().options.max_inflight_bytes, request());
}

ServerWork RequestExchange::begin_work() {
  const std::shared_ptr<ServerContext>& server = connection_.args_.server;
  return {std::shared_ptr<std::atomic<std::size_t>>(server, &server->processing), connection_.args_.drain};
}

Task<bool> RequestExchange::begin_stream(Response head) {
  streaming = true;
  connection_.stop_ends_wait_ = true;
  std::string_view unsent;
  bool sent = connection_.start_response(*this, head, true, unsent);
  if (sent && !unsent.empty()) sent = co_await connection_.socket_.send(unsent);
  connection_.finish_response(*this, head);
  client_left_ = !sent;
  co_return sent;
}

Task<bool> RequestExchange::stream(std::string_view chunk) {
  if (client_left_) co_return false;
  std::string& out = connection_.socket_.buffers().out;
  out.clear();
  if (request().http_1_0) {
    out += chunk;
  } else {
    append_chunk(out, chunk);
  }
  client_left_ = !co_await connection_.socket_.send(out);
  co_return !client_left_;
}

Task<Exchange::Wake> RequestExchange::wait(steady_clock::duration limit) {
  if (client_left_) co_return Wake::client_left;
  if (stopping()) co_return Wake::stopping;
  if (waker_ && std::exchange(waker_->woken, false)) co_return Wake::woken;
  // The client of a stream has nothing to send: bytes from it, or its end, end the stream. Bytes behind another request
  // are the next request.
  const auto direction = streaming ? ClientSocket::Direction::in : ClientSocket::Direction::neither;
  connection_.stop_ends_wait_ = true;
  client_left_ = co_await connection_.socket_.wait(direction, limit);
  connection_.stop_ends_wait_ = streaming;
  if (client_left_) co_return Wake::client_left;
  if (stopping()) co_return Wake::stopping;
  if (waker_) waker_->woken = false;
  co_return connection_.socket_.timed_out() ? Wake::timeout : Wake::woken;
}

Waker RequestExchange::waker() {
  if (!waker_) {
    waker_ = std::make_shared<Waker::State>();
    waker_->end_wait = [this] { connection_.socket_.cancel_wait(); };
  }
  return {executor(), waker_};
}

Task<void> HttpConnection::run(std::unique_ptr<HttpConnection> connection) {
  try {
    connection->socket_.open(connection->args_.socket.release());
    connection->args_.thread->add(*connection);
    co_await connection->serve_all();
  } catch (const std::exception& exception) {
    log(LogLevel::error, "An exception ended a connection", {{"error", std::string_view(exception.what())}});
  }
  if (connection->socket_.has_buffers()) connection->socket_.release_buffers();
}

void HttpConnection::stop() {
  if (stop_ends_wait_) socket_.cancel_wait();
  socket_.stop();
  if (!idle_) return;
  // A request may be on its way. A new connection gets a moment for it; of a used one, the socket is read once more.
  if (answered_) {
    socket_.cancel_wait();
  } else {
    args_.thread->deadlines.set(socket_, kFirstRequestGrace);
  }
}

/// Lets the thread run other connections, deadlines, accepts and deliveries.
Task<void> HttpConnection::give_way() {
  co_await suspend_with([this](ResumeHandle suspended) {
    boost::asio::post(args_.thread->executor, [suspended = std::move(suspended)]() mutable { suspended.resume(); });
  });
  served_in_row_ = 0;
  turn_begun_ = steady_clock::now();
}

/// Discards what the client still sends, until it ends or `kLinger` is over. A close with unread bytes would reset the
/// connection, and the client might lose the response.
Task<void> HttpConnection::linger() {
  if (!socket_.raw().end_sending()) co_return;
  socket_.start_request();
  ClientSocket::Received received = ClientSocket::Received::bytes;
  while (received == ClientSocket::Received::bytes) {
    ConnectionBuffers& buffers = socket_.buffers();
    buffers.begin = buffers.end = 0;
    received = co_await socket_.receive_more(kLinger);
    if (socket_.time_left(kLinger) <= steady_clock::duration::zero()) break;
    // A client that sends without a pause must not keep the thread from others.
    if (steady_clock::now() - turn_begun_ >= kMaxTurn) co_await give_way();
  }
}

Task<void> HttpConnection::serve_all() {
  const HttpOptions& options = server().options;
  for (;;) {
    const bool waited = !socket_.has_buffers();
    if (waited) {
      idle_ = true;
      const std::chrono::milliseconds limit = answered_    ? options.keepalive_timeout + DeadlineTimers::kSweep
                                              : stopping() ? kFirstRequestGrace
                                                           : options.header_timeout;
      socket_.begin_wait(limit);
      // Whatever ended the wait, the socket says whether a request has come.
      co_await socket_.raw().ready(ClientSocket::Direction::in);
      idle_ = false;
      socket_.end_wait();
      socket_.acquire_buffers();
      const ClientSocket::Received received = socket_.receive();
      if (received == ClientSocket::Received::nothing && !socket_.timed_out() && !(stopping() && answered_)) {
        socket_.release_buffers();
        continue;
      }
      if (received != ClientSocket::Received::bytes) co_return;
    }
    if (!co_await serve()) co_return;
    answered_ = true;
    const bool pipelined = !socket_.buffers().unread().empty();
    if (!pipelined) socket_.release_buffers();
    // A client that has always sent the next request already must not keep the thread from others.
    const steady_clock::time_point begun = socket_.request_start();
    if (waited) turn_begun_ = begun;
    if (++served_in_row_ >= kMaxInARow || (pipelined && begun - turn_begun_ >= kMaxTurn)) co_await give_way();
  }
}

/// Serves one request. Returns false if the connection has to end.
Task<bool> HttpConnection::serve() {
  socket_.start_request();
  HeadReader head(socket_, server());
  if (!head.parse()) co_await head.read_rest();
  if (head.client_left()) co_return false;

  RequestExchange exchange(*this);
  exchange.received = std::chrono::system_clock::now();
  std::optional<Response> rejected;
  Endpoint* const endpoint = find_endpoint(exchange, head, rejected);
  Task<Reply> handling = endpoint ? endpoint->handle(exchange) : reply_with(*std::move(rejected));
  Reply reply = co_await handling;
  if (exchange.streaming) {
    exchange.end_stream();
    co_return false;
  }

  if (reply.take) {
    hand_over(exchange, reply);
    co_return false;
  }

  Response& response = reply.response;
  const Request& request = exchange.request();
  // The end of the connection tells an HTTP/1.0 client of the end of an empty body, as in the original.
  const bool close = !request.keep_alive || stopping() || !exchange.body.is_worth_skipping() ||
                     (request.http_1_0 && response.body.empty());
  std::string_view unsent;
  bool sent = start_response(exchange, response, close, unsent);
  if (sent && !unsent.empty()) {
    exchange.reservation.resize_anyway(socket_.buffers().out.size());
    sent = co_await socket_.send(unsent);
  }
  finish_response(exchange, response);
  if (reply.work) spawn(args_.thread->executor, *std::move(reply.work));

  if (!sent) co_return false;
  const bool body_left = exchange.body.has_unread();
  if (close) {
    // A client whose request did not come before a stop is not waited for again.
    const bool waited_for = response.rejection_cause == kStoppingCause;
    if (!waited_for &&
        (body_left || exchange.body.framing_lost() || !socket_.buffers().unread().empty() || socket_.raw().has_bytes()))
      co_await linger();
    co_return false;
  }
  if (!body_left) co_return true;
  co_return co_await exchange.body.skip();
}

/// Gives the socket to the endpoint's taker.
void HttpConnection::hand_over(RequestExchange& exchange, Reply& reply) {
  HandedSocket handed;
  handed.chunked = !exchange.request().http_1_0;
  server().format.append(
      handed.head, reply.response,
      {true, false, exchange.request().accept_encoding(), exchange.received, !handed.chunked, &exchange.request()});
  finish_response(exchange, reply.response);
  handed.socket = socket_.raw().release();
  reply.take(std::move(handed));
}

/// Finds the endpoint of a request whose head is read. Returns null with a response if no endpoint is to handle it.
Endpoint* HttpConnection::find_endpoint(RequestExchange& exchange, HeadReader& head,
                                        std::optional<Response>& rejected) const {
  if (head.rejected()) {
    exchange.body.lose_framing();
    rejected = std::move(head.rejected());
    return nullptr;
  }
  const Request& request = exchange.request();
  const std::string_view expect = request.http_1_0 ? std::string_view() : request.expect();
  const bool expects_continue = equals_ignoring_case(expect, "100-continue");
  exchange.body.begin(head.parser(), expects_continue);
  if (!expect.empty() && !expects_continue) {
    // The client may send the body nevertheless; it is skipped like any other.
    rejected = minimal_response(417, "expectation");
    return nullptr;
  }
  if (args_.only_endpoint) return args_.only_endpoint;
  exchange.match = server().router.find(request.target());
  Endpoint* const endpoint = exchange.match.resource ? exchange.match.resource->endpoint(request.method) : nullptr;
  if (!endpoint) {
    rejected = server().router.default_response(exchange.match, request);
    return nullptr;
  }
  if (exchange.match.resource->takes_events && !server().format.cors().admits(request)) {
    rejected = foreign_origin_response(request);
    return nullptr;
  }
  return endpoint;
}

/// Serializes `response`, and sends what the kernel takes at once. `unsent` is the rest, which is in `buffers().out`.
/// Returns false if the client is gone.
bool HttpConnection::start_response(RequestExchange& exchange, Response& response, bool close,
                                    std::string_view& unsent) {
  if (!response.rejection_cause.empty()) {
    telemetry().request_rejected(response.rejection_cause, response.rejection_detail);
    if (server().on_rejection) server().on_rejection({exchange.request(), response, exchange.received});
  }
  std::string& out = args_.thread->response;
  out.clear();
  if (out.capacity() > HttpThread::kMaxKeptResponse) std::string().swap(out);  // an assignment would keep the memory
  const Request& request = exchange.request();
  server().format.append(out, response,
                         {close, exchange.is_head(), request.accept_encoding(), exchange.received, request.http_1_0,
                          &request, exchange.match.resource && exchange.match.resource->takes_events});
  // From now on the response counts instead of the request, and it is sent even if it exceeds the bound. A short one
  // that the kernel takes at once does not count, so that a client that has its response finds nothing in flight.
  std::string().swap(response.body);
  exchange.reservation.resize_anyway(out.size() > HttpThread::kMaxKeptResponse ? out.size() : 0);
  unsent = out;
  if (!socket_.send_now(unsent)) return false;
  if (unsent.empty()) return true;
  const std::size_t sent = out.size() - unsent.size();
  std::string& kept = socket_.buffers().out;
  std::swap(kept, out);
  unsent = std::string_view(kept).substr(sent);
  return true;
}

/// Counts a response that is sent, or that cannot be sent.
void HttpConnection::finish_response(RequestExchange& exchange, const Response& response) {
  std::string& rest = socket_.buffers().out;
  if (rest.capacity() > HttpThread::kMaxKeptResponse) std::string().swap(rest);
  exchange.reservation.resize_anyway(0);
  if (exchange.match.resource)
    telemetry().request_answered(exchange.match.resource->label, exchange.request().method_name(), response.status,
                                 steady_clock::now() - socket_.request_start());
  if (server().on_answered && !args_.only_endpoint)
    server().on_answered({exchange.request().method_name(), exchange.request().target(), response.status,
                          response.reason.empty() ? reason_phrase(response.status) : response.reason, response.note,
                          steady_clock::now() - socket_.request_start()});
}

}  // namespace

void start_connection(ConnectionArgs args) {
  const IoExecutor executor = args.thread->executor;
  auto connection = std::make_unique<HttpConnection>(std::move(args));
  spawn(executor, HttpConnection::run(std::move(connection)));
}

}  // namespace eventgate
