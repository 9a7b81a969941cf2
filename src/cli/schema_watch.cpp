#include "schema_watch.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <ostream>
#include <set>
#include <stdexcept>

#include "eventgate/fetch/object_reader.hpp"
#include "eventgate/json/printable.hpp"
#include "eventgate/repository/version_builder.hpp"
#include "schema_build.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;

/// Milliseconds without a change after which a saved file is built. Editors write a file in several steps.
constexpr int kQuiet = 50;

/// Reports the files that change in a folder and the folders below it.
class FolderWatch {
 public:
  explicit FolderWatch(const fs::path& folder) : inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (inotify_ < 0) throw std::runtime_error(std::string("inotify: ") + std::strerror(errno));
    add(folder, nullptr);
  }
  ~FolderWatch() { ::close(inotify_); }
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  struct Changes {
    std::set<std::string> files;
    bool lost = false;  ///< The kernel dropped changes, so any file may have changed.
  };

  /// Blocks until something has changed and then, for a moment, nothing more.
  Changes wait() {
    Changes changes;
    int timeout = -1;
    for (;;) {
      pollfd ready{inotify_, POLLIN, 0};
      const int count = ::poll(&ready, 1, timeout);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) throw std::runtime_error(std::string("inotify: ") + std::strerror(errno));
      if (count == 0) return changes;
      parse_body(changes);
      if (!changes.files.empty() || changes.lost) timeout = kQuiet;
    }
  }

 private:
  static constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE;

  void add(const fs::path& folder, Changes* changes) {
    const int watch = ::inotify_add_watch(inotify_, folder.c_str(), kEvents | IN_ONLYDIR);
    if (watch < 0) {
      if (changes && errno == ENOENT) return;
      throw std::runtime_error(folder.string() + ": expected a folder that inotify can watch: " + std::strerror(errno));
    }
    folders_[watch] = folder;
    std::error_code error;
    for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator();
         it.increment(error)) {
      const std::string name = it->path().filename().string();
      const fs::file_status status = it->symlink_status(error);
      if (fs::is_directory(status)) {
        if (!name.starts_with('.') && name != "node_modules") add(it->path(), changes);
      } else if (changes) {
        changes->files.insert(it->path().lexically_normal().string());
      }
    }
  }

  void parse_body(Changes& changes) {
    alignas(inotify_event) char buffer[16 * 1024];
    for (;;) {
      const ssize_t size = ::read(inotify_, buffer, sizeof buffer);
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return;
      for (ssize_t at = 0; at < size;) {
        inotify_event event{};
        std::memcpy(&event, buffer + at, sizeof event);
        const char* const name = buffer + at + sizeof event;
        at += static_cast<ssize_t>(sizeof event + event.len);
        if ((event.mask & IN_Q_OVERFLOW) != 0) changes.lost = true;
        if ((event.mask & IN_IGNORED) != 0) folders_.erase(event.wd);
        const auto folder = folders_.find(event.wd);
        if (folder == folders_.end() || event.len == 0 || name[0] == '.') continue;
        const fs::path path = folder->second / name;
        if ((event.mask & IN_ISDIR) != 0) {
          add(path, &changes);
        } else if ((event.mask & IN_CREATE) == 0) {  // the file is written next
          changes.files.insert(path.lexically_normal().string());
        }
      }
    }
  }

  const int inotify_;
  std::map<int, fs::path> folders_;
};

void report(const SchemaBuild& build, std::ostream& out) {
  for (const RepositoryProblem& problem : build.problems) out << problem.text() << '\n';
  if (build.problems.empty()) {
    for (const std::string& file : build.files) out << printable("wrote " + file) << '\n';
    if (build.files.empty())
      for (const std::string& built : build.built) out << printable(built + ": no change") << '\n';
    for (const std::string& dependent : build.dependents) out << printable("note: " + dependent) << '\n';
  }
  out.flush();
}

}  // namespace

int watch_schemas(const std::vector<std::string>& currents, const JsonschemaToolsConfig& config,
                  const SchemaBuildOptions& options, ObjectReader& reader, std::ostream& out) {
  FolderWatch watch(config.base());
  std::set<std::string> own;
  std::set<std::string> failed;  // currents that are built again when something else changes
  // Each is built alone, so a broken one does not hold up the others.
  const auto build = [&](const std::set<std::string>& files) {
    bool wrote = false;
    for (const std::string& file : files) {
      SchemaBuild result;
      try {
        result = build_schemas({file}, config, options, reader, &own);
      } catch (const std::exception& error) {
        result.problems.push_back({file, 0, "", "schema-build", error.what()});
      }
      if (result.problems.empty())
        failed.erase(file);
      else
        failed.insert(file);
      wrote = wrote || !result.files.empty();
      report(result, out);
    }
    return wrote;
  };
  // One may need a version that another one builds.
  const auto build_and_retry = [&](const std::set<std::string>& files) {
    if (build(files) && !failed.empty()) build(std::set<std::string>(failed));
  };
  build_and_retry({currents.begin(), currents.end()});
  out << printable("watching " + config.base().string()) << std::endl;
  for (;;) {
    const FolderWatch::Changes changes = watch.wait();
    std::set<std::string> files;
    if (changes.lost)
      for (std::string& file : VersionBuilder(config, reader).find_currents()) files.insert(std::move(file));
    bool others = false;
    for (const std::string& file : changes.files) {
      if (fs::path(file).filename() == config.current_file())
        files.insert(file);
      else
        others = others || !own.contains(file);
    }
    // A missing file may exist now.
    if (others || !files.empty()) {
      std::error_code error;
      for (const std::string& file : failed)
        if (fs::exists(file, error)) files.insert(file);
    }
    build_and_retry(files);
  }
}

}  // namespace eventgate
