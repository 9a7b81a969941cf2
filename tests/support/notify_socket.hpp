#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>

#include "temporary_folder.hpp"

namespace eventgate {

/// Where a service manager listens (sd_notify(3)).
class NotifySocket {
 public:
  NotifySocket() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path().c_str(), sizeof(address.sun_path) - 1);
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
      throw std::runtime_error("no socket at " + path());
  }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;
  ~NotifySocket() { ::close(socket_); }

  std::string path() const { return folder_.path() + "/notify"; }

  /// The next message; empty if none comes within `patience` milliseconds.
  std::string next(int patience = 30000) const {
    pollfd poll{socket_, POLLIN, 0};
    if (::poll(&poll, 1, patience) <= 0) return {};
    char bytes[4096];
    const ssize_t size = ::recv(socket_, bytes, sizeof(bytes), 0);
    return {bytes, static_cast<std::size_t>(size > 0 ? size : 0)};
  }

  /// The next message that has `text` in it; throws if none comes.
  std::string next_with(const std::string& text) const {
    for (;;) {
      const std::string message = next();
      if (message.empty()) throw std::runtime_error("no message with " + text);
      if (message.find(text) != std::string::npos) return message;
    }
  }

 private:
  TemporaryFolder folder_;
  int socket_;
};

}  // namespace eventgate
