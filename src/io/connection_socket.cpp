#include "eventgate/io/connection_socket.hpp"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

namespace eventgate {
namespace {

/// Connections looked at in a turn of the I/O thread.
constexpr std::size_t kTurn = 64;

/// What `call` of a socket returns, once it is not interrupted.
template <typename Call>
ssize_t uninterrupted(Call call) {
  for (;;) {
    const ssize_t result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace

Connection::Connection(EpollReactor& readiness, int socket) : readiness_(readiness), socket_(socket) {
  epoll_event event{.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data = {.ptr = this}};
  if (::epoll_ctl(readiness_.epoll_.native_handle(), EPOLL_CTL_ADD, socket_, &event) != 0) {
    const int error = errno;
    ::close(socket_);
    throw std::system_error(error, std::generic_category(), "epoll_ctl");
  }
  ++readiness_.connections_;
  readiness_.arm();
}

Connection::~Connection() {
  ::close(socket_);
  if (--readiness_.connections_ > 0) return;
  boost::system::error_code ignored;
  readiness_.epoll_.cancel(ignored);  // so that a context without connections has nothing to wait for
}

std::optional<std::size_t> Connection::receive(char* bytes, std::size_t size) {
  const ssize_t count = uninterrupted([&] { return ::recv(socket_, bytes, size, 0); });
  if (count > 0) {
    // What has not come yet will be told; of what did not fit nobody tells again.
    in_ = static_cast<std::size_t>(count) == size;
    return static_cast<std::size_t>(count);
  }
  if (count == 0 || errno != EAGAIN) return std::nullopt;
  in_ = false;
  return 0;
}

std::optional<std::size_t> Connection::send(std::string_view bytes) {
  const ssize_t count = uninterrupted([&] { return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL); });
  if (count >= 0) return static_cast<std::size_t>(count);
  if (errno != EAGAIN) return std::nullopt;
  out_ = false;
  return 0;
}

bool Connection::has_bytes() const {
  int size = 0;
  return ::ioctl(socket_, FIONREAD, &size) == 0 && size > 0;
}

bool Connection::end_sending() { return ::shutdown(socket_, SHUT_WR) == 0; }

void Connection::cancel() {
  if (!waiter_ || cancelled_) return;
  cancelled_ = true;
  unlink();
  readiness_.due_.push_back(*this);
  readiness_.post_due();
}

bool Connection::take_ready(Direction direction) noexcept {
  cancelled_ = false;
  switch (direction) {
    case Direction::in:
      return ended_ || std::exchange(in_, false);
    case Direction::out:
      return broken_ || std::exchange(out_, false);
    case Direction::neither:
      break;
  }
  return broken_;
}

void Connection::wait(Direction direction, ResumeHandle coroutine) noexcept {
  direction_ = direction;
  waiter_.emplace(std::move(coroutine));
  readiness_.waiting_.push_back(*this);
  if (direction != Direction::out || watched_out_) return;
  watched_out_ = true;
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = this}};
  ::epoll_ctl(readiness_.epoll_.native_handle(), EPOLL_CTL_MOD, socket_, &event);
}

bool Connection::note(std::uint32_t events) noexcept {
  // Told once, perhaps with bytes that came before the end.
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) broken_ = true;
  if ((events & EPOLLRDHUP) != 0 || broken_) ended_ = true;
  if ((events & EPOLLIN) != 0) in_ = true;
  if ((events & EPOLLOUT) != 0) out_ = true;
  return waiter_ && !cancelled_ && take_ready(direction_);
}

EpollReactor::EpollReactor(boost::asio::execution_context& context)
    : service(context), epoll_(static_cast<boost::asio::io_context&>(context).get_executor()) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  epoll_.assign(epoll);
}

void EpollReactor::shutdown() noexcept {
  for (List* list : {&waiting_, &due_}) {
    while (!list->empty()) {
      // The coroutine holds the connection.
      Connection& connection = list->front();
      connection.unlink();
      const ResumeHandle dropped = *std::exchange(connection.waiter_, std::nullopt);
    }
  }
}

void EpollReactor::arm() {
  if (armed_) return;
  armed_ = true;
  epoll_.async_wait(boost::asio::posix::descriptor_base::wait_read, [this](const boost::system::error_code&) {
    armed_ = false;
    if (connections_ > 0) look();
  });
}

void EpollReactor::look() {
  std::array<epoll_event, kTurn> events;
  const int count = ::epoll_wait(epoll_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
  // One that goes on may end others, so all are found first.
  for (int i = 0; i < count; ++i) {
    Connection& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
    if (!connection.note(events[static_cast<std::size_t>(i)].events)) continue;
    connection.unlink();
    due_.push_back(connection);
  }
  resume_due();
  if (connections_ > 0) arm();
}

void EpollReactor::post_due() {
  boost::asio::post(epoll_.get_executor(), [this] { resume_due(); });
}

void EpollReactor::resume_due() {
  List due;
  due.swap(due_);
  while (!due.empty()) {
    Connection& connection = due.front();
    connection.unlink();
    ResumeHandle waiter = *std::exchange(connection.waiter_, std::nullopt);
    waiter.resume();
  }
}

}  // namespace eventgate
