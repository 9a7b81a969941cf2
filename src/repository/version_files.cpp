#include "eventgate/repository/version_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string_view>

#include "eventgate/fetch/object_reader.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;

/// A file under its temporary name.
struct Move {
  const VersionFile* file;
  std::string temporary;
  bool is_new = false;
};

/// Writes a file under its temporary name. Returns 0 or an errno. It runs after a fork, so it makes only system calls.
int write_temporary(const Move& move) {
  if (move.file->is_link) return ::symlink(move.file->text.c_str(), move.temporary.c_str()) == 0 ? 0 : errno;
  const int file = ::open(move.temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (file < 0) return errno;
  std::string_view rest = move.file->text;
  int error = 0;
  while (!rest.empty() && error == 0) {
    const ssize_t size = ::write(file, rest.data(), rest.size());
    if (size >= 0)
      rest.remove_prefix(static_cast<std::size_t>(size));
    else if (errno != EINTR)
      error = errno;
  }
  if (::close(file) != 0 && error == 0) error = errno;
  return error;
}

/// An error, and the file that has it.
struct Failure {
  int error = 0;
  std::size_t index = 0;
};

Failure write_all(const std::vector<Move>& moves) {
  Failure failure;
  std::size_t written = 0;
  for (; written < moves.size(); ++written)
    if ((failure.error = write_temporary(moves[written])) != 0) break;
  failure.index = written;
  if (failure.error == 0) {
    for (std::size_t i = 0; i < moves.size() && failure.error == 0; ++i) {
      if (::rename(moves[i].temporary.c_str(), moves[i].file->path.c_str()) == 0) continue;
      failure = {errno, i};
      for (std::size_t j = 0; j < i; ++j)
        if (moves[j].is_new) ::unlink(moves[j].file->path.c_str());
    }
    if (failure.error == 0) return failure;
  }
  for (const Move& move : moves) ::unlink(move.temporary.c_str());
  return failure;
}

}  // namespace

bool VersionFile::is_there() const {
  std::error_code error;
  if (is_link && fs::is_symlink(fs::symlink_status(path, error))) return fs::read_symlink(path, error) == text;
  if (!is_link && fs::is_symlink(fs::symlink_status(path, error))) return false;
  const auto found = read_file_text(path, std::max<std::size_t>(text.size() + 1, 4096));
  if (!found) return false;
  return *found == text || (is_link && *found == text + '\n');
}

std::vector<SemanticVersion> versions_in(const std::string& folder) {
  std::vector<SemanticVersion> versions;
  std::error_code error;
  for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) {
    std::string name = it->path().filename().string();
    for (const char* const extension : {".yaml", ".json"})
      if (name.ends_with(extension)) name.erase(name.size() - 5);
    SemanticVersion version;
    if (read_version(name, version) && fs::exists(it->path(), error)) versions.push_back(version);
  }
  std::sort(versions.begin(), versions.end());
  versions.erase(std::unique(versions.begin(), versions.end()), versions.end());
  return versions;
}

std::vector<VersionFile> files_of(const MadeVersion& made, const JsonschemaToolsConfig& config,
                                  const std::string& folder) {
  SemanticVersion version;
  read_version(made.version, version);
  const std::vector<SemanticVersion> versions = versions_in(folder);
  const bool is_newest = versions.empty() || versions.back() <= version;
  const auto place = [&](const std::string& name) { return (fs::path(folder) / name).lexically_normal().string(); };
  std::vector<VersionFile> files;
  for (const auto& [type, text] : made.texts) files.push_back({place(made.version + '.' + type), text, false});
  const std::string first = made.version + '.' + made.texts.front().first;
  if (config.shouldSymlinkExtensionless) files.push_back({place(made.version), first, true});
  if (!config.shouldSymlinkLatest || !is_newest) return files;
  for (const auto& [type, text] : made.texts)
    files.push_back({place("latest." + type), made.version + '.' + type, true});
  if (config.shouldSymlinkExtensionless) files.push_back({place("latest"), first, true});
  return files;
}

void write_files(const std::vector<VersionFile>& files) {
  if (files.empty()) return;
  std::vector<Move> moves;
  for (const VersionFile& file : files) {
    const fs::path path = file.path;
    struct stat status {};
    const bool is_new = ::lstat(file.path.c_str(), &status) != 0;
    if (!is_new && S_ISDIR(status.st_mode)) throw std::runtime_error(file.path + ": expected a file, found a folder");
    const std::string name = '.' + path.filename().string() + ".eventgate-" + std::to_string(::getpid());
    moves.push_back({&file, (path.parent_path() / name).string(), is_new});
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error(std::string("no pipe: ") + std::strerror(errno));
  const pid_t child = ::fork();
  if (child < 0) {
    const int error = errno;
    ::close(ends[0]);
    ::close(ends[1]);
    throw std::runtime_error(std::string("no process: ") + std::strerror(error));
  }
  if (child == 0) {
    ::setsid();  // a signal to the group or terminal of this process does not reach the child
    const Failure failure = write_all(moves);
    ssize_t ignored = ::write(ends[1], &failure, sizeof failure);
    static_cast<void>(ignored);
    ::_exit(0);
  }
  ::close(ends[1]);
  Failure failure{EIO, 0};
  ssize_t size = 0;
  do size = ::read(ends[0], &failure, sizeof failure);
  while (size < 0 && errno == EINTR);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (size != sizeof failure) throw std::runtime_error("the process that writes files ended before it had written all");
  if (failure.error == 0) return;
  throw std::runtime_error(files[failure.index].path +
                           ": expected a place to write to: " + std::strerror(failure.error));
}

}  // namespace eventgate
