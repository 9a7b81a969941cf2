#pragma once

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>

namespace eventgate {

/// A function that is called at a time, unless it is cancelled before. The destructor cancels it.
///
/// Use on one I/O thread: that of the DeadlineTimers.
class Deadline : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual ~Deadline() = default;

  /// Called once, at the time set or up to `DeadlineTimers::kSweep` before it. May destroy this.
  virtual void expire() = 0;

  void cancel() { unlink(); }

 private:
  friend class DeadlineTimers;
  std::chrono::steady_clock::time_point when_;
};

/// All deadlines of one I/O thread behind a single timer of Asio. To set or to cancel a deadline is two pointer writes.
/// Use it as `boost::asio::use_service<DeadlineTimers>(context)` and keep the reference.
///
/// Use on one I/O thread: the thread that runs the context.
class DeadlineTimers : public boost::asio::execution_context::service {
 public:
  /// The time between two sweeps. A deadline expires up to this early, because no timeout needs to be more precise.
  static constexpr std::chrono::milliseconds kSweep{100};

  static inline boost::asio::execution_context::id id;

  explicit DeadlineTimers(boost::asio::execution_context& context);

  /// Sets `deadline`, or sets it anew. It must outlive this, or be destroyed before it expires.
  void set(Deadline& deadline, std::chrono::steady_clock::duration from_now);

 private:
  void shutdown() noexcept override;
  void arm();
  void sweep();

  using List = boost::intrusive::list<Deadline, boost::intrusive::constant_time_size<false>>;
  List deadlines_;
  boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                    boost::asio::io_context::executor_type>
      timer_;
  bool armed_ = false;
};

}  // namespace eventgate
