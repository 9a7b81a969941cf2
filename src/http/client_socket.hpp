#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "eventgate/io/connection_socket.hpp"
#include "eventgate/io/deadline_timers.hpp"
#include "eventgate/io/task.hpp"
#include "http_thread.hpp"
#include "server_context.hpp"

namespace eventgate {

/// The socket of one client with its receive buffer and its timeouts. It stands between the kernel and the readers of
/// heads and bodies: each `receive` appends to `buffers().unread()`.
///
/// When the server stops, a client that is waited for has 2 s from the stop, or from the start of the request or
/// response if that is later.
///
/// Use on one I/O thread.
class ClientSocket final : public Deadline {
 public:
  using Direction = ConnectionSocket::Direction;
  using Clock = std::chrono::steady_clock;

  enum class Received : std::uint8_t {
    bytes,
    nothing,  ///< There are none now.
    full,     ///< The buffer has no room.
    end,      ///< The client sends no more, or is gone.
    timeout,
  };

  /// Both must outlive this.
  ClientSocket(HttpThread& thread, const ServerContext& server) : thread_(thread), server_(server) {}

  /// Takes ownership of the connected, nonblocking `socket`. Throws std::system_error if epoll does not take it.
  void open(int socket) { socket_.emplace(thread_.reactor, socket); }

  HttpThread& thread() const { return thread_; }
  ConnectionSocket& raw() { return *socket_; }

  bool has_buffers() const { return buffers_ != nullptr; }
  ConnectionBuffers& buffers() const { return *buffers_; }
  void acquire_buffers() { buffers_ = thread_.acquire_buffers(); }
  void release_buffers() { thread_.release_buffers(std::move(buffers_)); }

  /// Removes the first `size` unread bytes.
  void consume(std::size_t size) const { buffers_->begin += size; }

  /// A request, a response or lingering begins now: `time_left` and the time that a stop allows count from here.
  void start_request() { request_start_ = client_since_ = Clock::now(); }
  Clock::time_point request_start() const { return request_start_; }
  Clock::duration time_left(std::chrono::milliseconds limit) const { return limit - (Clock::now() - request_start_); }

  /// Receives what there is, without waiting.
  Received receive();

  /// Receives at least one byte, until `limit` after the start of the request.
  Task<Received> receive_more(std::chrono::milliseconds limit);

  /// Waits until the socket is ready, at most for `limit`. Returns false if it was cancelled, or with `timed_out` if
  /// the time is over.
  Task<bool> wait(Direction direction, Clock::duration limit);

  /// True if the last wait ended because its time was over.
  bool timed_out() const { return timed_out_; }

  /// Sends what the kernel takes now, and removes it from `bytes`. Returns false if the client is gone.
  bool send_now(std::string_view& bytes);

  /// Sends all of `bytes` within `request_timeout`. Returns false if the client is gone or too slow.
  Task<bool> send(std::string_view bytes);

  /// A wait that the caller makes with `raw().ready` and ends with `end_wait`. It costs no coroutine.
  void begin_wait(Clock::duration limit) {
    timed_out_ = false;
    thread_.deadlines.set(*this, limit);
  }
  void end_wait() { Deadline::cancel(); }

  /// Ends the current wait as if it had been cancelled.
  void cancel_wait() { socket_->cancel(); }

  /// The server stops: shortens the wait for the client.
  void stop();

  /// Ends the current wait with `timed_out`.
  void expire() override;

 private:
  Clock::time_point grace_end(Clock::time_point stopped_at) const;
  bool stopping() const { return server_.stopping.load(std::memory_order_relaxed); }

  HttpThread& thread_;
  const ServerContext& server_;
  std::unique_ptr<ConnectionBuffers> buffers_;
  std::optional<ConnectionSocket> socket_;
  bool timed_out_ = false;
  bool awaits_client_ = false;      // it waits for the client to send or to read
  Clock::time_point wait_until_;    // the end of that wait
  Clock::time_point client_since_;  // the last start_request, or the start of the response
  Clock::time_point request_start_;
};

}  // namespace eventgate
