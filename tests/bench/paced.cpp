#include "paced.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <thread>
#include <unordered_map>
#include <utility>

namespace eventgate::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kConnections = 64;
constexpr std::size_t kRounds = 30;
constexpr std::chrono::milliseconds kSlice{100};
constexpr std::chrono::milliseconds kRest{30};
constexpr std::chrono::seconds kStalled{3};

double microseconds_of(Clock::duration time) { return std::chrono::duration<double, std::micro>(time).count(); }

/// The value below which `part` of the values are.
double quantile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  const auto place = static_cast<std::size_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(place), values.end());
  return values[place];
}

/// Counts the system calls of a process: those of the threads that it has, and of those that they start. It needs the
/// kernel's tracepoints (tracefs), which mostly only root may use.
class SystemCalls {
 public:
  explicit SystemCalls(pid_t pid) {
    perf_event_attr wanted{};
    wanted.size = sizeof wanted;
    wanted.type = PERF_TYPE_TRACEPOINT;
    wanted.inherit = 1;
    std::ifstream id("/sys/kernel/tracing/events/raw_syscalls/sys_enter/id");
    if (!(id >> wanted.config)) return;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
      const long fd =
          ::syscall(SYS_perf_event_open, &wanted, std::stoi(thread.path().filename()), -1, -1, PERF_FLAG_FD_CLOEXEC);
      if (fd < 0) {
        close_all();
        return;
      }
      counters_.push_back(static_cast<int>(fd));
    }
  }
  ~SystemCalls() { close_all(); }
  SystemCalls(const SystemCalls&) = delete;

  /// Returns those since the construction.
  std::optional<double> count() const {
    double sum = 0;
    for (const int fd : counters_) {
      std::uint64_t value = 0;
      if (::read(fd, &value, sizeof value) != sizeof value) return std::nullopt;
      sum += static_cast<double>(value);
    }
    return counters_.empty() ? std::nullopt : std::optional(sum);
  }

 private:
  void close_all() {
    for (const int fd : counters_) ::close(fd);
    counters_.clear();
  }

  std::vector<int> counters_;
};

/// The connections to one server, and what is under way on them.
class PacedClient {
 public:
  PacedClient(const PacedServer& server, const std::string& body)
      : server_(server), poll_(::epoll_create1(EPOLL_CLOEXEC)), calls_(server.process.pid()) {
    request_ = "POST " + server.target +
               " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body;
    expected_ = "HTTP/1.1 " + std::to_string(server.status);
    for (std::size_t i = 0; i < kConnections; ++i) connect();
  }
  ~PacedClient() {
    for (const auto& [socket, sent_at] : sent_at_) ::close(socket);
    ::close(poll_);
  }
  PacedClient(const PacedClient&) = delete;

  /// One slice. Its replies count in the results unless it warms up.
  void run(const Pace& pace, bool warms_up) {
    const double cpu_before = server_.process.cpu_microseconds();
    const std::optional<double> calls_before = calls_.count();
    const Clock::time_point begin = Clock::now();
    const Clock::time_point end = begin + kSlice;
    Clock::time_point next = begin;
    double replies = 0;
    for (Clock::time_point now = begin; now < end || idle_.size() < kConnections; now = Clock::now()) {
      if (now > end + kStalled) throw std::runtime_error(server_.name + ": no reply within three seconds");
      if (now < end && now >= next) {
        for (std::size_t i = 0; i < pace.burst && !idle_.empty(); ++i) send();
        next = std::max(next + pace.period, now - pace.period);  // what was missed is not made up for
      }
      replies += static_cast<double>(receive(now < end ? 0 : 1, warms_up));
    }
    const double seconds = std::chrono::duration<double>(kSlice).count();
    std::this_thread::sleep_for(kRest);
    if (warms_up) return;
    cpu.push_back((server_.process.cpu_microseconds() - cpu_before) / replies);
    rates.push_back(replies / seconds);
    const std::optional<double> calls_after = calls_.count();
    if (calls_before && calls_after) calls.push_back((*calls_after - *calls_before) / replies);
  }

  // Of each slice.
  std::vector<double> cpu;
  std::vector<double> rates;
  std::vector<double> calls;
  // Of each request.
  std::vector<double> latencies;

 private:
  void connect() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    address.sin_port = ::htons(server_.port);
    if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error(server_.name + ": " + std::strerror(errno));
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::fcntl(socket, F_SETFL, O_NONBLOCK);
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.fd = socket;
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, socket, &wanted);
    sent_at_[socket] = {};
    idle_.push_back(socket);
  }

  void send() {
    const int socket = idle_.front();
    idle_.pop_front();
    sent_at_[socket] = Clock::now();
    if (::send(socket, request_.data(), request_.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request_.size()))
      throw std::runtime_error(server_.name + ": a request was not taken at once");
  }

  /// Reads the replies that are there, and returns how many.
  std::size_t receive(int wait_milliseconds, bool warms_up) {
    std::array<epoll_event, 256> ready;
    const int count = ::epoll_wait(poll_, ready.data(), ready.size(), wait_milliseconds);
    std::size_t replies = 0;
    for (int i = 0; i < count; ++i) {
      const int socket = ready[static_cast<std::size_t>(i)].data.fd;
      std::array<char, 4096> bytes;  // a reply is small and comes in one piece
      const ssize_t size = ::recv(socket, bytes.data(), bytes.size(), 0);
      if (size < 0 && errno == EAGAIN) continue;
      const std::string_view reply(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
      if (!reply.starts_with(expected_))
        throw std::runtime_error(server_.name + ": expected " + expected_ + ", got '" +
                                 std::string(reply.substr(0, reply.find('\r'))) + "'");
      ++replies;
      if (!warms_up) latencies.push_back(microseconds_of(Clock::now() - sent_at_[socket]));
      idle_.push_back(socket);
    }
    return replies;
  }

  const PacedServer& server_;
  int poll_;
  SystemCalls calls_;
  std::string request_;
  std::string expected_;
  std::unordered_map<int, Clock::time_point> sent_at_;  // by socket
  std::deque<int> idle_;
};

}  // namespace

std::vector<PacedMeasurement> measure_paced(const std::vector<PacedServer>& servers, const std::string& body,
                                            const Pace& pace, const std::function<void()>& between) {
  std::vector<std::unique_ptr<PacedClient>> clients;
  for (const PacedServer& server : servers) clients.push_back(std::make_unique<PacedClient>(server, body));
  for (std::size_t round = 0; round <= kRounds; ++round) {
    for (const auto& client : clients) client->run(pace, round == 0);
    between();
  }
  std::vector<PacedMeasurement> results;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const PacedClient& client = *clients[i];
    const PacedClient& yardstick = *clients[servers[i].yardstick];
    std::vector<double> ratios;
    for (std::size_t round = 0; round < client.cpu.size(); ++round)
      ratios.push_back(client.cpu[round] / yardstick.cpu[round]);
    results.push_back({quantile(client.rates, 0.5), quantile(client.cpu, 0.5), quantile(ratios, 0.5),
                       quantile(client.latencies, 0.5), quantile(client.latencies, 0.99),
                       client.calls.empty() ? std::nullopt : std::optional(quantile(client.calls, 0.5))});
  }
  return results;
}

}  // namespace eventgate::bench
