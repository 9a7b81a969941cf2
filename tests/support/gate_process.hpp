#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "becomes.hpp"
#include "paths.hpp"
#include "temporary_folder.hpp"

extern char** environ;

namespace eventgate {

/// What a process is started with, as systemd does it.
struct StartedWith {
  std::string environment;                ///< What a shell exports: `LISTEN_FDS=1 LISTEN_PID=$$`.
  int descriptor = -1;                    ///< Is 3 in the process.
  std::vector<std::string> options = {};  ///< Of `serve`, before the files: `--dev`.
};

/// Starts the program in the project's folder; what it writes goes to the file `log`. Its process id.
inline pid_t start_gate(const std::vector<std::string>& arguments, const std::string& log,
                        const StartedWith& with = {}) {
  std::vector<std::string> words{gate_binary()};
  if (!with.environment.empty())
    words = {"/bin/sh", "-c", "export " + with.environment + "; exec \"$0\" \"$@\"", gate_binary()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, source_dir().c_str());
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  if (with.descriptor >= 0) posix_spawn_file_actions_adddup2(&actions, with.descriptor, 3);
  pid_t pid;
  const int error = posix_spawn(&pid, argv.front(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + gate_binary());
  return pid;
}

/// What a run of the program came to.
struct GateRun {
  int status;  ///< Its exit code, or less than 0 if a signal ended it.
  std::string output;
};

/// Runs the program to its end.
inline GateRun run_gate(const std::vector<std::string>& arguments, const StartedWith& with = {}) {
  const TemporaryFolder folder;
  const std::string log = folder.path() + "/log";
  int status = 0;
  waitpid(start_gate(arguments, log, with), &status, 0);
  std::ifstream in(log);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), {std::istreambuf_iterator<char>(in), {}}};
}

/// `eventgate serve` as a process of its own, in the project's folder, with ports of its own: that of the metrics, too.
class GateProcess {
 public:
  /// `files`: config files, later ones over earlier ones; `config`: YAML over all of them. Returns once it listens, on
  /// `port` or, if that is 0, on any free one.
  explicit GateProcess(std::vector<std::string> files, const std::string& config, const StartedWith& with = {},
                       std::uint16_t port = 0) {
    files.push_back(folder_.write("ports.yaml", "port: " + std::to_string(port) +
                                                    "\ninterface: 127.0.0.1\nmetrics: {type: prometheus, port: 0}\n"));
    files.push_back(folder_.write("here.yaml", config));
    std::vector<std::string> arguments{"serve"};
    arguments.insert(arguments.end(), with.options.begin(), with.options.end());
    for (const std::string& file : files) arguments.insert(arguments.end(), {"-c", file});
    pid_ = start_gate(arguments, log_path(), with);
    while (!find_port()) {
      int status;
      if (waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = -1;
        throw std::runtime_error("the gate did not start: " + log());
      }
      ::usleep(10000);
    }
  }
  ~GateProcess() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  GateProcess(const GateProcess&) = delete;
  GateProcess& operator=(const GateProcess&) = delete;

  std::uint16_t port() const { return port_; }
  /// 0: metrics are not served, as `config` says.
  std::uint16_t metrics_port() const { return metrics_port_; }
  const std::string& folder() const { return folder_.path(); }
  pid_t process() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }

  /// Waits for its end. Its exit code, or less than 0 if a signal ended it.
  int wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  /// Returns what the log has now. A thread of the gate writes it: a line may come after the reply of the request that
  /// it is about.
  std::string log() const {
    std::ifstream in(log_path());
    return {std::istreambuf_iterator<char>(in), {}};
  }

  /// Returns the log once it has `text`, or as it is after 30 seconds.
  std::string log_with(std::string_view text) const {
    std::string all;
    becomes([&] { return (all = log()).find(text) != std::string::npos; });
    return all;
  }

 private:
  std::string log_path() const { return folder_.path() + "/log"; }

  bool find_port() {
    const std::string text = log();
    const std::size_t at = text.find("\"msg\":\"listening\"");
    const std::size_t end = at == std::string::npos ? at : text.find('\n', at);
    if (end == std::string::npos) return false;
    const std::string line = text.substr(at, end - at);
    const auto number = [&line](std::string_view name) -> std::uint16_t {
      const std::size_t found = line.find(name);
      return found == std::string::npos ? 0 : static_cast<std::uint16_t>(std::stoul(line.substr(found + name.size())));
    };
    port_ = number("\"port\":");
    metrics_port_ = number("\"metrics_port\":");
    return true;
  }

  TemporaryFolder folder_;
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
  std::uint16_t metrics_port_ = 0;
};

}  // namespace eventgate
