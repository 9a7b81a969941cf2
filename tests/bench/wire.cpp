#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>

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

/// The first request in `buffer`, if it is whole.
struct WholeRequest {
  std::size_t size = 0;  ///< 0: it is not.
  std::string_view body;
};
WholeRequest first_request(std::string_view buffer) {
  const std::size_t end = buffer.find("\r\n\r\n");
  if (end == std::string_view::npos) return {};
  constexpr std::string_view kLength = "Content-Length: ";  // as wrk writes it
  const std::size_t length = buffer.substr(0, end).find(kLength);
  std::size_t body = 0;
  if (length != std::string_view::npos) body = std::strtoul(buffer.data() + length + kLength.size(), nullptr, 10);
  const std::size_t size = end + 4 + body;
  if (buffer.size() < size) return {};
  return {size, buffer.substr(end + 4, body)};
}

bool answer(int connection) {
  return ::send(connection, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(kAnswer.size());
}

/// Takes a request; whether its connection goes on.
using Taker = std::function<bool(int connection, std::string_view body)>;

/// Reads what is there, and hands on what is whole. Whether the connection goes on.
bool read_requests(int connection, std::string& pending, const Taker& take) {
  char bytes[16384];
  const ssize_t count = ::read(connection, bytes, sizeof bytes);
  if (count < 0) return errno == EAGAIN;
  if (count == 0) return false;
  std::string_view buffer(bytes, static_cast<std::size_t>(count));
  if (!pending.empty()) buffer = pending.append(buffer);
  for (WholeRequest request; (request = first_request(buffer)).size > 0; buffer.remove_prefix(request.size))
    if (!take(connection, request.body)) return false;
  pending = std::string(buffer);
  return true;
}

/// Serves the connections to `listener`. `woken` is called when there is something to read at `wakeups`.
[[noreturn]] void serve(int listener, const Taker& take, int wakeups, const std::function<void()>& woken) {
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  for (const int fd : {listener, wakeups}) {
    wanted.data.fd = fd;
    if (fd >= 0) ::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &wanted);
  }
  std::unordered_map<int, std::string> pending;
  for (;;) {
    epoll_event ready[64];
    const int count = ::epoll_wait(poll, ready, 64, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = ready[i].data.fd;
      if (fd == listener) {
        const int connection = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (connection < 0) continue;
        const int on = 1;
        ::setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        wanted.data.fd = connection;
        ::epoll_ctl(poll, EPOLL_CTL_ADD, connection, &wanted);
      } else if (fd == wakeups) {
        woken();
      } else if (!read_requests(fd, pending[fd], take)) {
        pending.erase(fd);
        ::close(fd);
      }
    }
  }
}

}  // namespace

void serve_constant_answer(int listener) {
  serve(listener, [](int connection, std::string_view) { return answer(connection); }, -1, {});
}

void serve_relay(int listener, const KafkaOptions& options) {
  char reason[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [name, value] : options)
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason, sizeof reason) != RD_KAFKA_CONF_OK)
      throw std::runtime_error(reason);
  rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
  rd_kafka_t* const producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
  if (producer == nullptr) throw std::runtime_error(reason);
  rd_kafka_topic_t* const topic = rd_kafka_topic_new(producer, "bench.relay", nullptr);
  rd_kafka_queue_t* const reports = rd_kafka_queue_get_main(producer);
  const int wakeups = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const std::uint64_t one = 1;
  rd_kafka_queue_io_event_enable(reports, wakeups, &one, sizeof one);

  const Taker take = [&](int connection, std::string_view body) {
    return rd_kafka_producev(producer, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                             RD_KAFKA_V_VALUE(const_cast<char*>(body.data()), body.size()),
                             RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(static_cast<std::intptr_t>(connection))),
                             RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR_NO_ERROR;
  };
  serve(listener, take, wakeups, [&] {
    std::uint64_t ignored;
    [[maybe_unused]] const ssize_t got = ::read(wakeups, &ignored, sizeof ignored);
    while (rd_kafka_event_t* const event = rd_kafka_queue_poll(reports, 0)) {
      while (const rd_kafka_message_t* const message = rd_kafka_event_message_next(event))
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
          answer(static_cast<int>(reinterpret_cast<std::intptr_t>(message->_private)));
      rd_kafka_event_destroy(event);
    }
  });
}

}  // namespace eventgate::bench
