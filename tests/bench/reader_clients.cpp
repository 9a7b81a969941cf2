// The other ends of the rows about readers, each a process of its own: many clients of streams, and the least that a
// server can do for them, which writes frames that are made already.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <new>
#include <stdexcept>
#include <string_view>

#include "bench.hpp"
#include "readers.hpp"

namespace eventgate::bench {
namespace {

constexpr std::size_t kReadSize = 256 * 1024;

/// Asks for as many file descriptors as there may be.
void raise_file_limit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  address.sin_port = ::htons(port);
  if (fd >= 0 && ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  if (fd >= 0) ::close(fd);
  return -1;
}

/// What one client has got of its connection.
struct Connection {
  bool begun = false;
};

void note_received(SharedCounts& counts, Connection& connection, std::string_view bytes) {
  // The id of a stream that has begun; the raw server sends one, too.
  if (!connection.begun && bytes.find("id: ") != std::string_view::npos) {
    connection.begun = true;
    ++counts.begun;
  }
  const auto frames = static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), kMark));
  counts.bytes += bytes.size();
  if (frames == 0) return;
  const std::uint64_t all = counts.frames += frames;
  if (all >= counts.target && counts.reached_at == 0) counts.reached_at = monotonic_nanoseconds();
}

/// Writes all of it, and waits where the socket takes nothing.
void write_all(int fd, std::vector<iovec> parts) {
  for (std::size_t first = 0; first < parts.size();) {
    msghdr message{};
    message.msg_iov = parts.data() + first;
    message.msg_iovlen = parts.size() - first;
    const ssize_t sent = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) {
      pollfd wanted{fd, POLLOUT, 0};
      ::poll(&wanted, 1, -1);
      continue;
    }
    if (sent < 0) return;
    auto left = static_cast<std::size_t>(sent);
    for (; first < parts.size() && left >= parts[first].iov_len; ++first) left -= parts[first].iov_len;
    if (first == parts.size()) return;
    parts[first].iov_base = static_cast<char*>(parts[first].iov_base) + left;
    parts[first].iov_len -= left;
  }
}

}  // namespace

std::int64_t monotonic_nanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

SharedFile::SharedFile(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ::ftruncate(fd, sizeof(SharedCounts)) != 0) throw std::runtime_error(path.string() + ": not shared");
  void* memory = ::mmap(nullptr, sizeof(SharedCounts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (memory == MAP_FAILED) throw std::runtime_error(path.string() + ": not shared");
  counts_ = static_cast<SharedCounts*>(memory);  // zeros at first, which is what the atomics mean
}

SharedFile::~SharedFile() { ::munmap(counts_, sizeof(SharedCounts)); }

void run_clients(std::uint16_t port, std::size_t count, const std::filesystem::path& shared,
                 const std::string& request) {
  raise_file_limit();
  const SharedFile file(shared);
  SharedCounts& counts = file.counts();
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<Connection> connections;
  std::vector<char> buffer(kReadSize);
  epoll_event ready[256];
  const auto read_some = [&](int timeout) {
    const int found = ::epoll_wait(poll, ready, 256, timeout);
    for (int i = 0; i < found; ++i) {
      const int fd = static_cast<int>(ready[i].data.u64 & 0xFFFFFFFF);
      Connection& connection = connections[ready[i].data.u64 >> 32];
      const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (size > 0) {
        note_received(counts, connection, {buffer.data(), static_cast<std::size_t>(size)});
      } else if (size == 0 || errno != EAGAIN) {
        ++counts.ended;
        ::close(fd);
      }
    }
    return found;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const int fd = connect_to(port);
    if (fd < 0) throw std::runtime_error("only " + std::to_string(i) + " clients: are there enough file descriptors?");
    ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    connections.emplace_back();
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.u64 = static_cast<std::uint64_t>(i) << 32 | static_cast<std::uint32_t>(fd);
    ::epoll_ctl(poll, EPOLL_CTL_ADD, fd, &wanted);
    if (i % 64 == 0) read_some(0);
  }
  for (;;) read_some(-1);
}

void run_raw_server(const std::filesystem::path& shared, const std::filesystem::path& commands,
                    const std::string& frame, std::size_t frames_a_write) {
  raise_file_limit();
  const SharedFile file(shared);
  std::uint16_t port = 0;
  const int listener = listen_on_loopback(port);
  const int fifo = ::open(commands.c_str(), O_RDWR | O_CLOEXEC);
  file.counts().port = port;
  std::vector<int> connections;
  const std::vector<iovec> parts(frames_a_write, iovec{const_cast<char*>(frame.data()), frame.size()});
  for (;;) {
    pollfd wanted[2] = {{listener, POLLIN, 0}, {fifo, POLLIN, 0}};
    ::poll(wanted, 2, -1);
    while ((wanted[0].revents & POLLIN) != 0) {
      const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) break;
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      constexpr std::string_view kBegin = "HTTP/1.1 200 OK\r\n\r\n:ok\n\nid: []\n\n";
      ::send(fd, kBegin.data(), kBegin.size(), MSG_NOSIGNAL);
      connections.push_back(fd);
    }
    if ((wanted[1].revents & POLLIN) == 0) continue;
    std::uint32_t rounds = 0;
    if (::read(fifo, &rounds, sizeof rounds) != sizeof rounds) continue;
    for (std::uint32_t round = 0; round < rounds; ++round)
      for (const int fd : connections) write_all(fd, parts);
  }
}

}  // namespace eventgate::bench
