#include "eventgate/files/file_sink.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
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

#include "eventgate/base/topic_name.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "output_file.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Hour = std::chrono::sys_time<std::chrono::hours>;

constexpr std::string_view kProducer = "file";
constexpr std::size_t kMaxOpenFiles = 128;
constexpr std::size_t kMaxWaitingBytes = 256u << 20;  // beyond it records are refused
constexpr std::size_t kWriteNowBytes = 256u << 10;    // as much is written before the I/O thread has come around
constexpr std::size_t kKeptBytes = 1u << 20;          // of a buffer's capacity, and
constexpr std::size_t kKeptChunks = 64;               // as many buffers are used again
constexpr std::chrono::seconds kLookAgain{1};         // a file is looked for before a write so long after the last one

constexpr std::chrono::seconds kProbeInterval{1};
constexpr int kRewrites = 3;  // of a batch whose file is removed again and again

std::string reason(int error) { return std::generic_category().message(error); }

/// How long a line may wait for a pipe. It is less than what its client waits for, which may be short by
/// `DeadlineTimers::kSweep`, so that the client hears what the writer says.
std::chrono::milliseconds longest_write(std::chrono::milliseconds produce_timeout) {
  return std::max(
      {produce_timeout - std::chrono::milliseconds(400), produce_timeout / 2, std::chrono::milliseconds(1)});
}

/// Lines that wait, by file.
class Lines {
 public:
  bool empty() const { return used_ == 0; }
  std::size_t bytes() const { return bytes_; }
  std::span<const Chunk> chunks() const { return {chunks_.data(), used_}; }

  void append(std::string_view topic, std::string_view value, DeliveryHandle* handle, SteadyTime handed_over) {
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
    chunk.lines.push_back({handle, chunk.bytes.size(), handed_over});
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
  FileOutput(FileSinkOptions options, Telemetry& events) : options_(std::move(options)), events_(events) {
    std::error_code error;
    const std::string& path = options_.output_path;
    directory_mode_ = path != "stdout" && (path.ends_with('/') || fs::is_directory(path, error));
    start_name_ = start_name(options_.now());
    int failed = 0;
    if (path == "stdout") {
      failed = OutputFile::open_stdout(files_[""]);
    } else if (directory_mode_) {
      directory_ = fs::path(path);
      if (!directory_.has_filename()) directory_ = directory_.parent_path();
      fs::create_directories(directory_, error);
      failed = error ? error.value() : ::access(directory_.c_str(), W_OK | X_OK) == 0 ? 0 : errno;
    } else {
      failed = OutputFile::open(path, false, files_[""]);
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
  std::optional<std::string> not_ready_reason() const;
  void reopen();
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
  void write_stream(OutputFile& file, const Chunk& chunk);
  void write(OutputFile& file, const Chunk& chunk, Outcome& outcome);
  void finish(OutputFile* file, const Chunk& chunk, Outcome& outcome);
  bool begin_report();
  void end_report();
  void report_reopened();
  void deliver(const Chunk& chunk, std::size_t begin, std::size_t end, SteadyTime now);
  void fail(const Chunk& chunk, std::size_t index, Delivery delivery, const std::string& message);
  void settle(const Chunk& chunk, const Outcome& outcome, SteadyTime now);
  void reopen_files();
  OutputFile* file_for(const std::string& topic, std::string& message);
  void trouble(const std::string& topic, const std::string& message);
  void recovered();
  void probe();
  void turn_of_the_hour();
  void delete_expired();
  std::chrono::nanoseconds longest_wait() const;

  FileSinkOptions options_;
  Telemetry& events_;
  bool directory_mode_ = false;
  fs::path directory_;
  std::string start_name_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable ended_;
  Lines waiting_;
  bool flush_ = false;   // the thread is to look
  bool posted_ = false;  // an I/O thread will call `flush`
  bool reopen_ = false;  // the thread is to open its files anew
  bool stopping_ = false;
  bool reporting_ = false;
  bool left_behind_ = false;
  bool done_ = false;
  std::string unready_;  // why, empty if it can produce
  std::atomic<bool> ready_{true};
  std::atomic<bool> give_up_{false};

  // The thread's own, but that `stop` reads the handles of `working_` when the thread is stuck in writing them.
  Lines working_;
  std::unordered_map<std::string, OutputFile> files_;  // by topic, or one of no name
  struct Reopened {
    std::string path;
    std::string_view cause;
  };
  std::vector<Reopened> reopened_;  // and not reported yet
  std::uint64_t uses_ = 0;
  Hour hour_{};
  std::vector<fs::path> expired_;
  std::string failed_topic_;
};

void FileOutput::produce(std::span<const Record> records) {
  if (records.empty()) return;
  events_.record_handed_over(kProducer, records.size());
  const SteadyTime now = std::chrono::steady_clock::now();
  const IoExecutor executor = records.front().handle->executor();
  // What was refused, to be settled without the lock.
  std::vector<std::pair<const Record*, std::string>> refused;
  bool post = false;
  {
    const std::lock_guard lock(mutex_);
    for (const Record& record : records) {
      if (stopping_) {
        refused.emplace_back(&record, "The output is being closed");
      } else if (directory_mode_ && !is_topic_name(record.topic)) {
        refused.emplace_back(&record, kInvalidTopicMessage);
      } else if (waiting_.bytes() + record.value.size() > kMaxWaitingBytes) {
        refused.emplace_back(&record, "The output '" + options_.output_path +
                                          "' is too slow: " + std::to_string(waiting_.bytes()) + " bytes wait for it");
      } else {
        waiting_.append(directory_mode_ ? record.topic : std::string_view(), record.value, record.handle, now);
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
    record->handle->fail({Delivery::not_produced, std::move(message)});
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

std::optional<std::string> FileOutput::not_ready_reason() const {
  if (ready_.load(std::memory_order_acquire)) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return unready_.empty() ? std::nullopt : std::optional(unready_);
}

void FileOutput::reopen() {
  {
    const std::lock_guard lock(mutex_);
    reopen_ = flush_ = true;
  }
  wake_.notify_one();
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
    const bool reopen = std::exchange(reopen_, false);
    std::swap(waiting_, working_);
    lock.unlock();
    turn_of_the_hour();
    if (reopen) reopen_files();
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
  std::vector<OutputFile*> written(chunks.size());
  // Of more topics than files may be open, the first are closed by the end: each is finished at once.
  const bool together = chunks.size() <= kMaxOpenFiles;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    OutputFile* file = file_for(chunks[i].topic, outcomes[i].message);
    if (file == nullptr) continue;
    if (!file->regular()) return write_stream(*file, chunks[i]);  // the only one
    write(*file, chunks[i], outcomes[i]);
    if (together) {
      written[i] = file;
    } else {
      finish(file, chunks[i], outcomes[i]);
    }
  }
  for (std::size_t i = 0; i < chunks.size(); ++i)
    if (written[i] != nullptr) finish(written[i], chunks[i], outcomes[i]);
  if (!begin_report()) return;
  report_reopened();
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

void FileOutput::write(OutputFile& file, const Chunk& chunk, Outcome& outcome) {
  const OutputFile::Written written = file.write(chunk);
  outcome = Outcome();
  outcome.lines = written.lines;
  outcome.torn = written.torn;
  if (written.error != 0)
    outcome.message = "Writing to the output '" + options_.output_path + "' failed: " + reason(written.error);
}

/// Syncs what was written, and makes sure that its file can still be found. A file that was removed took the lines with
/// it, so they are written again to a new one.
void FileOutput::finish(OutputFile* file, const Chunk& chunk, Outcome& outcome) {
  for (int rewrites = 0;; ++rewrites) {
    if (options_.output_fsync && outcome.lines > 0) {
      if (const int error = file->sync(); error != 0) {
        outcome.synced = false;
        if (outcome.message.empty())
          outcome.message = "Syncing the output '" + options_.output_path + "' failed: " + reason(error);
      }
    }
    const OutputFile::Place place = file->place();
    if (place == OutputFile::Place::here) return;
    file->leave(place == OutputFile::Place::moved ? "moved" : "removed");
    if (place == OutputFile::Place::moved) return;
    // Somebody may read the file that has no name any more: what is in it and nowhere else is not `not_produced`.
    outcome.synced = false;
    if (rewrites == kRewrites) {
      outcome.message = "The output '" + file->path() + "' is removed again and again";
      return;
    }
    std::string message;
    file = file_for(chunk.topic, message);
    if (file == nullptr) {
      outcome.message = std::move(message);
      return;
    }
    write(*file, chunk, outcome);
  }
}

/// Writes to a pipe, a socket or a device, and settles each line when it is out. A line that is not out in time fails
/// alone: `unknown` if a part of it is out, else `not_produced`.
void FileOutput::write_stream(OutputFile& file, const Chunk& chunk) {
  const std::vector<Line>& lines = chunk.lines;
  const std::chrono::milliseconds limit = longest_write(options_.produce_timeout);
  std::size_t settled = 0;  // lines
  std::size_t next = 0;     // the first line that is not out
  std::size_t done = 0;     // bytes that are out, or given up
  bool failed = false;
  while (next < lines.size()) {
    // A pipe takes as much as PIPE_BUF in one piece, so what others write to it falls between lines.
    std::size_t last = next + 1;
    while (last < lines.size() && lines[last].end - done <= PIPE_BUF) ++last;
    std::size_t size = std::min<std::size_t>(lines[last - 1].end - done, PIPE_BUF);
    int error = file.send(chunk.bytes.data() + done, size);
    if (error == 0) {
      done += size;
      while (next < lines.size() && lines[next].end <= done) ++next;
      continue;
    }
    if (error == EAGAIN) {
      // Before it waits.
      if (settled < next) {
        if (!begin_report()) return;
        deliver(chunk, settled, next, std::chrono::steady_clock::now());
        end_report();
        settled = next;
      }
      error = file.wait(lines[next].handed_over + limit, give_up_);
      if (error == 0) continue;
    }
    const SteadyTime now = std::chrono::steady_clock::now();
    const bool torn = done > (next == 0 ? 0 : lines[next - 1].end);
    std::size_t end = lines.size();
    if (error == ETIMEDOUT) {
      end = next + 1;
      while (end < lines.size() && lines[end].handed_over + limit <= now) ++end;
    }
    const std::string message =
        error == ETIMEDOUT   ? "The output '" + options_.output_path + "' did not take it within produce_timeout"
        : error == ECANCELED ? "The output '" + options_.output_path + "' did not take it before the end"
                             : "Writing to the output '" + options_.output_path + "' failed: " + reason(error);
    if (!begin_report()) return;
    failed = true;
    trouble(chunk.topic, message);
    deliver(chunk, settled, next, now);
    for (std::size_t i = next; i < end; ++i)
      fail(chunk, i, i == next && torn ? Delivery::unknown : Delivery::not_produced, message);
    end_report();
    if (torn) file.tear();
    settled = next = end;
    done = lines[end - 1].end;
  }
  if (!begin_report()) return;
  if (!failed) recovered();
  deliver(chunk, settled, next, std::chrono::steady_clock::now());
  end_report();
}

// What is said of handles and events_ is said between these, unless `stop` has said it already.
bool FileOutput::begin_report() {
  const std::lock_guard lock(mutex_);
  reporting_ = !left_behind_;
  return reporting_;
}

void FileOutput::end_report() {
  const std::lock_guard lock(mutex_);
  reporting_ = false;
}

void FileOutput::report_reopened() {
  for (const Reopened& file : reopened_) events_.output_reopened(kProducer, file.path, file.cause);
  reopened_.clear();
}

void FileOutput::deliver(const Chunk& chunk, std::size_t begin, std::size_t end, SteadyTime now) {
  const std::vector<Line>& lines = chunk.lines;
  for (std::size_t i = begin; i < end;) {
    const SteadyTime handed_over = lines[i].handed_over;
    std::size_t same = i + 1;
    while (same < end && lines[same].handed_over == handed_over) ++same;
    events_.record_delivered(kProducer, now - handed_over, same - i);
    for (; i < same; ++i) {
      if (lines[i].handle->timed_out()) events_.late_delivery(kProducer, true);
      lines[i].handle->succeed();
    }
  }
}

void FileOutput::fail(const Chunk& chunk, std::size_t index, Delivery delivery, const std::string& message) {
  DeliveryHandle& handle = *chunk.lines[index].handle;
  if (handle.timed_out()) events_.late_delivery(kProducer, false);
  events_.record_failed(kProducer, chunk.topic, kProducer, message);
  handle.fail({delivery, message});
}

void FileOutput::settle(const Chunk& chunk, const Outcome& outcome, SteadyTime now) {
  const std::size_t delivered = outcome.synced ? outcome.lines : 0;
  deliver(chunk, 0, delivered, now);
  for (std::size_t i = delivered; i < chunk.lines.size(); ++i) {
    const bool unknown = i < outcome.lines || (i == outcome.lines && outcome.torn);
    fail(chunk, i, unknown ? Delivery::unknown : Delivery::not_produced, outcome.message);
  }
}

/// At SIGHUP. Part files are opened when there is something to write to them.
void FileOutput::reopen_files() {
  bool any = false;
  for (auto& [topic, file] : files_) {
    if (!file.is_open() || !file.watched()) continue;
    file.leave("sighup");
    any = true;
  }
  if (!any || directory_mode_) return;
  std::string message;
  const bool opened = file_for("", message) != nullptr;
  if (!begin_report()) return;
  report_reopened();
  if (!opened) trouble("", message);
  end_report();
}

OutputFile* FileOutput::file_for(const std::string& topic, std::string& message) {
  const SteadyTime now = std::chrono::steady_clock::now();
  OutputFile& file = files_[topic];
  file.used = ++uses_;
  if (file.is_open() && file.left().empty() && now - file.looked >= kLookAgain) {
    const OutputFile::Place place = file.place();
    if (place != OutputFile::Place::here) file.leave(place == OutputFile::Place::moved ? "moved" : "removed");
  }
  file.looked = now;
  if (file.is_open() && file.left().empty()) return &file;

  const std::string_view cause = file.left();
  OutputFile opened;
  int error = 0;
  fs::path path(options_.output_path);
  if (directory_mode_) {
    path = directory_ / topic / partition_name(hour_) / ("part-" + start_name_ + ".ndjson");
    // Somebody's retention may delete an empty directory between the two steps.
    for (int attempt = 0; attempt < 3; ++attempt) {
      std::error_code failed;
      fs::create_directories(path.parent_path(), failed);
      error = failed ? failed.value() : OutputFile::open(path, true, opened);
      if (error != ENOENT) break;
    }
  } else if (options_.output_path == "stdout") {
    error = OutputFile::open_stdout(opened);
  } else {
    // The lock of the file before must not be in the way.
    file.close();
    error = OutputFile::open(path, false, opened);
  }
  if (error != 0) {
    message = "Opening the output '" + path.string() + "' failed: " + reason(error);
    file.close();
    if (cause.empty()) files_.erase(topic);
    return nullptr;
  }
  file = std::move(opened);
  file.used = uses_;
  file.looked = now;
  if (!cause.empty()) reopened_.push_back({path.string(), cause});
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
  OutputFile* file = file_for(failed_topic_, message);
  if (file == nullptr || file->probe() != 0 || !begin_report()) return;
  report_reopened();
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
  if (!ready_) return kProbeInterval;
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
    for (const Line& line : chunk.lines) line.handle->fail({Delivery::unknown, message});
  for (const Chunk& chunk : waiting_.chunks())
    for (const Line& line : chunk.lines) line.handle->fail({Delivery::not_produced, message});
  waiting_.clear();
  return false;
}

class FileSink final : public Sink {
 public:
  FileSink(FileSinkOptions options, Telemetry& events)
      : output_(std::make_shared<FileOutput>(std::move(options), events)),
        thread_([output = output_] { output->run(); }) {}

  ~FileSink() override { stop(std::chrono::steady_clock::now() + std::chrono::seconds(10)); }

  std::string_view name() const override { return kProducer; }
  void produce(std::span<const Record> records, Assurance) override { output_->produce(records); }
  void prefetch_metadata(const std::string&) override {}
  std::optional<std::string> not_ready_reason() const override { return output_->not_ready_reason(); }
  std::function<void()> reload() override {
    return [output = output_] { output->reopen(); };
  }

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

std::unique_ptr<Sink> make_file_sink(FileSinkOptions options, Telemetry& events) {
  return std::make_unique<FileSink>(std::move(options), events);
}

}  // namespace eventgate
