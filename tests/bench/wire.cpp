#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bench.hpp"

namespace eventgate::bench {
namespace {

// The gate's answer to one event, headers and all.
constexpr std::string_view kAnswer =
    "HTTP/1.1 201 All 1 out of 1 events were accepted.\r\n"
    "access-control-allow-origin: *\r\n"
    "access-control-allow-headers: accept, x-requested-with, content-type\r\n"
    "access-control-expose-headers: etag\r\n"
    "access-control-allow-methods: post\r\n"
    "x-xss-protection: 1; mode=block\r\n"
    "x-content-type-options: nosniff\r\n"
    "x-frame-options: SAMEORIGIN\r\n"
    "content-security-policy: default-src 'self'; object-src 'none'; media-src 'none'; img-src 'none'; "
    "style-src 'none'; base-uri 'self'; frame-ancestors 'self'\r\n"
    "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
    "Connection: keep-alive\r\n"
    "Content-Length: 0\r\n\r\n";

/// Bytes of the first request in `buffer`, or 0 if it is not whole.
std::size_t request_size(std::string_view buffer) {
  const std::size_t end = buffer.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  constexpr std::string_view kLength = "Content-Length: ";  // as wrk writes it
  const std::size_t length = buffer.substr(0, end).find(kLength);
  std::size_t body = 0;
  if (length != std::string_view::npos) body = std::strtoul(buffer.data() + length + kLength.size(), nullptr, 10);
  const std::size_t size = end + 4 + body;
  return buffer.size() >= size ? size : 0;
}

bool answer(int connection) {
  return ::send(connection, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(kAnswer.size());
}

/// Reads what is there and answers what is whole, or puts it down in `held`. Whether the connection goes on.
bool serve(int connection, std::string& pending, std::vector<int>* held) {
  char bytes[16384];
  const ssize_t count = ::read(connection, bytes, sizeof bytes);
  if (count < 0) return errno == EAGAIN;
  if (count == 0) return false;
  std::string_view buffer(bytes, static_cast<std::size_t>(count));
  if (!pending.empty()) buffer = pending.append(buffer);
  while (const std::size_t size = request_size(buffer)) {
    if (held) {
      held->push_back(connection);
    } else if (!answer(connection)) {
      return false;
    }
    buffer.remove_prefix(size);
  }
  pending = std::string(buffer);
  return true;
}

}  // namespace

void serve_constant_answer(int listener, std::chrono::milliseconds linger) {
  using Clock = std::chrono::steady_clock;
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event wanted{.events = EPOLLIN, .data = {.fd = listener}};
  ::epoll_ctl(poll, EPOLL_CTL_ADD, listener, &wanted);
  std::unordered_map<int, std::string> pending;
  std::vector<int> held;
  Clock::time_point due;
  for (;;) {
    epoll_event ready[64];
    int timeout = -1;
    if (!held.empty())
      timeout =
          static_cast<int>(std::max(0l, std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now()).count()));
    const int count = ::epoll_wait(poll, ready, 64, timeout);
    if (!held.empty() && Clock::now() >= due) {
      for (const int connection : held) answer(connection);
      held.clear();
    }
    const bool first = held.empty();
    for (int i = 0; i < count; ++i) {
      const int fd = ready[i].data.fd;
      if (fd == listener) {
        const int connection = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (connection < 0) continue;
        const int on = 1;
        ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        wanted.data.fd = connection;
        ::epoll_ctl(poll, EPOLL_CTL_ADD, connection, &wanted);
      } else if (!serve(fd, pending[fd], linger.count() > 0 ? &held : nullptr)) {
        pending.erase(fd);
        std::erase(held, fd);
        ::close(fd);
      }
    }
    if (first && !held.empty()) due = Clock::now() + linger;
  }
}

}  // namespace eventgate::bench
