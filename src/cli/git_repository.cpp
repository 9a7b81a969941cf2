#include "git_repository.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string_view>

extern char** environ;

namespace eventgate {
namespace {

namespace fs = std::filesystem;

/// Splits output of git at NUL characters.
std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\0'), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

}  // namespace

GitRepository::GitRepository(const std::string& folder) : folder_(folder.empty() ? "." : folder) {
  const Output top = run({"rev-parse", "--show-toplevel"});
  if (top.status != 0) return;
  root_ = top.text.substr(0, top.text.find('\n'));
}

GitRepository::Output GitRepository::run(std::vector<std::string> arguments) const {
  // The repository may be a stranger's. No program that its config names is run.
  std::vector<std::string> words{"git", "-c", "core.fsmonitor=false"};
  // In a hook git sets these variables, relative to the working directory.
  if (!std::getenv("GIT_DIR")) {
    words.emplace_back("-C");
    words.push_back(folder_);
  }
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  int out[2];
  int err[2];
  if (::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipe for git");
  if (::pipe2(err, O_CLOEXEC) != 0) {
    ::close(out[0]);
    ::close(out[1]);
    throw std::runtime_error("no pipe for git");
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, "git", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  ::close(err[1]);
  Output output;
  if (failed != 0) {
    output.status = 127;
    output.error = std::strerror(failed);
  }
  pollfd ends[2] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  std::string* const texts[2] = {&output.text, &output.error};
  for (int open = failed == 0 ? 2 : 0; open > 0;) {
    if (::poll(ends, 2, -1) < 0 && errno != EINTR) break;
    for (int i = 0; i < 2; ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      char buffer[64 * 1024];
      const ssize_t size = ::read(ends[i].fd, buffer, sizeof buffer);
      if (size > 0) {
        texts[i]->append(buffer, static_cast<std::size_t>(size));
      } else if (size == 0 || errno != EINTR) {
        ends[i].fd = -1;
        --open;
      }
    }
  }
  ::close(out[0]);
  ::close(err[0]);
  if (failed == 0) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    output.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  }
  return output;
}

std::vector<std::string> GitRepository::changed_files(bool staged) const {
  const Output status = run({"status", "--porcelain=v1", "-z", "--untracked-files=all", "--",
                             fs::absolute(folder_).lexically_normal().string()});
  if (status.status != 0) throw std::runtime_error("git: " + status.error.substr(0, status.error.find('\n')));
  std::vector<std::string> files;
  const std::vector<std::string> entries = parts_of(status.text);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string& entry = entries[i];
    if (entry.size() < 4) continue;
    const char index = entry[0];
    if (index == 'R' || index == 'C') ++i;  // the former name follows
    if (staged && std::string_view("ACMRT").find(index) == std::string_view::npos) continue;
    const std::string file = root_ + '/' + entry.substr(3);
    std::error_code error;
    if (fs::exists(file, error)) files.push_back(file);
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool GitRepository::is_committed(const std::string& file) const {
  if (!knows_committed_) {
    knows_committed_ = true;
    const Output tree = run({"ls-tree", "-r", "-z", "--name-only", "--full-tree", "HEAD"});
    if (tree.status == 0)
      for (std::string& name : parts_of(tree.text)) committed_.insert(root_ + '/' + name);
  }
  std::error_code error;
  const fs::path path = file;
  const fs::path folder = fs::canonical(path.parent_path().empty() ? "." : path.parent_path(), error);
  return committed_.contains((folder / path.filename()).string());
}

void GitRepository::add(const std::vector<std::string>& files) const {
  std::vector<std::string> arguments{"add", "--"};
  for (const std::string& file : files) arguments.push_back(fs::absolute(file).lexically_normal().string());
  const Output added = run(std::move(arguments));
  if (added.status != 0) throw std::runtime_error("git add: " + added.error.substr(0, added.error.find('\n')));
}

}  // namespace eventgate
