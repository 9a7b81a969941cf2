#include "eventgate/files/file_source.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "topic_files.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;

/// Tells listeners of changes in directories, on a thread of its own.
///
/// Thread-safe.
class DirectoryWatcher {
 public:
  /// What a change calls, until `remove` has returned.
  class Listener {
   public:
    virtual ~Listener() = default;
    /// Must not block, and must not call the watcher.
    virtual void changed() = 0;
  };

  /// Throws std::system_error.
  DirectoryWatcher() : inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)), wake_(::eventfd(0, EFD_CLOEXEC)) {
    if (inotify_ < 0 || wake_ < 0) throw std::system_error(errno, std::generic_category(), "inotify");
    thread_ = std::thread([this] { run(); });
  }
  ~DirectoryWatcher() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof(one));
    thread_.join();
    ::close(inotify_);
    ::close(wake_);
  }

  /// Calls `listener` for changes in `directories`, too. A directory that does not exist is passed over.
  void add(Listener& listener, const std::vector<fs::path>& directories) {
    const std::lock_guard lock(mutex_);
    for (const fs::path& directory : directories) {
      const int watch =
          ::inotify_add_watch(inotify_, directory.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
      if (watch < 0) continue;
      std::vector<Listener*>& listeners = listeners_[watch];
      if (std::find(listeners.begin(), listeners.end(), &listener) == listeners.end()) listeners.push_back(&listener);
    }
  }

  void remove(Listener& listener) {
    const std::lock_guard lock(mutex_);
    for (auto it = listeners_.begin(); it != listeners_.end();) {
      std::erase(it->second, &listener);
      if (it->second.empty()) {
        ::inotify_rm_watch(inotify_, it->first);
        it = listeners_.erase(it);
      } else {
        ++it;
      }
    }
  }

 private:
  void run() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    alignas(inotify_event) char buffer[16 * 1024];
    for (;;) {
      pollfd ready[2] = {{inotify_, POLLIN, 0}, {wake_, POLLIN, 0}};
      if (::poll(ready, 2, -1) < 0 && errno != EINTR) return;
      if (ready[1].revents != 0) return;
      const ssize_t size = ::read(inotify_, buffer, sizeof(buffer));
      const std::lock_guard lock(mutex_);
      for (ssize_t at = 0; at < size;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
        if ((event->mask & IN_Q_OVERFLOW) != 0) {
          for (const auto& [watch, listeners] : listeners_)
            for (Listener* listener : listeners) listener->changed();
        } else if (const auto found = listeners_.find(event->wd); found != listeners_.end()) {
          for (Listener* listener : found->second) listener->changed();
          // The kernel has removed the watch together with the directory.
          if ((event->mask & IN_IGNORED) != 0) listeners_.erase(found);
        }
      }
    }
  }

  const int inotify_;
  const int wake_;
  std::mutex mutex_;
  std::map<int, std::vector<Listener*>> listeners_;  // by watch
  std::thread thread_;
};

class FileTail final : public RecordTail, private DirectoryWatcher::Listener {
 public:
  FileTail(const TopicFiles& files, DirectoryWatcher& watcher, std::string topic, std::int64_t offset,
           std::function<void()> on_readable)
      : files_(files),
        watcher_(watcher),
        topic_(std::move(topic)),
        next_(offset),
        on_readable_(std::move(on_readable)) {}
  ~FileTail() override { watcher_.remove(*this); }

  void read(TailRead& into, std::size_t max_bytes) override {
    if (!std::exchange(started_, true)) into.started.push_back({0, next_});
    armed_ = false;
    if (read_on(into, max_bytes)) return;
    // A directory that is made before its watch is set is found by looking again. What comes after the watches are set
    // calls `changed`, which has an effect from here on; what came before them is read now.
    armed_ = true;
    std::vector<fs::path> directories;
    do {
      directories = files_.watched_directories(topic_);
      watcher_.add(*this, directories);
    } while (files_.watched_directories(topic_) != directories);
    if (read_on(into, max_bytes)) armed_ = false;
  }

  std::int64_t lag() const override { return at_end_ ? 0 : 1; }

 private:
  bool read_on(TailRead& into, std::size_t max_bytes) {
    FetchedRecords fetched = files_.fetch(topic_, next_, max_bytes);
    // A line that was written after the end was read would have been read: the hour was deleted later, and lost
    // nothing.
    const bool lost_nothing = at_end_ && fetched.gap && fetched.gap->from < fetched.gap->to;
    next_ = fetched.next;
    at_end_ = fetched.at_end;
    if (fetched.gap && !lost_nothing) into.gaps.push_back(*fetched.gap);
    for (SourceRecord& record : fetched.records) into.records.push_back(std::move(record));
    return !into.empty();
  }

  void changed() override {
    if (armed_.exchange(false)) on_readable_();
  }

  const TopicFiles& files_;
  DirectoryWatcher& watcher_;
  const std::string topic_;
  std::int64_t next_;
  const std::function<void()> on_readable_;
  bool started_ = false;
  bool at_end_ = false;
  std::atomic<bool> armed_{false};  // the next change calls `on_readable_`
};

class FileSource final : public RecordSource {
 public:
  explicit FileSource(FileSourceOptions options) : files_(directory_of(options), std::move(options.dt_field)) {}

  std::string_view name() const override { return "file"; }

  SourceResult<std::vector<TopicBounds>> bounds(std::span<const std::string> topics, Deadline) override {
    if (stopped_) return failure();
    std::vector<TopicBounds> found;
    for (const std::string& topic : topics) found.push_back({true, {files_.bounds(topic)}});
    return found;
  }

  SourceResult<std::vector<std::optional<std::int64_t>>> offsets_at(std::span<const PartitionTime> times,
                                                                    Deadline) override {
    std::vector<std::optional<std::int64_t>> found;
    for (const PartitionTime& time : times) {
      if (stopped_) return failure();
      found.push_back(time.id.partition == 0 ? files_.offset_at(time.id.topic, time.timestamp) : std::nullopt);
    }
    return found;
  }

  SourceResult<std::vector<std::optional<RecordPlace>>> records_at(std::span<const PartitionOffset> offsets,
                                                                   Deadline) override {
    std::vector<std::optional<RecordPlace>> found;
    for (const PartitionOffset& wanted : offsets) {
      if (stopped_) return failure();
      std::optional<RecordPlace>& place = found.emplace_back();
      if (wanted.id.partition != 0) continue;
      const FetchedRecords fetched = files_.fetch(wanted.id.topic, std::max<std::int64_t>(wanted.offset, 0), 1);
      // Beyond the end, `fetch` goes back to it.
      if (!fetched.records.empty() && fetched.records.front().offset >= wanted.offset)
        place = RecordPlace{fetched.records.front().offset, fetched.records.front().timestamp};
    }
    return found;
  }

  SourceResult<FetchedRecords> fetch(const PartitionId& id, std::int64_t offset, std::size_t max_bytes,
                                     Deadline) override {
    if (stopped_) return failure();
    if (id.partition != 0) return FetchedRecords{{}, offset, std::nullopt, true};
    return files_.fetch(id.topic, std::max<std::int64_t>(offset, 0), max_bytes);
  }

  std::unique_ptr<RecordTail> tail(const std::string& topic, std::span<const PartitionOffset> from,
                                   std::function<void()> on_readable) override {
    std::int64_t offset = 0;
    for (const PartitionOffset& known : from)
      if (known.id.partition == 0) offset = known.offset;
    return std::make_unique<FileTail>(files_, watcher_, topic, offset, std::move(on_readable));
  }

  std::optional<std::string> away_reason() const override { return std::nullopt; }
  void stop() override { stopped_ = true; }

 private:
  static fs::path directory_of(const FileSourceOptions& options) {
    fs::path directory(options.output_path);
    return directory.has_filename() ? directory : directory.parent_path();
  }
  static SourceFailure failure() { return {SourceFailure::Kind::stopped, "The read side stops"}; }

  const TopicFiles files_;
  DirectoryWatcher watcher_;
  std::atomic<bool> stopped_{false};
};

}  // namespace

std::unique_ptr<RecordSource> make_file_source(FileSourceOptions options) {
  return std::make_unique<FileSource>(std::move(options));
}

}  // namespace eventgate
