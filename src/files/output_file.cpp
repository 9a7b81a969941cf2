#include "output_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace eventgate {
namespace {

constexpr std::chrono::milliseconds kPollInterval{100};  // between checks of `give_up` while a stream takes nothing

bool ends_in_line_end(const std::string& path, off_t size) {
  if (size == 0) return true;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  char last = '\n';
  if (fd >= 0) {
    if (::pread(fd, &last, 1, size - 1) != 1) last = '\n';
    ::close(fd);
  }
  return last == '\n';
}

/// Returns how many lines the first `written` bytes of `chunk` hold as a whole.
std::size_t count_whole_lines(const LineChunk& chunk, std::size_t written) {
  const auto after = std::upper_bound(chunk.lines.begin(), chunk.lines.end(), written,
                                      [](std::size_t bytes, const BufferedLine& line) { return bytes < line.end; });
  return static_cast<std::size_t>(after - chunk.lines.begin());
}

}  // namespace

std::string error_text(int error) { return std::generic_category().message(error); }

int OutputFile::open(const std::string& path, bool own, OutputFile& file) {
  // Nonblocking, so that a FIFO without a reader is an error, and `wait` waits for a slow reader with poll.
  OutputFile opened;
  opened.fd_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
  if (opened.fd_ < 0 || ::fstat(opened.fd_, &opened.status_) < 0) return errno;
  opened.path_ = path;
  if (opened.is_regular()) {
    opened.exclusive_ = own || ::flock(opened.fd_, LOCK_EX | LOCK_NB) == 0;
    opened.torn_ = opened.exclusive_ && !ends_in_line_end(path, opened.status_.st_size);
  }
  file = std::move(opened);
  return 0;
}

int OutputFile::open_stdout(OutputFile& file) {
  OutputFile opened;
  if (::fstat(STDOUT_FILENO, &opened.status_) < 0) return errno;
  // Opened again, a pipe is nonblocking in this process only, and not for the others that share it.
  if (S_ISFIFO(opened.status_.st_mode))
    opened.fd_ = ::open("/proc/self/fd/1", O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (opened.fd_ < 0) opened.fd_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  if (opened.fd_ < 0) return errno;
  file = std::move(opened);
  return 0;
}

void OutputFile::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void OutputFile::swap(OutputFile& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(status_, other.status_);
  std::swap(reopen_cause_, other.reopen_cause_);
  std::swap(exclusive_, other.exclusive_);
  std::swap(torn_, other.torn_);
  std::swap(checked_at, other.checked_at);
  std::swap(last_use, other.last_use);
}

bool OutputFile::is_watched() const {
  if (path_.empty() || !is_regular() || path_.starts_with("/proc/")) return false;
  return !path_.starts_with("/dev/") || path_.starts_with("/dev/shm/");
}

OutputFile::Place OutputFile::place() const {
  struct stat now;
  if (!is_watched() || ::fstat(fd_, &now) < 0) return Place::here;
  if (now.st_nlink == 0) return Place::removed;
  if (::stat(path_.c_str(), &now) < 0) return errno == ENOENT || errno == ENOTDIR ? Place::moved : Place::here;
  return now.st_ino == status_.st_ino && now.st_dev == status_.st_dev ? Place::here : Place::moved;
}

OutputFile::Written OutputFile::write(const LineChunk& chunk) {
  Written written;
  std::size_t done = 0;
  if (torn_) {
    std::size_t ignored = 0;
    written.error = write_bytes("\n", ignored, 1);
    if (written.error != 0) return written;
    torn_ = false;
  }
  written.error = write_bytes(chunk.bytes.data(), done, chunk.bytes.size());
  written.lines = count_whole_lines(chunk, done);
  const std::size_t boundary = written.lines == 0 ? 0 : chunk.lines[written.lines - 1].end;
  if (done > boundary) written.torn = torn_ = !cut_off(done - boundary);
  return written;
}

int OutputFile::write_bytes(const char* bytes, std::size_t& done, std::size_t end) {
  while (done < end) {
    const ssize_t written = ::write(fd_, bytes + done, end - done);
    if (written > 0) done += static_cast<std::size_t>(written);
    if (written == 0) return EIO;
    if (written < 0 && errno != EINTR && errno != EAGAIN) return errno;
  }
  return 0;
}

bool OutputFile::cut_off(std::size_t bytes) {
  struct stat now;
  return exclusive_ && ::fstat(fd_, &now) == 0 && now.st_size >= static_cast<off_t>(bytes) &&
         ::ftruncate(fd_, now.st_size - static_cast<off_t>(bytes)) == 0;
}

int OutputFile::send(const char* bytes, std::size_t& size) {
  const auto send_some = [this](const char* from, std::size_t count) -> ssize_t {
    for (;;) {
      pollfd ready{fd_, POLLOUT, 0};
      const int found = ::poll(&ready, 1, 0);
      if (found == 0) errno = EAGAIN;
      if (found == 0 || (found < 0 && errno != EINTR)) return -1;
      if (found < 0) continue;
      const ssize_t sent =
          S_ISSOCK(status_.st_mode) ? ::send(fd_, from, count, MSG_DONTWAIT | MSG_NOSIGNAL) : ::write(fd_, from, count);
      if (sent >= 0 || errno != EINTR) return sent;
    }
  };
  const std::size_t wanted = std::exchange(size, 0);
  if (torn_) {
    const ssize_t sent = send_some("\n", 1);
    if (sent <= 0) return sent == 0 ? EIO : errno;
    torn_ = false;
  }
  const ssize_t sent = send_some(bytes, wanted);
  if (sent <= 0) return sent == 0 ? EIO : errno;
  size = static_cast<std::size_t>(sent);
  return 0;
}

int OutputFile::wait(SteadyTime until, const std::atomic<bool>& give_up) const {
  for (;;) {
    if (give_up) return ECANCELED;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return ETIMEDOUT;
    pollfd ready{fd_, POLLOUT, 0};
    const int found = ::poll(&ready, 1, static_cast<int>(std::min<std::int64_t>(left.count(), kPollInterval.count())));
    if (found > 0) return 0;
    if (found < 0 && errno != EINTR) return errno;
  }
}

int OutputFile::sync() const { return !is_regular() || ::fdatasync(fd_) == 0 ? 0 : errno; }

int OutputFile::probe() const {
  if (S_ISFIFO(status_.st_mode) || S_ISSOCK(status_.st_mode)) {
    pollfd ready{fd_, POLLOUT, 0};
    if (::poll(&ready, 1, 0) <= 0) return EAGAIN;
    return (ready.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0 ? EPIPE : 0;
  }
  struct stat now;
  if (!is_regular()) return EPIPE;
  if (::fstat(fd_, &now) < 0) return errno;
  if (::fallocate(fd_, FALLOC_FL_KEEP_SIZE, now.st_size, 4096) == 0) return 0;
  if (errno != EOPNOTSUPP) return errno;
  struct statvfs space;
  if (::fstatvfs(fd_, &space) < 0) return errno;
  return space.f_bavail > 0 ? 0 : ENOSPC;
}

}  // namespace eventgate
