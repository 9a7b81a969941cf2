#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace eventgate {

/// The listening socket that systemd hands to this process (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS), or nothing. One
/// meant for another process is a warning. Takes the variables out of the environment, which no other thread may read.
/// Throws std::runtime_error that says what is wrong: more than one, or no listening TCP socket.
std::optional<int> inherited_socket();

/// What the service manager is told about.
struct Watched {
  std::function<std::optional<std::string>()> not_ready_reason;  ///< Why it cannot serve, or nothing.
  std::function<std::vector<std::string>()> stale;               ///< What serves although it is old.
  std::function<void(std::function<void()>)> turn;  ///< Calls its argument once every I/O thread came round.
};

/// Tells systemd how the process does (sd_notify(3)). Where none listens (NOTIFY_SOCKET) nothing is done.
///
/// Thread-safe. It has a thread of its own while it watches.
class ServiceManager {
 public:
  /// `startup_timeout` counts from here.
  explicit ServiceManager(std::chrono::milliseconds startup_timeout);
  ~ServiceManager();

  /// STATUS=.
  void status(const std::string& text);

  /// From now on: READY once `watched` is ready or `startup_timeout` is over, STATUS with what is missing, WATCHDOG as
  /// often as wanted (WATCHDOG_USEC) while its I/O threads turn over. Once. `watched` must work as long as this lives.
  void watch(Watched watched);

  /// RELOADING, and READY when that is over; `refused` says why nothing changed, if so.
  void reloading();
  void reloaded(const std::optional<std::string>& refused);

  /// STOPPING; READY does not come after it.
  void stopping();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace eventgate
