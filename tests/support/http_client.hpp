#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventgate {

/// An HTTP reply as it came.
struct HttpReply {
  unsigned status = 0;
  std::string reason;
  /// Names in lower case, in the order they came.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  /// The value of the first header `name` (lower case).
  std::optional<std::string> header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name) return value;
    return std::nullopt;
  }
};

/// Request bytes: `headers` are lines without their CRLF. Host is added, and Content-Length if there is a body or the
/// method is POST.
inline std::string http_request(std::string_view method, std::string_view target, std::string_view body = {},
                                const std::vector<std::string>& headers = {}) {
  std::string bytes;
  bytes.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n");
  for (const std::string& header : headers) bytes.append(header).append("\r\n");
  if (!body.empty() || method == "POST") bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return bytes.append("\r\n").append(body);
}

/// A connection to a server on the loopback (at `address_number`, in the host's order), byte by byte: it sends what it
/// is told, however wrong. Waiting longer than its patience throws std::runtime_error.
class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port, std::chrono::milliseconds patience = std::chrono::seconds(30),
                      std::uint32_t address_number = INADDR_LOOPBACK)
      : patience_(patience), socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(address_number);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      const int error = errno;
      ::close(socket_);
      throw std::runtime_error(std::string("connect: ") + std::strerror(error));
    }
  }
  HttpClient(HttpClient&& other) noexcept
      : patience_(other.patience_),
        socket_(std::exchange(other.socket_, -1)),
        received_(std::move(other.received_)),
        ended_(other.ended_),
        reset_(other.reset_) {}
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(HttpClient&&) = delete;
  ~HttpClient() {
    if (socket_ >= 0) ::close(socket_);
  }

  /// Sends all of `bytes`; stops without an error if the server has closed the connection.
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (size >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(size));
      } else if (errno == EAGAIN) {
        wait(POLLOUT);
      } else if (errno != EINTR) {
        return;
      }
    }
  }

  /// No more bytes will come from here.
  void shutdown_send() { ::shutdown(socket_, SHUT_WR); }

  /// The next reply, 1xx included; nothing if the connection ended before it. `head`: it is one to HEAD. A reply is
  /// read by its Content-Length or its chunks, else to the end of the connection (not for 1xx, 204 and 304).
  std::optional<HttpReply> reply(bool head = false) {
    std::size_t end;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos)
      if (!receive()) return std::nullopt;
    HttpReply reply = parsed(std::string_view(received_).substr(0, end));
    received_.erase(0, end + 4);
    if (head || reply.status / 100 == 1 || reply.status == 204 || reply.status == 304) return reply;
    if (const auto coding = reply.header("transfer-encoding"); coding == "chunked") {
      if (!read_chunks(reply.body)) return std::nullopt;
    } else if (const auto length = reply.header("content-length")) {
      const std::size_t size = std::stoul(*length);
      while (received_.size() < size)
        if (!receive()) return std::nullopt;
      reply.body = received_.substr(0, size);
      received_.erase(0, size);
    } else {
      while (receive()) {
      }
      reply.body = std::exchange(received_, {});
    }
    return reply;
  }

  /// Sends `bytes` and reads the reply; throws if there is none.
  HttpReply exchange(std::string_view bytes, bool head = false) {
    send(bytes);
    std::optional<HttpReply> answer = reply(head);
    if (!answer) throw std::runtime_error("the connection ended before a reply");
    return std::move(*answer);
  }

  HttpReply get(std::string_view target, const std::vector<std::string>& headers = {}) {
    return exchange(http_request("GET", target, {}, headers));
  }

  /// Posts JSON unless `headers` say otherwise.
  HttpReply post(std::string_view target, std::string_view body,
                 const std::vector<std::string>& headers = {"Content-Type: application/json"}) {
    return exchange(http_request("POST", target, body, headers));
  }

  /// Waits for the end of the connection. False if more bytes come instead.
  bool ended() {
    while (!ended_ && received_.empty()) receive();
    return received_.empty();
  }

  /// The connection ended by a reset.
  bool reset() const { return reset_; }

  /// Waits until `text` is in what came and is not part of a reply read. False if the connection ended before.
  bool receive_until(std::string_view text) {
    while (received_.find(text) == std::string::npos)
      if (!receive()) return false;
    return true;
  }
  /// Waits for more. False if the connection ended.
  bool receive_more() { return receive(); }

  /// Whatever came and is not part of a reply read.
  const std::string& received() const { return received_; }

 private:
  void wait(short events) {
    pollfd poll{socket_, events, 0};
    int ready;
    do {
      ready = ::poll(&poll, 1, static_cast<int>(patience_.count()));
    } while (ready < 0 && errno == EINTR);
    if (ready == 0) throw std::runtime_error("nothing came for " + std::to_string(patience_.count()) + " ms");
  }

  bool receive() {
    if (ended_) return false;
    wait(POLLIN);
    char bytes[16384];
    const ssize_t size = ::recv(socket_, bytes, sizeof(bytes), 0);
    if (size > 0) {
      received_.append(bytes, static_cast<std::size_t>(size));
      return true;
    }
    if (size < 0 && errno == EINTR) return true;
    ended_ = true;
    reset_ = size < 0;
    return false;
  }

  static HttpReply parsed(std::string_view head) {
    HttpReply reply;
    std::size_t line_end = head.find("\r\n");
    const std::string_view line = head.substr(0, line_end);
    if (line.substr(0, 9) != "HTTP/1.1 " || line.size() < 13)
      throw std::runtime_error("no status line: " + std::string(line));
    reply.status = static_cast<unsigned>(std::stoul(std::string(line.substr(9, 3))));
    reply.reason = line.substr(13);
    while (line_end != std::string_view::npos) {
      head.remove_prefix(line_end + 2);
      line_end = head.find("\r\n");
      const std::string_view field = head.substr(0, line_end);
      const std::size_t colon = field.find(':');
      if (colon == std::string_view::npos) throw std::runtime_error("no header: " + std::string(field));
      std::string name(field.substr(0, colon));
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      const std::size_t value = field.find_first_not_of(' ', colon + 1);
      reply.headers.emplace_back(std::move(name),
                                 value == std::string_view::npos ? std::string() : std::string(field.substr(value)));
    }
    return reply;
  }

  bool read_chunks(std::string& body) {
    for (;;) {
      std::size_t end;
      while ((end = received_.find("\r\n")) == std::string::npos)
        if (!receive()) return false;
      const std::size_t size = std::stoul(received_.substr(0, end), nullptr, 16);
      while (received_.size() < end + 2 + size + 2)
        if (!receive()) return false;
      body.append(received_, end + 2, size);
      received_.erase(0, end + 2 + size + 2);
      if (size == 0) return true;
    }
  }

  std::chrono::milliseconds patience_;
  int socket_;
  std::string received_;
  bool ended_ = false;
  bool reset_ = false;
};

}  // namespace eventgate
