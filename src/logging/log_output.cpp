#include "log_output.hpp"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace eventgate {
namespace {

/// Returns the bytes at the start of `lines` that a pipe takes at once: whole lines, or PIPE_BUF bytes of a longer one.
std::size_t atomic_write_size(std::string_view lines) {
  if (lines.size() <= PIPE_BUF) return lines.size();
  const std::size_t end = lines.rfind('\n', PIPE_BUF - 1);
  return end == std::string_view::npos ? PIPE_BUF : end + 1;
}

}  // namespace

LogOutput::LogOutput(const std::string& output) {
  if (output == "stdout") {
    fd_ = STDOUT_FILENO;
  } else if (output == "stderr") {
    fd_ = STDERR_FILENO;
  } else {
    // Nonblocking: the open of a FIFO without a reader fails, and does not wait.
    fd_ = ::open(output.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
    if (fd_ < 0)
      throw std::runtime_error("Cannot write the log to '" + output + "': " + std::generic_category().message(errno) +
                               "; expected `stdout`, `stderr`, or a file that can be appended to");
    owned_ = true;
  }
  struct stat status;
  regular_ = ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
  terminal_ = ::isatty(fd_) == 1;
}

LogOutput::~LogOutput() {
  if (owned_) ::close(fd_);
}

int LogOutput::write(std::string_view& lines) const {
  while (!lines.empty()) {
    const ssize_t size = ::write(fd_, lines.data(), regular_ ? lines.size() : atomic_write_size(lines));
    if (size > 0) {
      lines.remove_prefix(static_cast<std::size_t>(size));
    } else if (size == 0) {
      return EIO;
    } else if (errno == EAGAIN) {
      pollfd ready{fd_, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace eventgate
