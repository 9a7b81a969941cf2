#include "connection.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/beast/http/error.hpp>
#include <charconv>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "chunked_body.hpp"
#include "content_coding.hpp"
#include "eventgate/gate/event_batch.hpp"
#include "eventgate/gate/event_gate.hpp"
#include "eventgate/json/json_text.hpp"
#include "eventgate/logging/log.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "events_handler.hpp"
#include "head_check.hpp"
#include "request_parser.hpp"

namespace eventgate {

namespace {

using boost::system::error_code;
using std::chrono::steady_clock;
namespace http_error = boost::beast::http;

/// Bytes of a rejected request's body that are read so that the connection can be kept.
constexpr std::size_t kMaxSkippedBody = 64 * 1024;
/// Requests of a connection in a row, and the time for them, after which others have their turn.
constexpr std::size_t kMaxInARow = 64;
constexpr std::chrono::milliseconds kMaxTurn{1};
/// A body is read in pieces of this.
constexpr std::size_t kPiece = 64 * 1024;
/// How long a connection is kept after the last answer so that the client reads it before it hears of the end.
constexpr std::chrono::seconds kLinger{2};
/// How often it is looked for events that a viewer has not seen.
constexpr std::chrono::milliseconds kLook{200};
/// How long a new connection has for its first request once the server stops.
constexpr std::chrono::milliseconds kGrace{500};
/// How long a stop waits for bytes that a client does not send, or does not read.
constexpr std::chrono::seconds kStopGrace{2};
/// Idle workspaces and buffers kept by a thread, and the longest answer whose memory is kept.
constexpr std::size_t kWorkspaces = 64;
constexpr std::size_t kKeptAnswer = 64 * 1024;
/// The cause in `eventgate_rejected_requests_total` of a request that was not there in full when the server stopped.
constexpr std::string_view kStopping = "stopping";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

Response bare(unsigned status, std::string_view cause) {
  Response response;
  response.status = status;
  response.bare = true;
  response.cause = cause;
  return response;
}

Response rejected(unsigned status, std::string_view detail, std::string_view cause, const Request& request) {
  Response response = problem(status, detail, request);
  response.cause = cause;
  return response;
}

/// Parameters of a query that are longer than this together count for each event: they may be added to each.
constexpr std::size_t kShortQuery = 300;

/// Bytes counted for a request of `events` events.
std::size_t request_weight(std::size_t body, std::size_t events, const RequestContext& context) {
  std::size_t query = 0;
  for (const auto& [name, value] : context.query) query += name.size() + value.size();
  return inflight_weight(body + (query > kShortQuery ? query * events : 0), events);
}

/// What hasty events hold until it is known what became of them.
struct HastyHold {
  std::shared_ptr<OnLastRelease> drain;
  std::shared_ptr<ServerContext> state;
  InflightReservation share;
  Processing processing;
};

/// Hasty events and the headers that came with them.
struct HastyWork final : HastyRequest {
  HastyWork(EventBatch events, RequestContext about, const Request& with)
      : HastyRequest(std::move(events), std::move(about)), request(with) {
    context.headers = &request;
  }
  const Request request;
};

}  // namespace

/// One connection, from accept to close.
///
/// One strand: its I/O thread.
class HttpConnection final
    : public Deadline,
      public boost::intrusive::list_base_hook<boost::intrusive::tag<HttpConnection>,
                                              boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  explicit HttpConnection(ConnectionArgs start);
  ~HttpConnection() override;

  static Task<void> run(std::unique_ptr<HttpConnection> session);

  /// The server stops.
  void stop();

  void expire() override;

 private:
  enum class Received { bytes, nothing, full, end, timeout };

  Task<void> serve_all();
  Task<bool> serve();

  Received receive();
  Task<Received> receive_more(std::chrono::milliseconds limit);
  Task<bool> wait(Connection::Direction direction, steady_clock::duration limit);
  steady_clock::time_point grace_end(steady_clock::time_point stopped_at) const;
  steady_clock::duration left(std::chrono::milliseconds limit) const { return limit - (steady_clock::now() - begun_); }

  bool parse_head(RequestParser& parser, std::size_t& head, std::optional<Response>& refusal);
  Task<std::optional<Response>> read_head(RequestParser& parser, std::size_t head);
  std::optional<Response> contradiction(const RequestParser& parser, std::size_t head) const;
  Response metrics_answer() const;
  Task<Response> live_schema(const Query& query);
  Response plain_answer(const Target& target, const Query& query) const;
  std::optional<Response> unwanted_body(MediaType type, std::optional<ContentCoding> coding) const;
  Task<void> post_events(RequestContext& context, InflightReservation& share, std::unique_ptr<HastyRequest>& hasty,
                         std::optional<Response>& answer);
  void take_body(std::string& body);
  Task<std::optional<Response>> read_body(std::string& body, InflightReservation& share);
  std::optional<Response> decode(ContentCoding coding, std::string& body) const;
  Task<void> process(std::string body, RequestContext& context, InflightReservation& share,
                     std::unique_ptr<HastyRequest>& hasty, std::optional<Response>& answer);
  Response unread_content_type() const;
  Response body_too_large() const;
  Response too_much_in_flight() const;
  Response no_room(const std::string& reason) const;
  Response server_stops() const;
  Response body_cut(Received received);

  bool body_left() const { return remaining_ > 0 || chunks_.has_value(); }
  bool worth_skipping() const { return !broken_ && remaining_ <= kMaxSkippedBody && !(expects_ && body_left()); }
  Task<bool> skip_body();
  bool send_now(std::string_view& bytes);
  Task<bool> send(std::string_view bytes);
  Task<void> watch(LiveView& view);
  Task<void> give_way();
  Task<void> linger();

  bool stopping() const { return state().stopping.load(std::memory_order_relaxed); }
  ServerContext& state() const { return *start_.state; }
  Telemetry& events() const { return start_.state->services.events; }
  Request& request() const { return space_->request; }

  ConnectionArgs start_;  // first: what it holds goes last
  std::unique_ptr<Workspace> space_;
  bool idle_ = false;
  bool answered_ = false;
  bool watching_ = false;
  bool timed_out_ = false;
  bool awaits_client_ = false;             ///< It waits for the client to send or to read.
  steady_clock::time_point wait_until_;    ///< How long, if it does.
  steady_clock::time_point client_since_;  ///< When it began to receive the request, to send the answer, or to linger.
  std::size_t served_in_a_row_ = 0;        ///< Requests since the connection gave way to others.
  steady_clock::time_point turn_begun_;    ///< When it was waited for the client or gave way last.

  std::optional<Connection> connection_;  // from `run` on

  // Of the request being served.
  steady_clock::time_point begun_;
  bool expects_ = false;               ///< The client waits for 100 Continue before it sends the body.
  bool broken_ = false;                ///< Where the next request begins is not known any more.
  std::uint64_t remaining_ = 0;        ///< Bytes of a body with a Content-Length that are not read.
  std::optional<ChunkedBody> chunks_;  ///< The body is chunked and not read to its end.
};

struct HttpThread::SessionList
    : boost::intrusive::list<
          HttpConnection,
          boost::intrusive::base_hook<boost::intrusive::list_base_hook<
              boost::intrusive::tag<HttpConnection>, boost::intrusive::link_mode<boost::intrusive::auto_unlink>>>,
          boost::intrusive::constant_time_size<false>> {};

HttpThread::HttpThread(IoExecutor io_executor, std::size_t size)
    : executor(io_executor),
      deadlines(boost::asio::use_service<DeadlineTimers>(io_executor.context())),
      readiness(boost::asio::use_service<EpollReactor>(io_executor.context())),
      buffer_size(size),
      sessions_(std::make_unique<SessionList>()) {}

HttpThread::~HttpThread() { sessions_->clear(); }

std::unique_ptr<Workspace> HttpThread::take() {
  if (spaces_.empty()) return std::make_unique<Workspace>();
  std::unique_ptr<Workspace> space = std::move(spaces_.back());
  spaces_.pop_back();
  return space;
}

void HttpThread::give(std::unique_ptr<Workspace> space) {
  space->begin = space->end = 0;
  give_buffer(*space);
  if (spaces_.size() >= kWorkspaces) return;
  if (space->out.capacity() > kKeptAnswer) space->out = std::string();
  spaces_.push_back(std::move(space));
}

void HttpThread::take_buffer(Workspace& space) {
  if (space.bytes) return;
  if (buffers_.empty()) {
    space.bytes = std::make_unique_for_overwrite<char[]>(buffer_size);
  } else {
    space.bytes = std::move(buffers_.back());
    buffers_.pop_back();
  }
}

void HttpThread::give_buffer(Workspace& space) {
  if (!space.bytes || space.begin != space.end) return;
  space.begin = space.end = 0;
  if (buffers_.size() < kWorkspaces) {
    buffers_.push_back(std::move(space.bytes));
  } else {
    space.bytes.reset();
  }
}

void HttpThread::stop() {
  for (HttpConnection& session : *sessions_) session.stop();
}

void start_session(ConnectionArgs start) {
  const IoExecutor executor = start.worker->executor;
  auto session = std::make_unique<HttpConnection>(std::move(start));
  spawn(executor, HttpConnection::run(std::move(session)));
}

HttpConnection::HttpConnection(ConnectionArgs start) : start_(std::move(start)) { events().connection_opened(); }

HttpConnection::~HttpConnection() {
  if (!state().abandoned.load(std::memory_order_relaxed)) events().connection_closed();
}

Task<void> HttpConnection::run(std::unique_ptr<HttpConnection> session) {
  try {
    HttpThread& worker = *session->start_.worker;
    session->connection_.emplace(worker.readiness, session->start_.socket.release());
    worker.sessions_->push_back(*session);
    co_await session->serve_all();
  } catch (const std::exception& exception) {
    log(LogLevel::error, "A connection ended by an exception", {{"error", std::string_view(exception.what())}});
  }
  if (session->space_) session->start_.worker->give(std::move(session->space_));
}

void HttpConnection::stop() {
  if (watching_) connection_->cancel();
  if (awaits_client_) {
    const steady_clock::time_point until = std::min(wait_until_, grace_end(state().stopped_at));
    start_.worker->deadlines.set(*this, until - steady_clock::now());
  }
  if (!idle_) return;
  // Its request may be on the way: a new connection gets a moment for it, a used one is looked at once more.
  if (answered_) {
    connection_->cancel();
  } else {
    start_.worker->deadlines.set(*this, kGrace);
  }
}

void HttpConnection::expire() {
  timed_out_ = true;
  connection_->cancel();
}

/// When the client's time is over if the server stopped at `stopped_at`.
steady_clock::time_point HttpConnection::grace_end(steady_clock::time_point stopped_at) const {
  return std::max(stopped_at, client_since_) + kStopGrace;
}

/// Waits at most for `limit`, and for the client at most as long as a stop allows. False with `timed_out_` if the time
/// is over.
Task<bool> HttpConnection::wait(Connection::Direction direction, steady_clock::duration limit) {
  timed_out_ = false;
  const steady_clock::time_point now = steady_clock::now();
  awaits_client_ = direction != Connection::Direction::neither;
  wait_until_ = now + limit;
  if (awaits_client_ && stopping()) wait_until_ = std::min(wait_until_, grace_end(state().stopped_at));
  if (wait_until_ <= now) {
    awaits_client_ = false;
    timed_out_ = true;
    co_return false;
  }
  start_.worker->deadlines.set(*this, wait_until_ - now);
  const bool ready = co_await connection_->ready(direction);
  awaits_client_ = false;
  cancel();
  co_return ready && !timed_out_;
}

HttpConnection::Received HttpConnection::receive() {
  Workspace& space = *space_;
  const std::size_t capacity = start_.worker->buffer_size;
  start_.worker->take_buffer(space);
  if (space.begin == space.end) space.begin = space.end = 0;
  if (space.end == capacity) {
    if (space.begin == 0) return Received::full;
    std::copy(space.bytes.get() + space.begin, space.bytes.get() + space.end, space.bytes.get());
    space.end -= space.begin;
    space.begin = 0;
  }
  const auto size = connection_->receive(space.bytes.get() + space.end, capacity - space.end);
  if (!size) return Received::end;
  space.end += *size;
  return *size > 0 ? Received::bytes : Received::nothing;
}

Task<HttpConnection::Received> HttpConnection::receive_more(std::chrono::milliseconds limit) {
  for (;;) {
    const Received received = receive();
    if (received != Received::nothing) co_return received;
    const steady_clock::duration until = left(limit);
    if (until <= steady_clock::duration::zero() || !co_await wait(Connection::Direction::in, until))
      co_return timed_out_ || until <= steady_clock::duration::zero() ? Received::timeout : Received::end;
  }
}

/// Sends of `bytes` what the connection takes now, which is removed. Whether the connection still takes some.
bool HttpConnection::send_now(std::string_view& bytes) {
  while (!bytes.empty()) {
    const auto sent = connection_->send(bytes);
    if (!sent) return false;
    if (*sent == 0) break;
    bytes.remove_prefix(*sent);
  }
  return true;
}

/// The same of all of them, at the client's pace.
Task<bool> HttpConnection::send(std::string_view bytes) {
  client_since_ = steady_clock::now();
  const steady_clock::time_point until = client_since_ + state().options.request_timeout;
  while (send_now(bytes)) {
    if (bytes.empty()) co_return true;
    if (!co_await wait(Connection::Direction::out, until - steady_clock::now())) co_return false;
  }
  co_return false;
}

/// Sends what `view` has, as it comes, until the viewer leaves or takes nothing for `request_timeout`, or the server
/// stops. It waits for nothing but the viewer, and holds nothing that others need.
Task<void> HttpConnection::watch(LiveView& view) {
  watching_ = true;
  const bool chunked = !request().http_1_0;
  std::string events;
  while (!stopping()) {
    events.clear();
    view.append(events, steady_clock::now());
    if (!events.empty()) {
      space_->out.clear();
      if (chunked) {
        char size[16];
        space_->out.append(size, std::to_chars(size, size + sizeof(size), events.size(), 16).ptr).append("\r\n");
      }
      space_->out += events;
      if (chunked) space_->out += "\r\n";
      if (!co_await send(space_->out)) co_return;
    }
    // A viewer has nothing to say: what there is to be read is the end.
    if (co_await wait(Connection::Direction::in, kLook) || !(timed_out_ || stopping())) co_return;
  }
  if (chunked) connection_->send(kLastChunk);
}

/// Lets the thread do what else there is to do: other connections, deadlines, accepting, deliveries.
Task<void> HttpConnection::give_way() {
  co_await suspend_with([this](ResumeHandle suspended) {
    boost::asio::post(start_.worker->executor, [suspended = std::move(suspended)]() mutable { suspended.resume(); });
  });
  served_in_a_row_ = 0;
  turn_begun_ = steady_clock::now();
}

Task<void> HttpConnection::linger() {
  if (!connection_->end_sending()) co_return;
  begun_ = client_since_ = steady_clock::now();
  Received received = Received::bytes;
  while (received == Received::bytes) {
    space_->begin = space_->end = 0;
    received = co_await receive_more(kLinger);
    if (left(kLinger) <= steady_clock::duration::zero()) break;
    // A client that sends without a pause must not keep the thread from others.
    if (steady_clock::now() - turn_begun_ >= kMaxTurn) co_await give_way();
  }
}

Task<void> HttpConnection::serve_all() {
  const HttpOptions& options = state().options;
  for (;;) {
    const bool waited = !space_;
    if (waited) {
      idle_ = true;
      timed_out_ = false;
      const std::chrono::milliseconds limit = answered_    ? options.keepalive_timeout + DeadlineTimers::kSweep
                                              : stopping() ? kGrace
                                                           : options.header_timeout;
      start_.worker->deadlines.set(*this, limit);
      // What there is to read decides, whatever ended the waiting.
      co_await connection_->ready(Connection::Direction::in);
      idle_ = false;
      cancel();
      space_ = start_.worker->take();
      const Received received = receive();
      if (received == Received::nothing && !timed_out_ && !(stopping() && answered_)) {
        start_.worker->give(std::move(space_));
        continue;
      }
      if (received != Received::bytes) co_return;
    }
    if (!co_await serve()) co_return;
    answered_ = true;
    const bool pipelined = !space_->unread().empty();
    if (!pipelined) start_.worker->give(std::move(space_));
    // A client that has always sent the next request already must not keep the thread from others.
    if (waited) turn_begun_ = begun_;
    if (++served_in_a_row_ >= kMaxInARow || (pipelined && begun_ - turn_begun_ >= kMaxTurn)) co_await give_way();
  }
}

Task<bool> HttpConnection::serve() {
  begun_ = client_since_ = steady_clock::now();
  expects_ = broken_ = false;
  chunks_.reset();
  remaining_ = 0;
  if (space_->unread().substr(0, 2) == "\r\n") space_->begin += 2;  // RFC 9112, section 2.2

  const HttpOptions& options = state().options;
  RequestParser parser(request(), options.max_header_size, options.max_header_count);
  std::size_t head = 0;
  std::optional<Response> answer;
  if (!parse_head(parser, head, answer)) answer = co_await read_head(parser, head);
  RequestContext context;
  context.received_at = std::chrono::system_clock::now();
  Target target;
  std::unique_ptr<HastyRequest> hasty;
  std::optional<LiveView> view;
  InflightReservation share(state().inflight);  // of the request, then of its reply
  if (answer) {
    if (answer->status == 0) co_return false;  // The client left.
    broken_ = true;
  } else {
    if (const auto length = parser.content_length()) remaining_ = *length;
    if (parser.chunked()) chunks_.emplace(nullptr, kMaxSkippedBody, options.max_header_size);
    const std::string_view expect = request().http_1_0 ? std::string_view() : request().expect();
    expects_ = !expect.empty() && body_left();
    if (!expect.empty() && !equals_ignoring_case(expect, "100-continue")) {
      // The client may send the body nevertheless: it is skipped like any other.
      expects_ = false;
      answer = bare(417, "expectation");
    } else if (start_.metrics) {
      answer = metrics_answer();
    } else {
      target = state().router.find(request().target());
      if (target.malformed) {
        answer = rejected(400, "The path has a % that is not followed by two hexadecimal digits.", "malformed_target",
                          request());
      } else {
        context.query = parse_query(target.query);
        const bool posted = target.route == Route::events && request().method == Method::post;
        const bool gets = request().method == Method::get || request().method == Method::head;
        const bool tested = target.route == Route::test_events && gets;
        const bool live = is_live(target.route);
        if (posted || tested) {
          context.headers = &request();
          context.find_header = Request::find_field;
          context.remote_address = start_.remote_address;
        }
        if (posted) {
          co_await post_events(context, share, hasty, answer);
        } else if (tested) {
          co_await process(options.test_events, context, share, hasty, answer);
        } else if (target.route == Route::live_schema && gets) {
          answer = co_await live_schema(context.query);
        } else if (live && route_takes(target.route, request().method)) {
          answer = state().live.answer(request(), target.route, context.query, start_.remote_address, stopping(), view);
        } else {
          answer = plain_answer(target, context.query);
          answer->own_origin_only = live;
        }
      }
    }
  }

  // An HTTP/1.0 client is told of the end of an empty answer by the end of the connection, as the original does.
  const bool close = !request().keep_alive || stopping() || broken_ || !worth_skipping() || view ||
                     (request().http_1_0 && answer->body.empty());
  if (!answer->cause.empty()) events().request_rejected(answer->cause);
  std::string& out = start_.worker->answer;
  out.clear();
  if (out.capacity() > kKeptAnswer) out = std::string();
  state().format.append(
      out, *answer,
      {close, request().method == Method::head, request().accept_encoding(), context.received_at, request().http_1_0});
  // The request is done with: what counts is the reply, which is sent even if there is no room for it. A short one that
  // the connection takes at once is not counted, so that a client that has its reply finds nothing in flight.
  answer->body = std::string();
  share.resize_anyway(out.size() > kKeptAnswer ? out.size() : 0);
  std::string_view unsent = out;
  bool sent = send_now(unsent);
  if (sent && !unsent.empty()) {
    share.resize_anyway(out.size());
    const std::size_t at = out.size() - unsent.size();
    std::swap(space_->out, out);
    sent = co_await send(std::string_view(space_->out).substr(at));
    if (space_->out.capacity() > kKeptAnswer) space_->out = std::string();
  }
  share.resize_anyway(0);

  if (!target.malformed && target.route != Route::unknown)
    events().request_answered(route_path(target.route), request().method_name(), answer->status,
                              steady_clock::now() - begun_);
  if (hasty) spawn(start_.worker->executor, state().services.gate.process_hasty(std::move(hasty)));

  if (!sent) co_return false;
  if (view) {
    co_await watch(*view);
    co_return false;
  }
  if (close) {
    // A client that a stop has waited for in vain is not waited for again.
    const bool waited_for = answer->cause == kStopping;
    if (!waited_for && (body_left() || broken_ || !space_->unread().empty() || connection_->has_bytes()))
      co_await linger();
    co_return false;
  }
  if (!body_left()) co_return true;
  co_return co_await skip_body();
}

/// Parses what is there of the head; `head` counts its bytes. Whether it is whole, or `refusal` answers it.
bool HttpConnection::parse_head(RequestParser& parser, std::size_t& head, std::optional<Response>& refusal) {
  const HttpOptions& options = state().options;
  const std::string_view unread = space_->unread();
  if (unread.empty()) return false;
  error_code error;
  const std::size_t used = parser.parse(unread, error);
  space_->begin += used;
  head += used;
  if (!error && parser.is_header_done()) {
    refusal = contradiction(parser, head);
    return true;
  }
  if (error && error != http_error::error::need_more) {
    refusal = error == http_error::error::header_limit ? bare(431, "headers_too_large") : bare(400, "malformed_http");
  } else if (head + space_->unread().size() > options.max_header_size) {
    refusal = bare(431, "headers_too_large");
  } else if (head == 0 ? is_malformed_start(space_->unread()) : has_malformed_field(space_->unread())) {
    refusal = bare(400, "malformed_http");
  }
  return refusal.has_value();
}

/// The same once what is there is not all. Nothing: the head is there. An answer with status 0: there is nobody to
/// answer.
Task<std::optional<Response>> HttpConnection::read_head(RequestParser& parser, std::size_t head) {
  const HttpOptions& options = state().options;
  for (;;) {
    switch (co_await receive_more(options.header_timeout)) {
      case Received::bytes:
        break;
      case Received::full:
        co_return bare(431, "headers_too_large");
      case Received::timeout:
        if (stopping()) co_return server_stops();
        co_return rejected(408,
                           "The headers did not come in time: expected them within " +
                               std::to_string(options.header_timeout.count()) + " ms.",
                           "timeout", request());
      case Received::nothing:
      case Received::end: {
        const bool begun = head > 0 || !space_->unread().empty();
        co_return begun ? bare(400, "malformed_http") : bare(0, {});
      }
    }
    std::optional<Response> refusal;
    if (parse_head(parser, head, refusal)) co_return refusal;
  }
}

/// The answer to a head that Beast takes and that is refused all the same: what it says can be read in two ways, or is
/// too long.
std::optional<Response> HttpConnection::contradiction(const RequestParser& parser, std::size_t head) const {
  const Request& request = this->request();
  if (head > state().options.max_header_size) return bare(431, "headers_too_large");
  if (request.hosts > 1 || (request.hosts == 0 && !request.http_1_0) || request.bad_host)
    return bare(400, "malformed_http");
  if (request.content_lengths > 1 || request.content_length().find(',') != std::string_view::npos)
    return bare(400, "malformed_http");
  if (request.transfer_encodings > 0) {
    if (request.http_1_0 || request.content_lengths > 0 || request.coding_after_chunked)
      return bare(400, "malformed_http");
    if (request.transfer_encodings > 1 || !equals_ignoring_case(request.transfer_encoding(), "chunked"))
      return rejected(501, "Transfer-Encoding has to be `chunked`, or absent.", "transfer_encoding", request);
    if (!parser.chunked()) return bare(400, "malformed_http");
  }
  if (request.unknown_method)
    return rejected(501, "The method is not known. Expected GET, HEAD, POST or OPTIONS.", "unknown_method", request);
  return std::nullopt;
}

Response HttpConnection::metrics_answer() const {
  const std::string_view target = request().target();
  if (target.substr(0, target.find('?')) != "/metrics")
    return problem(404, "Nothing is at this path. Expected /metrics.", request());
  if (request().method != Method::get && request().method != Method::head) {
    Response response = problem(405, "Expected GET.", request());
    response.fields = "allow: GET,HEAD\r\n";
    return response;
  }
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = state().services.metrics.text();
  return response;
}

/// The document of a schema. It is waited for as long as the connection and the server last, and for `request_timeout`.
Task<Response> HttpConnection::live_schema(const Query& query) {
  std::string schema_uri;
  if (auto refused = state().live.schema_refusal(request(), query, start_.remote_address, schema_uri))
    co_return *std::move(refused);
  struct Awaited {
    std::optional<SchemaText> text;
    Connection* connection;  // null: nobody waits any more
  };
  const auto awaited = std::make_shared<Awaited>(Awaited{std::nullopt, &*connection_});
  const IoExecutor executor = start_.worker->executor;
  const auto reading = state().services.schemas->begin_dereferencing(schema_uri, [awaited, executor](SchemaText text) {
    boost::asio::post(executor, [awaited, text = std::move(text)]() mutable {
      awaited->text = std::move(text);
      if (awaited->connection) awaited->connection->cancel();
    });
  });
  const steady_clock::time_point until = steady_clock::now() + state().options.request_timeout;
  watching_ = true;
  bool connected = reading == SchemaRepository::Reading::begun;
  while (connected && !awaited->text && !stopping() && steady_clock::now() < until)
    connected = !co_await wait(Connection::Direction::neither, until - steady_clock::now());
  watching_ = false;
  awaited->connection = nullptr;
  co_return LiveHandler::schema_answer(request(), schema_uri, reading, std::move(awaited->text), stopping());
}

Response HttpConnection::plain_answer(const Target& target, const Query& query) const {
  const std::string allow(route_allow(target.route));
  if (target.route != Route::unknown && request().method == Method::options) {
    Response response;
    response.fields = "allow: " + allow + "\r\n";
    response.content_type = kHtmlType;
    response.body = allow;
    return response;
  }
  if (target.route == Route::unknown && request().method_name() == "CONNECT") {
    Response response = problem(405, "This is no proxy. /?spec lists what there is.", request());
    response.fields = "allow: GET,HEAD,POST,OPTIONS\r\n";
    return response;
  }
  if (target.route != Route::unknown && !route_takes(target.route, request().method)) {
    Response response = problem(405, "Expected " + allow + ".", request());
    response.fields = "allow: " + allow + "\r\n";
    return response;
  }
  return state().info.answer(request(), target, query, stopping());
}

Response HttpConnection::body_too_large() const {
  return rejected(413, body_too_large_text(state().options.max_body_size), "body_too_large", request());
}

Response HttpConnection::too_much_in_flight() const {
  Response response =
      rejected(503,
               "More requests are being worked on than fit in " + std::to_string(state().options.max_inflight_bytes) +
                   " bytes (max_inflight_bytes). Send it again later.",
               "inflight_bytes", request());
  response.fields = "retry-after: 1\r\n";
  return response;
}

Response HttpConnection::no_room(const std::string& reason) const {
  Response response = rejected(503, reason + ". Send it again later.", "no_room", request());
  response.fields = "retry-after: 1\r\n";
  return response;
}

/// The answer to a request that is not there in full when the server stops.
Response HttpConnection::server_stops() const {
  Response response =
      rejected(503, "The service is stopping, and the request was not there in full. Send it again later.", kStopping,
               request());
  response.fields = "retry-after: 1\r\n";
  return response;
}

/// The answer to a body that `received` ended before its time.
Response HttpConnection::body_cut(Received received) {
  broken_ = true;
  if (received != Received::timeout) return bare(400, "malformed_http");
  if (stopping()) return server_stops();
  return rejected(408,
                  "The body did not come in time: expected it within " +
                      std::to_string(state().options.request_timeout.count()) + " ms.",
                  "timeout", request());
}

/// The answer to a body whose Content-Type is not read. Its phrase is the original's.
Response HttpConnection::unread_content_type() const {
  constexpr std::size_t kMaxQuoted = 100;  // bytes of the client's text
  const std::string_view came = request().content_type();
  const std::string what = came.empty() ? std::string("There is no Content-Type, and the body does not begin as JSON")
                                        : "Content-Type is " + json_string(came.substr(0, kMaxQuoted));
  Response response = rejected(400, what + ": expected application/json, text/plain or application/reports+json.",
                               "content_type", request());
  response.reason = kEmptyBody;
  return response;
}

/// Why the body of events is not to be read, or nothing.
std::optional<Response> HttpConnection::unwanted_body(MediaType type, std::optional<ContentCoding> coding) const {
  if (!body_left()) return empty_answer();
  if (type == MediaType::other && !request().content_type().empty()) return unread_content_type();
  if (type == MediaType::not_utf8)
    return rejected(415, "The charset of Content-Type has to be utf-8 or us-ascii, or absent.",
                    "unsupported_media_type", request());
  if (!coding || request().content_encodings > 1)
    return rejected(415, "Content-Encoding has to be gzip, deflate, zstd or identity, or absent.",
                    "unsupported_media_type", request());
  if (remaining_ > state().options.max_body_size) return body_too_large();
  return std::nullopt;
}

Task<void> HttpConnection::post_events(RequestContext& context, InflightReservation& share,
                                       std::unique_ptr<HastyRequest>& hasty, std::optional<Response>& answer) {
  const std::optional<ContentCoding> coding = content_coding(request().content_encoding());
  answer = unwanted_body(media_type(request().content_type()), coding);
  if (answer) co_return;
  if (expects_) {
    expects_ = false;
    if (!co_await send("HTTP/1.1 100 Continue\r\n\r\n")) {
      broken_ = true;
      answer = empty_answer();
      co_return;
    }
  }

  std::string body;
  take_body(body);
  if (body_left()) answer = co_await read_body(body, share);
  if (answer) co_return;
  events().body_received(body.size());
  if (*coding != ContentCoding::identity && !body.empty()) answer = decode(*coding, body);
  if (!answer && !share.resize(inflight_weight(body.size(), 0))) answer = too_much_in_flight();
  if (!answer && request().content_type().empty() && !begins_as_json(body)) answer = unread_content_type();
  if (answer) co_return;
  start_.worker->give_buffer(*space_);
  co_await process(std::move(body), context, share, hasty, answer);
}

/// Moves to `body` what is there of one with a Content-Length.
void HttpConnection::take_body(std::string& body) {
  if (chunks_) return;
  body.reserve(remaining_ + kJsonPadding);
  const std::string_view here = space_->unread().substr(0, remaining_);
  body += here;
  space_->begin += here.size();
  remaining_ -= here.size();
}

/// Reads what is left of the body.
Task<std::optional<Response>> HttpConnection::read_body(std::string& body, InflightReservation& share) {
  const HttpOptions& options = state().options;
  if (chunks_) {
    chunks_.emplace(&body, options.max_body_size, options.max_header_size);
    for (;;) {
      space_->begin += chunks_->decode(space_->unread());
      switch (chunks_->state()) {
        case ChunkedBody::State::complete:
          chunks_.reset();
          co_return std::nullopt;
        case ChunkedBody::State::malformed:
          broken_ = true;
          co_return bare(400, "malformed_http");
        case ChunkedBody::State::too_large:
          broken_ = true;
          co_return body_too_large();
        case ChunkedBody::State::incomplete:
          break;
      }
      if (!share.resize(inflight_weight(body.size(), 0))) {
        broken_ = true;
        co_return too_much_in_flight();
      }
      const Received received = co_await receive_more(options.request_timeout);
      if (received != Received::bytes) co_return body_cut(received);
    }
  }

  std::size_t size = body.size();  // Of what is read. There may be room behind it, which is cleared once only.
  while (remaining_ > 0) {
    if (!share.resize(inflight_weight(size, 0))) co_return too_much_in_flight();
    if (body.size() == size) body.resize(size + std::min<std::size_t>(remaining_, kPiece));
    const auto read = connection_->receive(body.data() + size, body.size() - size);
    if (!read) co_return body_cut(Received::end);
    size += *read;
    remaining_ -= *read;
    if (*read > 0) continue;
    const steady_clock::duration until = left(options.request_timeout);
    if (until <= steady_clock::duration::zero() || !co_await wait(Connection::Direction::in, until))
      co_return body_cut(timed_out_ || until <= steady_clock::duration::zero() ? Received::timeout : Received::end);
  }
  co_return std::nullopt;
}

std::optional<Response> HttpConnection::decode(ContentCoding coding, std::string& body) const {
  std::string decoded;
  const std::optional<DecodeError> error = decode_body(coding, body, state().options.max_body_size, decoded);
  if (!error) {
    body = std::move(decoded);
    return std::nullopt;
  }
  switch (*error) {
    case DecodeError::too_large:
      return body_too_large();
    case DecodeError::malformed:
      return rejected(400, "The body is not in the Content-Encoding it names, or is cut off.", "malformed_encoding",
                      request());
  }
  return std::nullopt;
}

/// `context` is moved from if it goes on in `hasty`, but for its time.
Task<void> HttpConnection::process(std::string body, RequestContext& context, InflightReservation& share,
                                   std::unique_ptr<HastyRequest>& hasty, std::optional<Response>& answer) {
  EventGate& gate = state().services.gate;
  Processing processing(start_.state);
  const std::size_t size = body.size();
  ParsedBody intake = parse_body(std::move(body), state().options, gate, context, start_.worker->executor);
  if (intake.refusal) {
    answer = rejected(intake.refusal->status, intake.refusal->detail, intake.refusal->cause, request());
  } else if (!intake.batch) {
    answer = empty_answer();
  } else if (state().services.overload_reason) {
    if (const std::optional<std::string> reason = state().services.overload_reason()) answer = no_room(*reason);
  }
  if (!answer && !share.resize(request_weight(size, intake.batch->size(), context))) answer = too_much_in_flight();
  if (answer) co_return;
  if (is_hasty(context)) {
    answer = hasty_answer(intake.batch->size());
    hasty = std::make_unique<HastyWork>(std::move(*intake.batch), std::move(context), request());
    hasty->held =
        std::make_shared<HastyHold>(HastyHold{start_.drain, start_.state, std::move(share), std::move(processing)});
    co_return;
  }
  const ProcessResult result = co_await gate.process(std::move(*intake.batch), context);
  if (result.no_room == result.event_count) {
    answer = no_room(result.error.front().message);
    co_return;
  }
  answer = processed_answer(result);
  if (state().options.tell_durability && result.produced() > 0)
    answer->fields += result.spooled > 0 ? "x-eventgate-durability: disk\r\n" : "x-eventgate-durability: kafka\r\n";
}

Task<bool> HttpConnection::skip_body() {
  const std::chrono::milliseconds limit = state().options.request_timeout;
  for (;;) {
    const std::string_view unread = space_->unread();
    if (chunks_) {
      space_->begin += chunks_->decode(unread);
      if (chunks_->state() == ChunkedBody::State::complete) co_return true;
      if (chunks_->state() != ChunkedBody::State::incomplete) co_return false;
    } else {
      const std::size_t used = std::min<std::uint64_t>(unread.size(), remaining_);
      space_->begin += used;
      remaining_ -= used;
      if (remaining_ == 0) co_return true;
    }
    if (co_await receive_more(limit) != Received::bytes) co_return false;
  }
}

}  // namespace eventgate
