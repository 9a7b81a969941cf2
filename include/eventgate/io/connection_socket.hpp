#pragma once

#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/intrusive/list.hpp>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "eventgate/io/task.hpp"

namespace eventgate {

class EpollReactor;

/// A connected socket of an I/O thread. The kernel is told of it once, so that waiting for it costs no system call, as
/// each wait for one of Asio's does.
///
/// One strand: the I/O thread.
class Connection : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  enum class Direction : std::uint8_t {
    in,
    out,
    neither,  ///< Only that the connection broke, by a reset.
  };

  /// Takes over `socket`, which is nonblocking. Throws std::system_error if the kernel does not watch it.
  Connection(EpollReactor& readiness, int socket);
  Connection(const Connection&) = delete;
  /// Closes it.
  ~Connection();

  /// How many bytes came, up to `size`, which is not 0. 0: there are none now. Nothing: none will come any more.
  std::optional<std::size_t> receive(char* bytes, std::size_t size);

  /// How many of `bytes`, which are not empty, were taken. 0: none are taken now. Nothing: none will be any more.
  std::optional<std::size_t> send(std::string_view bytes);

  /// Whether there are bytes to receive now.
  bool has_bytes() const;

  /// Tells the other end that nothing more is sent. False: it is gone.
  bool end_sending();

  struct Ready {
    bool await_ready() const noexcept { return connection.take_ready(direction); }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) const {
      connection.wait(direction, ResumeHandle(coroutine));
    }
    bool await_resume() const noexcept { return !connection.cancelled_; }
    Connection& connection;
    Direction direction;
  };

  /// To be awaited by one at a time: that `receive` or `send` has something to say. False: it was cancelled.
  Ready ready(Direction direction) { return {*this, direction}; }

  /// Whoever waits goes on from the context's queue.
  void cancel();

 private:
  friend class EpollReactor;

  bool take_ready(Direction direction) noexcept;
  void wait(Direction direction, ResumeHandle coroutine) noexcept;
  /// Whether whoever waits is to go on.
  bool note(std::uint32_t events) noexcept;

  EpollReactor& readiness_;
  const int socket_;
  bool in_ = false;      // there may be something to receive
  bool out_ = false;     // there may be room to send
  bool ended_ = false;   // nothing more comes
  bool broken_ = false;  // and nothing more is taken
  bool watched_out_ = false;
  bool cancelled_ = false;
  Direction direction_ = Direction::in;  // of the one who waits
  std::optional<ResumeHandle> waiter_;
};

/// The connections of one I/O thread behind one epoll, of which each change is told once (edge-triggered). Asio waits
/// for that epoll. Use it as `boost::asio::use_service<EpollReactor>(context)` and keep the reference.
///
/// One strand: the I/O thread that runs the context.
class EpollReactor : public boost::asio::execution_context::service {
 public:
  static inline boost::asio::execution_context::id id;

  /// Throws std::system_error if the kernel has none.
  explicit EpollReactor(boost::asio::execution_context& context);

 private:
  friend class Connection;

  void shutdown() noexcept override;
  void arm();
  void look();
  void post_due();
  void resume_due();

  using List = boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>>;
  boost::asio::posix::basic_stream_descriptor<IoExecutor> epoll_;
  List waiting_;
  List due_;  // to go on
  std::size_t connections_ = 0;
  bool armed_ = false;
};

}  // namespace eventgate
