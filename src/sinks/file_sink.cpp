#include "eventgate/sinks/file_sink.hpp"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <random>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "eventgate/metrics/intake_events.hpp"
#include "topic_name.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using SteadyTime = std::chrono::steady_clock::time_point;
using Hour = std::chrono::sys_time<std::chrono::hours>;

constexpr std::string_view kProducer = "file";
constexpr std::size_t kMaxOpenFiles = 128;
constexpr std::size_t kMaxWaitingBytes = 256u << 20;  // beyond it records are refused
constexpr std::size_t kWriteNowBytes = 256u << 10;    // as much is written before the I/O thread has come around
constexpr std::size_t kKeptBytes = 1u << 20;          // of a buffer's capacity, and
constexpr std::size_t kKeptChunks = 64;               // as many buffers are used again
constexpr std::chrono::seconds kLookAgain{1};

std::string reason(int error) { return std::generic_category().message(error); }

struct Line {
  DeliverySlot* slot;
  std::size_t end;  // in Chunk::bytes
  SteadyTime handed_over;
};

/// Lines for one file.
struct Chunk {
  std::string topic;  // empty if there is one file for all
  std::string bytes;
  std::vector<Line> lines;
};

/// Lines that wait, by file.
class Lines {
 public:
  bool empty() const { return used_ == 0; }
  std::size_t bytes() const { return bytes_; }
  std::span<const Chunk> chunks() const { return {chunks_.data(), used_}; }

  void append(std::string_view topic, std::string_view value, DeliverySlot* slot, SteadyTime handed_over) {
    Chunk& chunk = chunk_of(topic);
    const std::size_t begin = chunk.bytes.size();
    chunk.bytes.append(value);
    // JSON has line ends between tokens only, where a space says the same.
    for (const char line_end : {'\n', '\r'}) {
      char* at = chunk.bytes.data() + begin;
      char* const end = chunk.bytes.data() + chunk.bytes.size();
      while ((at = static_cast<char*>(std::memchr(at, line_end, static_cast<std::size_t>(end - at))))) *at++ = ' ';
    }
    chunk.bytes += '\n';
    chunk.lines.push_back({slot, chunk.bytes.size(), handed_over});
    bytes_ += chunk.bytes.size() - begin;
  }

  void clear() {
    for (std::size_t i = 0; i < used_; ++i) {
      Chunk& chunk = chunks_[i];
      if (chunk.bytes.capacity() > kKeptBytes) {
        chunk = Chunk();
      } else {
        chunk.bytes.clear();
        chunk.lines.clear();
      }
    }
    if (chunks_.size() > kKeptChunks) chunks_.resize(kKeptChunks);
    by_topic_.clear();
    used_ = last_ = bytes_ = 0;
  }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  Chunk& chunk_of(std::string_view topic) {
    if (used_ > 0 && chunks_[last_].topic == topic) return chunks_[last_];
    if (const auto found = by_topic_.find(topic); found != by_topic_.end()) return chunks_[last_ = found->second];
    if (used_ == chunks_.size()) chunks_.emplace_back();
    by_topic_.emplace(topic, used_);
    last_ = used_++;
    chunks_[last_].topic = topic;
    return chunks_[last_];
  }

  std::vector<Chunk> chunks_;  // the first `used_` hold lines
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> by_topic_;
  std::size_t used_ = 0;
  std::size_t last_ = 0;
  std::size_t bytes_ = 0;
};

/// An open output.
class File {
 public:
  File() = default;
  File(File&& other) noexcept { *this = std::move(other); }
  File& operator=(File&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(path_, other.path_);
    std::swap(status_, other.status_);
    alone_ = other.alone_;
    torn_ = other.torn_;
    return *this;
  }
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }

  /// Opens or makes the file at `path`. `own`: no other process writes there. Otherwise a lock tells.
  static int open(const std::string& path, bool own, File& file) {
    // Nonblocking, so that a FIFO without a reader is an error and one with a slow reader is waited for with poll.
    File opened;
    opened.fd_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
    if (opened.fd_ < 0 || ::fstat(opened.fd_, &opened.status_) < 0) return errno;
    opened.path_ = path;
    if (opened.regular()) {
      opened.alone_ = own || ::flock(opened.fd_, LOCK_EX | LOCK_NB) == 0;
      opened.torn_ = opened.alone_ && !ends_in_line_end(path, opened.status_.st_size);
    }
    file = std::move(opened);
    return 0;
  }

  static int open_stdout(File& file) {
    File opened;
    opened.fd_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    if (opened.fd_ < 0 || ::fstat(opened.fd_, &opened.status_) < 0) return errno;
    file = std::move(opened);
    return 0;
  }

  bool is_open() const { return fd_ >= 0; }
  bool regular() const { return S_ISREG(status_.st_mode); }
  bool alone() const { return alone_; }

  /// Whether its path now names another file, or none.
  bool moved() const {
    if (path_.empty() || !regular()) return false;
    struct stat now;
    return ::stat(path_.c_str(), &now) < 0 || now.st_ino != status_.st_ino || now.st_dev != status_.st_dev;
  }

  struct Written {
    std::size_t lines = 0;  // whole lines, from the first
    bool torn = false;      // a part of the one after them is there, too, and stays
    int error = 0;
  };

  Written write(const Chunk& chunk, const std::atomic<bool>& give_up) {
    Written written;
    std::size_t done = 0;
    if (torn_) {
      std::size_t ignored = 0;
      written.error = write_bytes("\n", ignored, 1, give_up);
      if (written.error != 0) return written;
      torn_ = false;
    }
    if (regular()) {
      written.error = write_bytes(chunk.bytes.data(), done, chunk.bytes.size(), give_up);
      written.lines = whole_lines(chunk, done);
    } else {
      // A pipe takes as much as this in one piece, so what others write to it falls between lines.
      while (written.lines < chunk.lines.size() && written.error == 0) {
        std::size_t next = written.lines + 1;
        while (next < chunk.lines.size() && chunk.lines[next].end - done <= PIPE_BUF) ++next;
        written.error = write_bytes(chunk.bytes.data(), done, chunk.lines[next - 1].end, give_up);
        written.lines = whole_lines(chunk, done);
      }
    }
    const std::size_t boundary = written.lines == 0 ? 0 : chunk.lines[written.lines - 1].end;
    if (done > boundary) written.torn = torn_ = !cut_off(done - boundary);
    return written;
  }

  int sync() const { return !regular() || ::fdatasync(fd_) == 0 ? 0 : errno; }

  /// Whether a write is likely to succeed again.
  int probe() const {
    struct stat now;
    if (!regular()) return EPIPE;
    if (::fstat(fd_, &now) < 0) return errno;
    if (::fallocate(fd_, FALLOC_FL_KEEP_SIZE, now.st_size, 4096) == 0) return 0;
    if (errno != EOPNOTSUPP) return errno;
    struct statvfs space;
    if (::fstatvfs(fd_, &space) < 0) return errno;
    return space.f_bavail > 0 ? 0 : ENOSPC;
  }

  Hour hour{};
  SteadyTime looked{};
  std::uint64_t used = 0;

 private:
  static bool ends_in_line_end(const std::string& path, off_t size) {
    if (size == 0) return true;
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char last = '\n';
    if (fd >= 0) {
      if (::pread(fd, &last, 1, size - 1) != 1) last = '\n';
      ::close(fd);
    }
    return last == '\n';
  }

  static std::size_t whole_lines(const Chunk& chunk, std::size_t done) {
    const auto after = std::upper_bound(chunk.lines.begin(), chunk.lines.end(), done,
                                        [](std::size_t bytes, const Line& line) { return bytes < line.end; });
    return static_cast<std::size_t>(after - chunk.lines.begin());
  }

  int write_bytes(const char* bytes, std::size_t& done, std::size_t end, const std::atomic<bool>& give_up) {
    while (done < end) {
      if (!regular()) {
        pollfd ready{fd_, POLLOUT, 0};
        while (::poll(&ready, 1, 100) <= 0)
          if (give_up) return ETIMEDOUT;
      }
      const std::size_t most = regular() ? end - done : std::min<std::size_t>(end - done, PIPE_BUF);
      const ssize_t written = ::write(fd_, bytes + done, most);
      if (written > 0) done += static_cast<std::size_t>(written);
      if (written == 0) return EIO;
      if (written < 0 && errno != EINTR && errno != EAGAIN) return errno;
    }
    return 0;
  }

  bool cut_off(std::size_t bytes) {
    struct stat now;
    return regular() && alone_ && ::fstat(fd_, &now) == 0 && now.st_size >= static_cast<off_t>(bytes) &&
           ::ftruncate(fd_, now.st_size - static_cast<off_t>(bytes)) == 0;
  }

  int fd_ = -1;
  std::string path_;  // empty: stdout
  struct stat status_ {};
  bool alone_ = false;  // nobody else writes, so the end is ours to cut
  bool torn_ = false;   // it ends within a line
};

/// `20261122T021530Z-5f3a90c1`: when this output started, and chance, so that no two share a file.
std::string start_name(std::chrono::system_clock::time_point now) {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(now - day));
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "%04d%02u%02uT%02d%02d%02dZ-%08x", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()), static_cast<unsigned>(std::random_device()()));
  return text.data();
}

std::string partition_name(Hour hour) {
  const auto day = std::chrono::floor<std::chrono::days>(hour);
  const std::chrono::year_month_day date(day);
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "year=%04d/month=%02u/day=%02u/hour=%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>((hour - day).count()));
  return text.data();
}

/// The number in a name like `month=11`.
std::optional<int> partition_value(std::string_view name, std::string_view key) {
  int value = 0;
  if (!name.starts_with(key)) return std::nullopt;
  name.remove_prefix(key.size());
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  if (error != std::errc() || end != name.data() + name.size() || value < 0) return std::nullopt;
  return value;
}

/// The directories of `parent` whose names are `key` and a number. Links are not followed.
std::vector<std::pair<int, fs::path>> partitions(const fs::path& parent, std::string_view key) {
  std::vector<std::pair<int, fs::path>> found;
  std::error_code ignored;
  for (fs::directory_iterator it(parent, ignored), end; it != end; it.increment(ignored)) {
    if (!fs::is_directory(it->symlink_status(ignored))) continue;
    if (const auto value = partition_value(it->path().filename().native(), key)) found.emplace_back(*value, it->path());
  }
  return found;
}

/// The partitions below `directory` that ended at `limit` or before.
std::vector<fs::path> partitions_before(const fs::path& directory, std::chrono::system_clock::time_point limit) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (fs::directory_iterator it(directory, ignored), end; it != end; it.increment(ignored)) {
    if (!fs::is_directory(it->symlink_status(ignored))) continue;
    for (const auto& [year, year_path] : partitions(it->path(), "year="))
      for (const auto& [month, month_path] : partitions(year_path, "month="))
        for (const auto& [day, day_path] : partitions(month_path, "day="))
          for (const auto& [hour, hour_path] : partitions(day_path, "hour=")) {
            const std::chrono::year_month_day date(std::chrono::year(year),
                                                   std::chrono::month(static_cast<unsigned>(month)),
                                                   std::chrono::day(static_cast<unsigned>(day)));
            if (!date.ok() || hour > 23) continue;
            if (std::chrono::sys_days(date) + std::chrono::hours(hour + 1) <= limit) found.push_back(hour_path);
          }
  }
  return found;
}

/// Makes what was created on the way to `path` outlast a power cut.
void sync_directories(fs::path path, const fs::path& top) {
  while (path.has_parent_path() && path != path.parent_path()) {
    path = path.parent_path();
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
      ::fsync(fd);
      ::close(fd);
    }
    if (path == top) return;
  }
}

/// What the sink and its thread share, so that a thread stuck in a dead file system can be left behind.
class FileOutput : public std::enable_shared_from_this<FileOutput> {
 public:
  FileOutput(FileSinkOptions options, IntakeEvents& events) : options_(std::move(options)), events_(events) {
    std::error_code error;
    const std::string& path = options_.output_path;
    directory_mode_ = path != "stdout" && (path.ends_with('/') || fs::is_directory(path, error));
    start_name_ = start_name(options_.now());
    int failed = 0;
    if (path == "stdout") {
      failed = File::open_stdout(files_[""]);
    } else if (directory_mode_) {
      directory_ = fs::path(path);
      if (!directory_.has_filename()) directory_ = directory_.parent_path();
      fs::create_directories(directory_, error);
      failed = error ? error.value() : ::access(directory_.c_str(), W_OK | X_OK) == 0 ? 0 : errno;
    } else {
      failed = File::open(path, false, files_[""]);
      if (failed == 0 && files_[""].regular() && !files_[""].alone())
        events_.sink_warning(kProducer, "output_path '" + path +
                                            "': another process writes to it, so a line that a full disk tears cannot "
                                            "be cut off; give each its own file, or name a directory");
    }
    if (failed != 0)
      throw std::runtime_error("output_path '" + path +
                               "': expected a file, `stdout` or a directory that can be written: " + reason(failed));
  }

  void produce(std::span<const Record> records);
  std::optional<std::string> unready() const;
  void run();
  /// Whether the thread has ended.
  bool stop(SteadyTime deadline);

 private:
  struct Outcome {
    std::size_t lines = 0;  // whole lines
    bool torn = false;      // the next is there in part
    bool synced = true;     // or nothing is certain
    std::string message;
  };

  void flush();
  void write_out();
  bool begin_report();
  void end_report();
  void settle(const Chunk& chunk, const Outcome& outcome, SteadyTime now);
  File* file_for(const std::string& topic, std::string& message);
  void trouble(const std::string& topic, const std::string& message);
  void recovered();
  void probe();
  void turn_of_the_hour();
  void delete_expired();
  std::chrono::nanoseconds longest_wait() const;

  FileSinkOptions options_;
  IntakeEvents& events_;
  bool directory_mode_ = false;
  fs::path directory_;
  std::string start_name_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable ended_;
  Lines waiting_;
  bool flush_ = false;   // the thread is to look
  bool posted_ = false;  // an I/O thread will call `flush`
  bool stopping_ = false;
  bool reporting_ = false;
  bool left_behind_ = false;
  bool done_ = false;
  std::string unready_;  // why, empty if it can produce
  std::atomic<bool> ready_{true};
  std::atomic<bool> give_up_{false};

  // The thread's own, but that `stop` reads the slots of `working_` when the thread is stuck in writing them.
  Lines working_;
  std::unordered_map<std::string, File> files_;  // by topic, or one of no name
  std::uint64_t uses_ = 0;
  Hour hour_{};
  std::vector<fs::path> expired_;
  std::string failed_topic_;
};

void FileOutput::produce(std::span<const Record> records) {
  if (records.empty()) return;
  events_.record_handed_over(kProducer, records.size());
  const SteadyTime now = std::chrono::steady_clock::now();
  const IoExecutor executor = records.front().slot->executor();
  // What was refused, to be settled without the lock.
  std::vector<std::pair<const Record*, std::string>> refused;
  bool post = false;
  {
    const std::lock_guard lock(mutex_);
    for (const Record& record : records) {
      if (stopping_) {
        refused.emplace_back(&record, "The output is being closed");
      } else if (directory_mode_ && !is_kafka_name(record.topic)) {
        refused.emplace_back(&record, kNoKafkaName);
      } else if (waiting_.bytes() + record.value.size() > kMaxWaitingBytes) {
        refused.emplace_back(&record, "The output '" + options_.output_path +
                                          "' is too slow: " + std::to_string(waiting_.bytes()) + " bytes wait for it");
      } else {
        waiting_.append(directory_mode_ ? record.topic : std::string_view(), record.value, record.slot, now);
      }
    }
    if (!waiting_.empty() && !flush_) {
      if (waiting_.bytes() >= kWriteNowBytes) {
        flush_ = true;
        wake_.notify_one();
      } else if (!posted_) {
        post = posted_ = true;
      }
    }
  }
  // Behind the requests that are ready now, so that all of them cost one wake-up and one write.
  if (post) boost::asio::post(executor, [self = shared_from_this()] { self->flush(); });
  for (auto& [record, message] : refused) {
    events_.record_failed(kProducer, record->topic, kProducer, message);
    record->slot->fail({Delivery::not_produced, std::move(message)});
  }
}

void FileOutput::flush() {
  {
    const std::lock_guard lock(mutex_);
    posted_ = false;
    flush_ = true;
  }
  wake_.notify_one();
}

std::optional<std::string> FileOutput::unready() const {
  if (ready_.load(std::memory_order_acquire)) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return unready_.empty() ? std::nullopt : std::optional(unready_);
}

void FileOutput::run() {
  // Signals are for others; and a limit on file sizes or a closed pipe is to be an error, not a signal.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  // On a core that it shares with an I/O thread it does not interrupt that one: more lines then go with each write.
  const sched_param priority{};
  if (::sched_getscheduler(0) == SCHED_OTHER) ::sched_setscheduler(0, SCHED_BATCH, &priority);

  std::unique_lock lock(mutex_);
  for (;;) {
    const auto called = [this] { return flush_ || stopping_; };
    if (!called()) {
      lock.unlock();
      turn_of_the_hour();
      const auto wait = longest_wait();
      lock.lock();
      if (wait.count() > 0) wake_.wait_for(lock, wait, called);
    }
    if (stopping_ && waiting_.empty()) break;
    flush_ = false;
    std::swap(waiting_, working_);
    lock.unlock();
    turn_of_the_hour();
    if (!working_.empty()) {
      write_out();
    } else if (!ready_) {
      probe();
    }
    delete_expired();
    lock.lock();
    if (left_behind_) return;
    working_.clear();
  }
  files_.clear();
  done_ = true;
  ended_.notify_all();
}

void FileOutput::write_out() {
  const std::span<const Chunk> chunks = working_.chunks();
  std::vector<Outcome> outcomes(chunks.size());
  std::vector<File*> unsynced(chunks.size());
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    Outcome& outcome = outcomes[i];
    File* file = file_for(chunks[i].topic, outcome.message);
    if (file == nullptr) continue;
    const File::Written written = file->write(chunks[i], give_up_);
    outcome.lines = written.lines;
    outcome.torn = written.torn;
    if (written.error != 0)
      outcome.message = "Writing to the output '" + options_.output_path + "' failed: " + reason(written.error);
    if (options_.output_fsync && written.lines > 0) {
      // Of more topics than files may be open, the first are closed by now: they are synced before.
      if (chunks.size() <= kMaxOpenFiles) {
        unsynced[i] = file;
      } else {
        outcome.synced = file->sync() == 0;
      }
    }
  }
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    int error = 0;
    if (unsynced[i] != nullptr) error = unsynced[i]->sync();
    if (error != 0) outcomes[i].synced = false;
    if (!outcomes[i].synced && outcomes[i].message.empty())
      outcomes[i].message = "Syncing the output '" + options_.output_path + "' failed: " + reason(error ? error : EIO);
  }
  if (!begin_report()) return;
  const SteadyTime now = std::chrono::steady_clock::now();
  bool failed = false;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    if (!outcomes[i].message.empty()) {
      failed = true;
      trouble(chunks[i].topic, outcomes[i].message);
    }
  }
  if (!failed) recovered();
  for (std::size_t i = 0; i < chunks.size(); ++i) settle(chunks[i], outcomes[i], now);
  end_report();
}

// What is said of slots and events_ is said between these, unless `stop` has said it already.
bool FileOutput::begin_report() {
  const std::lock_guard lock(mutex_);
  reporting_ = !left_behind_;
  return reporting_;
}

void FileOutput::end_report() {
  const std::lock_guard lock(mutex_);
  reporting_ = false;
}

void FileOutput::settle(const Chunk& chunk, const Outcome& outcome, SteadyTime now) {
  const std::vector<Line>& lines = chunk.lines;
  const std::size_t delivered = outcome.synced ? outcome.lines : 0;
  for (std::size_t i = 0; i < delivered;) {
    const SteadyTime handed_over = lines[i].handed_over;
    std::size_t end = i + 1;
    while (end < delivered && lines[end].handed_over == handed_over) ++end;
    events_.record_delivered(kProducer, now - handed_over, end - i);
    for (; i < end; ++i) {
      if (lines[i].slot->abandoned()) events_.late_delivery(kProducer, true);
      lines[i].slot->succeed();
    }
  }
  for (std::size_t i = delivered; i < lines.size(); ++i) {
    const bool unknown = i < outcome.lines || (i == outcome.lines && outcome.torn);
    if (lines[i].slot->abandoned()) events_.late_delivery(kProducer, false);
    events_.record_failed(kProducer, chunk.topic, kProducer, outcome.message);
    lines[i].slot->fail({unknown ? Delivery::unknown : Delivery::not_produced, outcome.message});
  }
}

File* FileOutput::file_for(const std::string& topic, std::string& message) {
  const SteadyTime now = std::chrono::steady_clock::now();
  File& file = files_[topic];
  file.used = ++uses_;
  if (file.is_open() && now - file.looked >= kLookAgain) {
    file.looked = now;
    if (file.moved()) file = File();
  }
  if (file.is_open()) return &file;

  int error = 0;
  fs::path path(options_.output_path);
  if (directory_mode_) {
    path = directory_ / topic / partition_name(hour_) / ("part-" + start_name_ + ".ndjson");
    // Somebody's retention may delete an empty directory between the two steps.
    for (int attempt = 0; attempt < 3; ++attempt) {
      std::error_code failed;
      fs::create_directories(path.parent_path(), failed);
      error = failed ? failed.value() : File::open(path, true, file);
      if (error != ENOENT) break;
    }
  } else if (options_.output_path == "stdout") {
    error = File::open_stdout(file);
  } else {
    error = File::open(path, false, file);
  }
  if (error != 0) {
    message = "Opening the output '" + path.string() + "' failed: " + reason(error);
    files_.erase(topic);
    return nullptr;
  }
  file.used = uses_;
  file.looked = now;
  if (options_.output_fsync && file.regular()) sync_directories(path, directory_);
  if (files_.size() > kMaxOpenFiles)
    files_.erase(std::min_element(files_.begin(), files_.end(),
                                  [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  return &file;
}

void FileOutput::trouble(const std::string& topic, const std::string& message) {
  failed_topic_ = topic;
  const bool first = ready_.exchange(false, std::memory_order_acq_rel);
  {
    const std::lock_guard lock(mutex_);
    unready_ = message;
  }
  if (first) events_.sink_warning(kProducer, message);
}

void FileOutput::recovered() {
  if (ready_.exchange(true, std::memory_order_acq_rel)) return;
  {
    const std::lock_guard lock(mutex_);
    unready_.clear();
  }
  events_.sink_warning(kProducer, "The output '" + options_.output_path + "' can be written again");
}

// A gate that is not ready gets no requests, so it must find out by itself that the disk has space again.
void FileOutput::probe() {
  std::string message;
  File* file = file_for(failed_topic_, message);
  if (file == nullptr || file->probe() != 0 || !begin_report()) return;
  recovered();
  end_report();
}

void FileOutput::turn_of_the_hour() {
  if (!directory_mode_) return;
  const auto now = options_.now();
  const Hour hour = std::chrono::floor<std::chrono::hours>(now);
  if (hour == hour_) return;
  hour_ = hour;
  files_.clear();
  if (options_.output_retention.count() > 0) expired_ = partitions_before(directory_, now - options_.output_retention);
}

// One at a time, between writes: deleting large files takes its time.
void FileOutput::delete_expired() {
  if (expired_.empty()) return;
  fs::path path = std::move(expired_.back());
  expired_.pop_back();
  std::error_code error;
  fs::remove_all(path, error);
  if (error && begin_report()) {
    events_.sink_warning(kProducer, "output_retention: '" + path.string() + "' cannot be deleted: " + error.message());
    end_report();
  }
  if (error) return;
  // The day, month and year that are empty now.
  for (int level = 0; level < 3 && ::rmdir(path.parent_path().c_str()) == 0; ++level) path = path.parent_path();
}

std::chrono::nanoseconds FileOutput::longest_wait() const {
  if (!expired_.empty()) return std::chrono::nanoseconds(0);
  if (!ready_) return kLookAgain;
  if (!directory_mode_) return std::chrono::hours(1);
  const auto now = options_.now();
  return std::chrono::floor<std::chrono::hours>(now) + std::chrono::hours(1) - now;
}

bool FileOutput::stop(SteadyTime deadline) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  wake_.notify_one();
  const auto ended = [this] { return done_; };
  if (ended_.wait_until(lock, deadline, ended)) return true;
  give_up_ = true;
  if (ended_.wait_for(lock, std::chrono::milliseconds(300), ended)) return true;
  if (reporting_ && ended_.wait_for(lock, std::chrono::seconds(5), ended)) return true;
  if (left_behind_) return false;
  left_behind_ = true;
  const std::string message = "The output '" + options_.output_path + "' did not take it before the end";
  for (const Chunk& chunk : working_.chunks())
    for (const Line& line : chunk.lines) line.slot->fail({Delivery::unknown, message});
  for (const Chunk& chunk : waiting_.chunks())
    for (const Line& line : chunk.lines) line.slot->fail({Delivery::not_produced, message});
  waiting_.clear();
  return false;
}

class FileSink final : public Sink {
 public:
  FileSink(FileSinkOptions options, IntakeEvents& events)
      : output_(std::make_shared<FileOutput>(std::move(options), events)),
        thread_([output = output_] { output->run(); }) {}

  ~FileSink() override { stop(std::chrono::steady_clock::now() + std::chrono::seconds(10)); }

  std::string_view name() const override { return kProducer; }
  void produce(std::span<const Record> records, Assurance) override { output_->produce(records); }
  void warm(const std::string&) override {}
  std::optional<std::string> unready() const override { return output_->unready(); }

  void stop(std::chrono::steady_clock::time_point deadline) override {
    if (!thread_.joinable()) return;
    if (output_->stop(deadline)) {
      thread_.join();
    } else {
      thread_.detach();
    }
  }

 private:
  std::shared_ptr<FileOutput> output_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Sink> make_file_sink(FileSinkOptions options, IntakeEvents& events) {
  return std::make_unique<FileSink>(std::move(options), events);
}

}  // namespace eventgate
