#pragma once

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/system/result.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "eventgate/http/query.hpp"
#include "eventgate/http/request.hpp"
#include "eventgate/http/response.hpp"
#include "eventgate/io/inflight_bytes.hpp"
#include "eventgate/io/task.hpp"

// One request while an endpoint handles it. An endpoint that reads a body and answers:
//
//     Task<Reply> Echo::handle(Exchange& exchange) {
//       BodyResult body = co_await exchange.read_body();
//       if (body.has_error()) co_return std::move(body).error();
//       Response response;
//       response.content_type = kTextType;
//       response.body = *std::move(body);
//       co_return response;
//     }
//
// An endpoint that streams calls `begin_stream`, then `stream` and `wait` in turn, and returns `Reply::streamed()`.

namespace eventgate {

/// A decoded body, or the response to send instead.
using BodyResult = boost::system::result<std::string, Response>;

/// Work that the server waits for when it stops. While it lives, `HttpServer::processing` counts it.
///
/// Use from one thread at a time.
class ServerWork {
 public:
  /// Adds one to `counter` until the destructor runs. `keep_alive` is released after that.
  ServerWork(std::shared_ptr<std::atomic<std::size_t>> counter, std::shared_ptr<const void> keep_alive)
      : keep_alive_(std::move(keep_alive)), counter_(std::move(counter)) {
    counter_->fetch_add(1, std::memory_order_relaxed);
  }
  ServerWork(ServerWork&& other) noexcept = default;
  ServerWork& operator=(ServerWork&&) = delete;
  ~ServerWork() {
    if (counter_) counter_->fetch_sub(1, std::memory_order_release);
  }

 private:
  std::shared_ptr<const void> keep_alive_;
  std::shared_ptr<std::atomic<std::size_t>> counter_;
};

/// Ends the `wait` of an exchange from another thread.
///
/// Thread-safe.
class Waker {
 public:
  /// The state that an exchange shares with its wakers. Use on the exchange's I/O thread.
  struct State {
    std::function<void()> end_wait;  ///< Empty: the exchange has ended.
    bool woken = false;              ///< The next `wait` returns at once.
  };

  Waker(IoExecutor executor, std::shared_ptr<State> state) : executor_(std::move(executor)), state_(std::move(state)) {}

  /// Posts `function` to the exchange's I/O thread, and ends the current or the next `wait` after it. Does nothing if
  /// the exchange has ended by then, so `function` may refer to locals of the endpoint's task.
  template <typename Function>
  void wake(Function function) const {
    boost::asio::post(executor_, [state = state_, function = std::move(function)]() mutable {
      if (!state->end_wait) return;
      function();
      state->woken = true;
      state->end_wait();
    });
  }

 private:
  IoExecutor executor_;
  std::shared_ptr<State> state_;
};

/// One request while an endpoint handles it. It is valid until the endpoint's task ends.
///
/// Use on one I/O thread.
class Exchange {
 public:
  /// The reason why `wait` returned.
  enum class Wake : std::uint8_t {
    timeout,      ///< The time is over.
    woken,        ///< A `Waker` ended the wait.
    client_left,  ///< The connection broke, or the client of a stream has ended it. No response reaches the client.
    stopping,     ///< The server is stopping: answer soon.
  };

  virtual ~Exchange() = default;

  virtual const Request& request() const = 0;
  virtual const Query& query() const = 0;

  /// The decoded last segment of the path, if the route's path ends with `/{...}`; else empty.
  virtual const std::string& path_parameter() const = 0;

  /// The address of the socket's other end, without the port.
  virtual const std::string& remote_address() const = 0;

  virtual std::chrono::system_clock::time_point received_at() const = 0;
  virtual const IoExecutor& executor() const = 0;

  /// True if the server is stopping.
  virtual bool stopping() const = 0;

  /// True if the request has a body that is not read yet.
  virtual bool has_body() const = 0;

  /// Reads the body and decodes its Content-Encoding. Call it at most once. The text has room for `kJsonPadding` more
  /// bytes. Fails with a response if the body is too large, malformed or late, if its coding is not known, or if
  /// `max_inflight_bytes` is reached. The body counts as `inflight_weight(size, 0)` from then on.
  virtual Task<BodyResult> read_body() = 0;

  /// Sets the bytes in flight of this request. Returns the 503 response to send if they exceed `max_inflight_bytes`.
  virtual std::optional<Response> reserve(std::size_t bytes) = 0;

  /// Moves the bytes in flight of this request to work that continues after the reply.
  virtual InflightReservation take_reservation() = 0;

  /// Begins work that the server waits for when it stops.
  virtual ServerWork begin_work() = 0;

  /// Sends the headers of `head`, which must have `streaming` set. Returns false if the client has left.
  virtual Task<bool> begin_stream(Response head) = 0;

  /// Sends one part of the body at the client's pace. Returns false if the client has left, does not read for
  /// `request_timeout`, or if the server stops. `chunk` must outlive the task, and must not be empty.
  virtual Task<bool> stream(std::string_view chunk) = 0;

  /// Waits for at most `limit`. Returns `stopping` at once if the server is stopping.
  virtual Task<Wake> wait(std::chrono::steady_clock::duration limit) = 0;

  /// Returns a waker for `wait`.
  virtual Waker waker() = 0;
};

}  // namespace eventgate
