#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "sse_blocks.hpp"

namespace eventgate {

/// Reads an event stream of a server on the loopback while it comes. Closing it in the middle is what it is for.
///
/// One thread.
class EventStreamClient {
 public:
  /// Asks for `target`. Throws std::runtime_error if nobody listens.
  EventStreamClient(std::uint16_t port, const std::string& target, const std::string& last_event_id)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      const int error = errno;
      ::close(socket_);
      throw std::runtime_error(std::string("connect: ") + std::strerror(error));
    }
    std::string request = "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n";
    if (!last_event_id.empty()) request += "Last-Event-ID: " + last_event_id + "\r\n";
    request += "\r\n";
    // Shorter than the socket's buffer, so it is taken at once.
    if (::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) < 0) ended_ = true;
  }
  ~EventStreamClient() { ::close(socket_); }
  EventStreamClient(const EventStreamClient&) = delete;
  EventStreamClient& operator=(const EventStreamClient&) = delete;

  /// Returns the blocks that have come, after `patience` at most; none if nothing came, or the connection has ended.
  /// Takes `max_bytes` from the connection at most.
  std::vector<SseBlock> read(std::chrono::milliseconds patience, std::size_t max_bytes = 65536) {
    pollfd poll{socket_, POLLIN, 0};
    if (ended_ || ::poll(&poll, 1, static_cast<int>(patience.count())) <= 0) return {};
    std::string bytes(max_bytes, '\0');
    const ssize_t size = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (size <= 0) {
      ended_ = true;
      return {};
    }
    received_.append(bytes, 0, static_cast<std::size_t>(size));
    if (status_ == 0 && !read_head()) return {};
    return blocks_.add(status_ == 200 ? chunks() : "");
  }

  /// 0 until the head has come.
  int status() const { return status_; }
  /// The connection has ended, or the body has. What came since the head and is no stream is in `rest`.
  bool ended() const { return ended_; }
  const std::string& rest() const { return received_; }

 private:
  bool read_head() {
    const std::size_t end = received_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    status_ = std::atoi(received_.c_str() + sizeof("HTTP/1.1"));
    received_.erase(0, end + 4);
    return true;
  }

  /// Takes the bytes of the chunks that have come, also of a chunk that goes on.
  std::string chunks() {
    std::string body;
    while (!received_.empty()) {
      if (left_ > 0) {
        const std::size_t size = std::min(left_, received_.size());
        body.append(received_, 0, size);
        received_.erase(0, size);
        left_ -= size;
        after_chunk_ = left_ == 0;
        continue;
      }
      if (after_chunk_) {
        if (received_.size() < 2) break;
        received_.erase(0, 2);
        after_chunk_ = false;
        continue;
      }
      const std::size_t end = received_.find("\r\n");
      if (end == std::string::npos) break;
      left_ = std::stoul(received_.substr(0, end), nullptr, 16);
      received_.erase(0, end + 2);
      if (left_ == 0) {
        ended_ = true;
        break;
      }
    }
    return body;
  }

  int socket_;
  std::string received_;
  int status_ = 0;
  std::size_t left_ = 0;  // of the chunk
  bool after_chunk_ = false;
  bool ended_ = false;
  SseBlocks blocks_;
};

}  // namespace eventgate
