#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace eventgate {

/// Returns the listening socket that systemd passes to this process, or nullopt (sd_listen_fds(3): LISTEN_PID,
/// LISTEN_FDS). Warns of a socket for another process. Removes the variables from the environment; no other thread may
/// read it meanwhile. Throws std::runtime_error if there is more than one socket, or if it does not listen for TCP.
std::optional<int> inherited_socket();

/// How the service manager learns the state of the service.
struct Watched {
  std::function<std::optional<std::string>()> not_ready_reason;  ///< Returns why the gate cannot produce, or nullopt.
  std::function<std::vector<std::string>()> stale;  ///< Returns what serves although it could not be refreshed.
  std::function<void(std::function<void()>)> turn;  ///< Calls its argument once each I/O thread has run a task.
};

/// Reports the state of the process to systemd (sd_notify(3)). Does nothing without NOTIFY_SOCKET.
///
/// Thread-safe. A thread of its own feeds the watchdog.
class ServiceManager {
 public:
  /// Starts the time of `startup_timeout`.
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
