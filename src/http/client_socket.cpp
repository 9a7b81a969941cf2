#include "client_socket.hpp"

#include <algorithm>

namespace eventgate {

namespace {

/// How long a stop waits for bytes that a client does not send, or does not read.
constexpr std::chrono::seconds kStopGrace{2};

}  // namespace

void ClientSocket::stop() {
  if (!awaits_client_) return;
  const Clock::time_point until = std::min(wait_until_, grace_end(server_.stopped_at));
  thread_.deadlines.set(*this, until - Clock::now());
}

void ClientSocket::expire() {
  timed_out_ = true;
  socket_->cancel();
}

/// Returns the end of the client's time if the server stopped at `stopped_at`.
ClientSocket::Clock::time_point ClientSocket::grace_end(Clock::time_point stopped_at) const {
  return std::max(stopped_at, client_since_) + kStopGrace;
}

Task<bool> ClientSocket::wait(Direction direction, Clock::duration limit) {
  timed_out_ = false;
  const Clock::time_point now = Clock::now();
  awaits_client_ = direction != Direction::neither;
  wait_until_ = now + limit;
  if (awaits_client_ && stopping()) wait_until_ = std::min(wait_until_, grace_end(server_.stopped_at));
  if (wait_until_ <= now) {
    awaits_client_ = false;
    timed_out_ = true;
    co_return false;
  }
  thread_.deadlines.set(*this, wait_until_ - now);
  const bool ready = co_await socket_->ready(direction);
  awaits_client_ = false;
  end_wait();
  co_return ready && !timed_out_;
}

ClientSocket::Received ClientSocket::receive() {
  ConnectionBuffers& buffers = *buffers_;
  const std::size_t capacity = thread_.buffer_size;
  thread_.acquire_receive_buffer(buffers);
  if (buffers.begin == buffers.end) buffers.begin = buffers.end = 0;
  if (buffers.end == capacity) {
    if (buffers.begin == 0) return Received::full;
    std::copy(buffers.bytes.get() + buffers.begin, buffers.bytes.get() + buffers.end, buffers.bytes.get());
    buffers.end -= buffers.begin;
    buffers.begin = 0;
  }
  const auto size = socket_->receive(buffers.bytes.get() + buffers.end, capacity - buffers.end);
  if (!size) return Received::end;
  buffers.end += *size;
  return *size > 0 ? Received::bytes : Received::nothing;
}

Task<ClientSocket::Received> ClientSocket::receive_more(std::chrono::milliseconds limit) {
  for (;;) {
    const Received received = receive();
    if (received != Received::nothing) co_return received;
    const Clock::duration left = time_left(limit);
    if (left <= Clock::duration::zero()) co_return Received::timeout;
    if (!co_await wait(Direction::in, left)) co_return timed_out_ ? Received::timeout : Received::end;
  }
}

bool ClientSocket::send_now(std::string_view& bytes) {
  while (!bytes.empty()) {
    const auto sent = socket_->send(bytes);
    if (!sent) return false;
    if (*sent == 0) break;
    bytes.remove_prefix(*sent);
  }
  return true;
}

Task<bool> ClientSocket::send(std::string_view bytes) {
  client_since_ = Clock::now();
  const Clock::time_point until = client_since_ + server_.options.request_timeout;
  while (send_now(bytes)) {
    if (bytes.empty()) co_return true;
    if (!co_await wait(Direction::out, until - Clock::now())) co_return false;
  }
  co_return false;
}

}  // namespace eventgate
