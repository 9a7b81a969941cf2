#include "eventgate/io/connection_socket.hpp"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace eventgate {
namespace {

/// Repeats a system call until no signal interrupts it.
template <typename Call>
ssize_t retry_interrupted(Call call) {
  for (;;) {
    const ssize_t result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace

std::optional<std::size_t> ConnectionSocket::receive(char* bytes, std::size_t size) {
  const ssize_t count = retry_interrupted([&] { return ::recv(descriptor(), bytes, size, 0); });
  if (count > 0) {
    // Epoll reports bytes that come later. It does not report again the bytes that did not fit.
    readable_ = static_cast<std::size_t>(count) == size;
    return static_cast<std::size_t>(count);
  }
  if (count == 0 || errno != EAGAIN) return std::nullopt;
  readable_ = false;
  return 0;
}

std::optional<std::size_t> ConnectionSocket::send(std::string_view bytes) {
  const ssize_t count =
      retry_interrupted([&] { return ::send(descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL); });
  if (count >= 0) return static_cast<std::size_t>(count);
  if (errno != EAGAIN) return std::nullopt;
  writable_ = false;
  return 0;
}

bool ConnectionSocket::has_bytes() const {
  int size = 0;
  return ::ioctl(descriptor(), FIONREAD, &size) == 0 && size > 0;
}

bool ConnectionSocket::end_sending() { return ::shutdown(descriptor(), SHUT_WR) == 0; }

bool ConnectionSocket::consume_readiness(Direction direction) noexcept {
  clear_cancelled();
  switch (direction) {
    case Direction::in:
      return ended_ || std::exchange(readable_, false);
    case Direction::out:
      return broken_ || std::exchange(writable_, false);
    case Direction::neither:
      break;
  }
  return broken_;
}

void ConnectionSocket::suspend_until(Direction direction, ResumeHandle coroutine) noexcept {
  direction_ = direction;
  suspend(std::move(coroutine));
  if (direction == Direction::out) watch_output();
}

bool ConnectionSocket::note_events(std::uint32_t events) noexcept {
  // The end may be reported once, together with bytes that came before it.
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) broken_ = true;
  if ((events & EPOLLRDHUP) != 0 || broken_) ended_ = true;
  if ((events & EPOLLIN) != 0) readable_ = true;
  if ((events & EPOLLOUT) != 0) writable_ = true;
  return is_waiting() && consume_readiness(direction_);
}

}  // namespace eventgate
