#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "http/client_socket.hpp"

namespace eventgate {

/// A ClientSocket whose client is the test: the other end of a socket pair.
class SocketPair {
 public:
  explicit SocketPair(HttpOptions options = {})
      : context(std::move(options), HttpServices{Router({}, ""), nullptr, telemetry_}) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    client_ = ends[1];
    socket.open(ends[0]);
    socket.acquire_buffers();
    socket.start_request();
  }
  ~SocketPair() { leave(); }

  void send(std::string_view bytes) const {
    EXPECT_EQ(::send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }

  /// Returns what has come to the client.
  std::string received() const {
    std::string bytes(65536, '\0');
    const ssize_t size = ::recv(client_, bytes.data(), bytes.size(), 0);
    bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return bytes;
  }

  void leave() {
    if (client_ >= 0) ::close(std::exchange(client_, -1));
  }

 private:
  Metrics metrics_{"test"};
  Telemetry telemetry_{metrics_};
  int client_ = -1;

 public:
  boost::asio::io_context io{1};
  ServerContext context;
  HttpThread thread{io.get_executor(), context.options.max_header_size + 4096};
  ClientSocket socket{thread, context};
};

}  // namespace eventgate
