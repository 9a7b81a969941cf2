#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "eventgate/io/epoll_reactor.hpp"
#include "eventgate/io/task.hpp"

namespace eventgate {

/// A connected stream socket of an I/O thread, whose waits cost no system call (EpollReactor).
///
/// Use on one I/O thread.
class ConnectionSocket final : public EpollEntry {
 public:
  enum class Direction : std::uint8_t {
    in,
    out,
    neither,  ///< Only the reset of the connection ends the wait.
  };

  /// Takes ownership of `socket`, which is nonblocking. Throws std::system_error if epoll does not take it.
  ConnectionSocket(EpollReactor& reactor, int socket) : EpollEntry(reactor, socket) {}
  ~ConnectionSocket() override = default;

  /// Receives up to `size` bytes, which is not 0. Returns their number, or 0 if there are none now. Returns nullopt if
  /// none will come any more.
  std::optional<std::size_t> receive(char* bytes, std::size_t size);

  /// Sends `bytes`, which are not empty. Returns how many the kernel took, or 0 if it takes none now. Returns nullopt
  /// if it will not take any more.
  std::optional<std::size_t> send(std::string_view bytes);

  /// Returns true if there are bytes to receive now.
  bool has_bytes() const;

  /// Returns the descriptor, which is the caller's from now on. Only the destructor may be called after it.
  int release() { return release_descriptor(); }

  /// Tells the client that nothing more is sent. Returns false if the client is gone.
  bool end_sending();

  /// The awaitable that `ready` returns.
  struct Ready {
    bool await_ready() const noexcept { return socket.consume_readiness(direction); }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) const {
      socket.suspend_until(direction, ResumeHandle(coroutine));
    }
    bool await_resume() const noexcept { return !socket.cancelled(); }
    ConnectionSocket& socket;
    Direction direction;
  };

  /// Waits until `receive` or `send` can do something. One coroutine at a time may await it. The result is false if the
  /// wait was cancelled.
  Ready ready(Direction direction) { return {*this, direction}; }

 private:
  bool note_events(std::uint32_t events) noexcept override;
  bool consume_readiness(Direction direction) noexcept;
  void suspend_until(Direction direction, ResumeHandle coroutine) noexcept;

  bool readable_ = false;                // there may be bytes to receive
  bool writable_ = false;                // there may be room to send
  bool ended_ = false;                   // no more bytes come
  bool broken_ = false;                  // the connection is reset
  Direction direction_ = Direction::in;  // of the waiting coroutine
};

}  // namespace eventgate
