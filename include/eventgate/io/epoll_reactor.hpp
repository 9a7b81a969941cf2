#pragma once

#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "eventgate/io/task.hpp"

// One epoll for all client sockets of an I/O thread, below Asio. The kernel gets each socket once, so a wait costs no
// system call; every wait for a socket of Asio's costs one.

namespace eventgate {

class EpollReactor;

/// A file descriptor in an EpollReactor, and the coroutine that waits for it.
///
/// Use on one I/O thread.
class EpollEntry : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  EpollEntry(const EpollEntry&) = delete;
  EpollEntry& operator=(const EpollEntry&) = delete;

  /// Resumes the waiting coroutine from the context's queue, with `cancelled`. Does nothing if none waits.
  void cancel();

 protected:
  /// Adds `descriptor`, and closes it if that fails. Throws std::system_error in that case.
  EpollEntry(EpollReactor& reactor, int descriptor);

  /// Closes the descriptor.
  virtual ~EpollEntry();

  /// Notes `events` (EPOLLIN and others). Each is reported once (edge-triggered). Returns true if a coroutine waits,
  /// and has what it waits for.
  virtual bool note_events(std::uint32_t events) noexcept = 0;

  int descriptor() const { return descriptor_; }
  /// Takes the descriptor out of epoll, and returns it without closing it.
  int release_descriptor();
  bool cancelled() const { return cancelled_; }
  /// True if a coroutine waits whose wait is not cancelled.
  bool is_waiting() const { return waiter_ && !cancelled_; }
  void clear_cancelled() { cancelled_ = false; }
  void suspend(ResumeHandle coroutine) noexcept;

  /// Reports EPOLLOUT, too, from now on. It is not reported before, because most sockets never fill up.
  void watch_output() noexcept;

 private:
  friend class EpollReactor;

  EpollReactor& reactor_;
  int descriptor_;  // -1: released
  bool watches_output_ = false;
  bool cancelled_ = false;
  std::optional<ResumeHandle> waiter_;
};

/// The epoll of one I/O thread. Asio waits until epoll has events. Use it as
/// `boost::asio::use_service<EpollReactor>(context)` and keep the reference.
///
/// Use on one I/O thread: the thread that runs the context.
class EpollReactor : public boost::asio::execution_context::service {
 public:
  static inline boost::asio::execution_context::id id;

  /// Throws std::system_error if the kernel has no epoll left.
  explicit EpollReactor(boost::asio::execution_context& context);

 private:
  friend class EpollEntry;

  void shutdown() noexcept override;
  void wait_for_events();
  void dispatch_events();
  void resume_ready();

  using List = boost::intrusive::list<EpollEntry, boost::intrusive::constant_time_size<false>>;
  boost::asio::posix::basic_stream_descriptor<IoExecutor> epoll_;
  List waiting_;
  List ready_;  // waiting coroutines that `resume_ready` resumes
  std::size_t entries_ = 0;
  bool waits_ = false;  // Asio waits for epoll
};

}  // namespace eventgate
