#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "bench.hpp"
#include "support/paths.hpp"

namespace eventgate::bench {
namespace {

volatile std::sig_atomic_t interrupted = 0;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

/// In a new process: on these cores, and never longer than the bench.
void settle_in(const cpu_set_t& where) {
  ::sched_setaffinity(0, sizeof where, &where);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
}

pid_t spawn(const std::vector<std::string>& arguments, const cpu_set_t& where, int out, int err) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) fail("fork");
  if (pid == 0) {
    settle_in(where);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  return pid;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) fail("waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int open_file(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) fail(path);
  return fd;
}

std::string starter() { return source_dir() + "/tests/support/kafka/kafka"; }

}  // namespace

void end_in_order_on_signals() {
  const auto note = [](int) { interrupted = 1; };
  std::signal(SIGINT, note);
  std::signal(SIGTERM, note);
}

const Cores& cores() {
  static const Cores kCores = [] {
    Cores result{};
    cpu_set_t all;
    ::sched_getaffinity(0, sizeof all, &all);
    result.apart = CPU_COUNT(&all) > 1;
    CPU_ZERO(&result.server);
    result.client = all;
    for (int core = 0; core < CPU_SETSIZE; ++core)
      if (CPU_ISSET(core, &all)) {
        CPU_SET(core, &result.server);
        if (result.apart) CPU_CLR(core, &result.client);
        break;
      }
    return result;
  }();
  return kCores;
}

Process::Process(const std::vector<std::string>& arguments, const cpu_set_t& where,
                 const std::filesystem::path& output) {
  const int fd = open_file(output);
  pid_ = spawn(arguments, where, fd, fd);
  ::close(fd);
}

Process::Process(const std::function<void()>& body, const cpu_set_t& where) {
  pid_ = ::fork();
  if (pid_ < 0) fail("fork");
  if (pid_ == 0) {
    settle_in(where);
    body();
    ::_exit(0);
  }
}

Process::~Process() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Process::running() {
  if (pid_ < 0) return false;
  if (::waitpid(pid_, nullptr, WNOHANG) == 0) return true;
  pid_ = -1;
  return false;
}

int Process::wait() {
  const int code = wait_for(pid_);
  pid_ = -1;
  return code;
}

void Process::stop() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGTERM);
  wait();
}

double Process::cpu_microseconds() const {
  clockid_t clock;
  timespec time{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &time) != 0) fail("CPU clock of a process");
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

std::size_t Process::resident() const {
  std::istringstream lines(read_file("/proc/" + std::to_string(pid_) + "/status"));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("VmRSS:")) return std::strtoul(line.c_str() + 6, nullptr, 10) * 1024;
  throw std::runtime_error("no VmRSS of process " + std::to_string(pid_));
}

std::string output_of(const std::vector<std::string>& arguments) {
  const TemporaryDirectory directory;
  const std::filesystem::path out = directory.path() / "out", err = directory.path() / "err";
  const int out_fd = open_file(out), err_fd = open_file(err);
  const pid_t pid = spawn(arguments, cores().client, out_fd, err_fd);
  ::close(out_fd);
  ::close(err_fd);
  const int code = wait_for(pid);
  if (std::exchange(interrupted, 0)) throw std::runtime_error("interrupted");
  if (code != 0)
    throw std::runtime_error(arguments[0] + (code == 127 ? " is not installed" : " failed: " + read_file(err)));
  return read_file(out);
}

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "eventgate-bench-XXXXXX").string();
  if (!::mkdtemp(name.data())) fail(name);
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Broker::Broker(const std::filesystem::path& directory) : directory_(directory) {
  bootstrap_ = output_of({starter(), "start", directory_, "--watch", std::to_string(::getpid())});
  bootstrap_.resize(bootstrap_.find_last_not_of('\n') + 1);
}

Broker::~Broker() {
  try {
    output_of({starter(), "stop", directory_});
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
  }
}

pid_t Broker::pid() const { return std::stoi(read_file(std::filesystem::path(directory_) / "pid")); }

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  if (!(file << text).flush()) fail(path);
}

int listen_on_loopback(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, any, size) != 0 || ::listen(fd, 1024) != 0 || ::getsockname(fd, any, &size) != 0)
    fail("listening on loopback");
  port = ::ntohs(address.sin_port);
  return fd;
}

std::uint16_t free_port() {
  std::uint16_t port = 0;
  ::close(listen_on_loopback(port));
  return port;
}

}  // namespace eventgate::bench
