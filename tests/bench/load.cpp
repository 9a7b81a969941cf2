#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "bench.hpp"
#include "support/paths.hpp"

namespace eventgate::bench {
namespace {

struct Run {
  double requests, refused, errors, p99, client_seconds;
};

/// CPU of the processes that have ended.
double children_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

Run run_wrk(std::uint16_t port, const Load& load, int seconds) {
  ::setenv("BENCH_BODY", load.body.c_str(), 1);
  const double before = children_seconds();
  const std::string output =
      output_of({"wrk", "-t", "1", "-c", std::to_string(load.connections), "-d", std::to_string(seconds) + "s", "-s",
                 source_dir() + "/tests/bench/post.lua", "http://127.0.0.1:" + std::to_string(port) + load.target});
  Run run{};
  const std::size_t line = output.rfind("bench ");
  if (line == std::string::npos || std::sscanf(output.c_str() + line, "bench %lf %lf %lf %lf", &run.requests,
                                               &run.refused, &run.errors, &run.p99) != 4)
    throw std::runtime_error("wrk printed something else than expected: " + output);
  run.client_seconds = children_seconds() - before;
  return run;
}

std::string post_request(const Load& load) {
  const std::string body = read_file(load.body);
  return "POST " + load.target +
         " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

double median(std::array<double, 3> values) {
  std::sort(values.begin(), values.end());
  return values[1];
}

/// A connection, or -1.
int connected(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{.tv_sec = 15, .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  address.sin_port = ::htons(port);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

/// What comes back, up to `end` or to the end of the connection.
std::string reply_of(int fd, const std::string& request, const char* end) {
  std::string reply;
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t count = ::send(fd, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return reply;
    sent += static_cast<std::size_t>(count);
  }
  char bytes[4096];
  for (ssize_t count; reply.find(end) == std::string::npos && (count = ::recv(fd, bytes, sizeof bytes, 0)) > 0;)
    reply.append(bytes, static_cast<std::size_t>(count));
  return reply;
}

}  // namespace

std::string status_line(std::uint16_t port, const std::string& request) {
  const int fd = connected(port);
  if (fd < 0) return {};
  const std::string reply = reply_of(fd, request, "\r\n");
  ::close(fd);
  return reply.substr(0, reply.find("\r\n"));
}

Connections::Connections(std::uint16_t port, std::size_t count, const std::string& request) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  while (sockets_.size() < count) {
    const int fd = connected(port);
    if (fd >= 0) sockets_.push_back(fd);
    if (fd < 0 || reply_of(fd, request, "\r\n\r\n").empty())
      throw std::runtime_error("only " + std::to_string(sockets_.size()) + " connections of " + std::to_string(count) +
                               ": are there enough file descriptors (ulimit -n)?");
  }
}

Connections::~Connections() {
  for (const int fd : sockets_) ::close(fd);
}

Measurement measure(Process& server, std::uint16_t port, const Load& load, const std::function<void()>& between) {
  const std::string line = status_line(port, post_request(load));
  if (!line.starts_with("HTTP/1.1 " + std::to_string(load.status)))
    throw std::runtime_error("POST " + load.target + ": expected status " + std::to_string(load.status) + ", got '" +
                             line + "'");
  constexpr int kSeconds = 2;
  std::array<double, 3> cpu{}, p99{}, rate{}, client{};
  run_wrk(port, load, 1);
  between();
  for (std::size_t i = 0; i < cpu.size(); ++i) {
    const double before = server.cpu_microseconds();
    const Run run = run_wrk(port, load, kSeconds);
    cpu[i] = (server.cpu_microseconds() - before) / run.requests;
    p99[i] = run.p99;
    rate[i] = run.requests / kSeconds;
    client[i] = run.client_seconds / kSeconds;
    const bool as_expected = run.refused == (load.status < 400 ? 0 : run.requests);
    if (run.requests == 0 || run.errors != 0 || !as_expected)
      throw std::runtime_error("POST " + load.target + ": expected status " + std::to_string(load.status) +
                               " every time; of " + std::to_string(run.requests) + " replies " +
                               std::to_string(run.refused) + " were 4xx or 5xx, " + std::to_string(run.errors) +
                               " failed");
    between();
  }
  return {median(cpu), median(p99), median(rate), median(client)};
}

}  // namespace eventgate::bench
