#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "test_certificate.hpp"

namespace eventgate {

/// A request as the server got it.
struct ServedRequest {
  std::string head;  ///< Request line and headers.
  std::string body;  ///< As far as Content-Length says.

  /// The path and query of the request line.
  std::string target() const {
    const auto from = head.find(' ') + 1;
    return head.substr(from, head.find(' ', from) - from);
  }
  /// The value of the header `name`, written as it was sent.
  std::optional<std::string> header(const std::string& name) const {
    const auto at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return std::nullopt;
    const auto from = at + 4 + name.size();
    return head.substr(from, head.find("\r\n", from) - from);
  }
};

/// The bytes of an answer with a body.
inline std::string http_answer(std::string_view body, std::string_view status = "200 OK",
                               std::string_view headers = "") {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body);
}

inline std::string http_redirect(std::string_view location, std::string_view status = "302 Found") {
  return http_answer("", status, "Location: " + std::string(location) + "\r\n");
}

/// An HTTP server on the loopback, one request a connection. Every connection has a thread.
class HttpTestServer {
 public:
  /// Answers a request with these bytes; with nothing, it never answers, and holds the connection.
  using Handler = std::function<std::optional<std::string>(const ServedRequest&)>;

  explicit HttpTestServer(Handler handler, const TestCertificate* certificate = nullptr)
      : handler_(std::move(handler)) {
    std::signal(SIGPIPE, SIG_IGN);
    if (certificate != nullptr) {
      tls_.reset(SSL_CTX_new(TLS_server_method()));
      SSL_CTX_use_certificate(tls_.get(), certificate->certificate());
      SSL_CTX_use_PrivateKey(tls_.get(), certificate->key());
    }
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0 || ::pipe2(stop_, O_CLOEXEC) != 0) {
      throw std::runtime_error("no test server");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept(); });
  }

  ~HttpTestServer() {
    ::close(stop_[1]);
    acceptor_.join();
    for (std::thread& connection : connections_) connection.join();
    ::close(listener_);
    ::close(stop_[0]);
  }
  HttpTestServer(const HttpTestServer&) = delete;
  HttpTestServer& operator=(const HttpTestServer&) = delete;

  unsigned short port() const { return port_; }

  /// The URI of `path`, by the address or by the name `localhost`.
  std::string uri(const std::string& path, const std::string& host = "127.0.0.1") const {
    return (tls_ ? "https://" : "http://") + host + ":" + std::to_string(port_) + path;
  }

  /// The requests so far, in the order they came.
  std::vector<ServedRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  /// The name a TLS client asked for (SNI) last.
  std::string server_name() const {
    const std::lock_guard lock(mutex_);
    return server_name_;
  }

 private:
  /// Waits until `socket` can be read; false if the server stops.
  bool readable(int socket) const {
    pollfd fds[2] = {{socket, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    while (::poll(fds, 2, -1) < 0) {
    }
    return fds[1].revents == 0;
  }

  void accept() {
    while (readable(listener_)) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) continue;
      connections_.emplace_back([this, socket] {
        serve(socket);
        ::close(socket);
      });
    }
  }

  void serve(int socket) {
    if (!tls_) {
      exchange(
          socket, [&](char* data, std::size_t size) { return ::recv(socket, data, size, 0); },
          [&](const char* data, std::size_t size) { return ::send(socket, data, size, MSG_NOSIGNAL); });
      return;
    }
    const std::unique_ptr<SSL, decltype(&SSL_free)> stream(SSL_new(tls_.get()), SSL_free);
    SSL_set_fd(stream.get(), socket);
    if (!readable(socket) || SSL_accept(stream.get()) != 1) return;
    if (const char* name = SSL_get_servername(stream.get(), TLSEXT_NAMETYPE_host_name)) {
      const std::lock_guard lock(mutex_);
      server_name_ = name;
    }
    exchange(
        socket,
        [&](char* data, std::size_t size) -> ssize_t { return SSL_read(stream.get(), data, static_cast<int>(size)); },
        [&](const char* data, std::size_t size) -> ssize_t {
          return SSL_write(stream.get(), data, static_cast<int>(size));
        });
    SSL_shutdown(stream.get());
  }

  template <typename Read, typename Write>
  void exchange(int socket, Read read, Write write) {
    ServedRequest request;
    char data[4096];
    while (request.head.find("\r\n\r\n") == std::string::npos) {
      if (!tls_ && !readable(socket)) return;
      const ssize_t got = read(data, sizeof data);
      if (got <= 0) return;
      request.head.append(data, static_cast<std::size_t>(got));
    }
    const std::size_t head_size = request.head.find("\r\n\r\n") + 4;
    request.body = request.head.substr(head_size);
    request.head.resize(head_size);
    const std::size_t size = std::stoul(request.header("Content-Length").value_or("0"));
    while (request.body.size() < size) {
      if (!tls_ && !readable(socket)) return;
      const ssize_t got = read(data, sizeof data);
      if (got <= 0) return;
      request.body.append(data, static_cast<std::size_t>(got));
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const std::optional<std::string> answer = handler_(request);
    if (!answer) {
      while (readable(socket) && ::recv(socket, data, sizeof data, 0) > 0) {
      }
      return;
    }
    for (std::size_t sent = 0; sent < answer->size();) {
      const ssize_t wrote = write(answer->data() + sent, answer->size() - sent);
      if (wrote <= 0) return;
      sent += static_cast<std::size_t>(wrote);
    }
    // The client closes first, else what it has not read yet could be lost to a reset.
    ::shutdown(socket, SHUT_WR);
    while (readable(socket) && ::recv(socket, data, sizeof data, 0) > 0) {
    }
  }

  Handler handler_;
  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, FreeContext> tls_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};
  unsigned short port_ = 0;
  std::thread acceptor_;
  std::vector<std::thread> connections_;  // Of the acceptor's thread until it ends.
  mutable std::mutex mutex_;
  std::vector<ServedRequest> requests_;
  std::string server_name_;
};

}  // namespace eventgate
