#include "service_manager.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "eventgate/logging/log.hpp"
#include "systemd.hpp"

namespace eventgate {
namespace {

using Clock = std::chrono::steady_clock;

/// How often is looked, unless WATCHDOG is wanted more often.
constexpr std::chrono::milliseconds kLook{500};

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

/// Sends one message. The first failure is a warning.
void notify(const std::string& state) {
  static std::atomic<bool> failed{false};
  const int result = sd_notify(0, state.c_str());
  if (result >= 0 || failed.exchange(true)) return;
  log(LogLevel::warn, "The service manager cannot be told how the service does: expected a socket at NOTIFY_SOCKET",
      {{"NOTIFY_SOCKET", std::string_view(variable("NOTIFY_SOCKET"))},
       {"reason", std::string_view(std::strerror(-result))}});
}

/// Its text in one line: a line is a variable of the protocol.
std::string status_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return "STATUS=" + text;
}

/// How often WATCHDOG is wanted, or nothing.
std::optional<Clock::duration> watchdog_interval() {
  std::uint64_t interval = 0;
  const int result = sd_watchdog_enabled(0, &interval);
  if (result > 0) return std::chrono::microseconds(interval);
  if (result < 0) {
    log(LogLevel::warn, "WATCHDOG is not sent: expected numbers in WATCHDOG_USEC and WATCHDOG_PID",
        {{"WATCHDOG_USEC", std::string_view(variable("WATCHDOG_USEC"))},
         {"WATCHDOG_PID", std::string_view(variable("WATCHDOG_PID"))}});
  }
  return std::nullopt;
}

}  // namespace

std::optional<int> inherited_socket() {
  if (!kHasSystemd && variable("LISTEN_PID") == std::to_string(::getpid()))
    throw std::runtime_error(
        "LISTEN_FDS: systemd passes a socket, and this gate is built without libsystemd: expected a build with "
        "EVENTGATE_SYSTEMD, or a unit without a socket");
  const std::string process = variable("LISTEN_PID");
  const std::string sockets = variable("LISTEN_FDS");
  const int count = sd_listen_fds(1);
  if (count < 0) {
    throw std::runtime_error("LISTEN_PID is '" + process + "' and LISTEN_FDS is '" + sockets +
                             "': expected the numbers of a process and of its sockets, which start at descriptor 3 "
                             "(sd_listen_fds): " +
                             std::strerror(-count));
  }
  if (count == 0) {
    if (!process.empty() && !sockets.empty() && sockets != "0") {
      log(LogLevel::warn, "LISTEN_FDS is for another process: the gate listens on a port of its own",
          {{"LISTEN_PID", std::string_view(process)}});
    }
    return std::nullopt;
  }
  if (count > 1) {
    throw std::runtime_error("LISTEN_FDS is " + sockets +
                             ": expected one socket, that of `port`; its unit must have one ListenStream=");
  }
  if (sd_is_socket_inet(SD_LISTEN_FDS_START, AF_UNSPEC, SOCK_STREAM, 1, 0) <= 0) {
    throw std::runtime_error(
        "LISTEN_FDS: descriptor 3 is no listening TCP socket: expected one, as ListenStream= with a port makes it");
  }
  return SD_LISTEN_FDS_START;
}

struct ServiceManager::Impl {
  explicit Impl(std::chrono::milliseconds startup_timeout) : ready_by(Clock::now() + startup_timeout) {}

  void run(const std::stop_token& stop);
  void look();

  const bool listens = !variable("NOTIFY_SOCKET").empty();
  const Clock::time_point ready_by;
  std::optional<Clock::duration> watchdog;
  Watched watched;

  std::mutex mutex;
  std::condition_variable_any changed;
  bool ready = false;     ///< READY was sent.
  bool stopping = false;  ///< STOPPING was sent.
  std::optional<std::string> refused;
  std::string last_status;

  std::shared_ptr<std::atomic<bool>> turned = std::make_shared<std::atomic<bool>>(true);
  std::jthread thread;  ///< The last: it ends before the others go.
};

void ServiceManager::Impl::look() {
  std::string state;
  // An I/O thread that hangs never calls back, and then WATCHDOG stays out.
  if (watchdog && turned->exchange(false)) {
    state = "WATCHDOG=1\n";
    watched.turn([turned = turned] { *turned = true; });
  }
  const std::optional<std::string> missing = watched.not_ready_reason();
  std::string status = missing ? "not ready: " + *missing : "ready";
  if (!missing) {
    bool first = true;
    for (const std::string& what : watched.stale()) {
      status += (first ? "; stale: " : "; ") + what;
      first = false;
    }
  }
  const std::lock_guard lock(mutex);
  if (refused) status += "; the last reload was refused: " + *refused;
  if (!ready && !stopping && (!missing || Clock::now() >= ready_by)) {
    ready = true;
    state += "READY=1\n";
  }
  if (status != last_status) {
    state += status_line(status);
    last_status = std::move(status);
  }
  if (!state.empty()) notify(state);
}

void ServiceManager::Impl::run(const std::stop_token& stop) {
  // Twice in an interval is what sd_watchdog_enabled(3) advises; a turn takes one look more.
  const Clock::duration pause = watchdog ? std::min<Clock::duration>(kLook, *watchdog / 4) : kLook;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    lock.unlock();
    look();
    lock.lock();
    changed.wait_for(lock, stop, pause, [] { return false; });
  }
}

ServiceManager::ServiceManager(std::chrono::milliseconds startup_timeout)
    : impl_(std::make_unique<Impl>(startup_timeout)) {
  if (!kHasSystemd && impl_->listens)
    log(LogLevel::warn,
        "The service manager is told nothing, because this gate is built without libsystemd: expected a build with "
        "EVENTGATE_SYSTEMD, or a unit without Type=notify");
}

ServiceManager::~ServiceManager() = default;

void ServiceManager::status(const std::string& text) {
  if (impl_->listens) notify(status_line(text));
}

void ServiceManager::watch(Watched watched) {
  if (!impl_->listens) return;
  impl_->watched = std::move(watched);
  impl_->watchdog = watchdog_interval();
  impl_->thread = std::jthread([impl = impl_.get()](const std::stop_token& stop) { impl->run(stop); });
}

void ServiceManager::reloading() {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->listens || !impl_->ready) return;
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch());
  impl_->last_status = "reloading";
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()) + "\nSTATUS=" + impl_->last_status);
}

void ServiceManager::reloaded(const std::optional<std::string>& refused) {
  const std::lock_guard lock(impl_->mutex);
  impl_->refused = refused;
  if (!impl_->listens || !impl_->ready) return;
  impl_->last_status = refused ? "the last reload was refused: " + *refused : "reloaded";
  notify("READY=1\n" + status_line(impl_->last_status));
}

void ServiceManager::stopping() {
  const std::lock_guard lock(impl_->mutex);
  impl_->stopping = true;
  if (impl_->listens) notify("STOPPING=1");
}

}  // namespace eventgate
