#include "file_writer.hpp"

#include <limits.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <csignal>
#include <utility>

#include "eventgate/base/topic_name.hpp"
#include "eventgate/telemetry/telemetry.hpp"

namespace eventgate {
namespace {

constexpr std::string_view kProducer = "file";
constexpr std::size_t kMaxWaitingBytes = 256u << 20;  // waiting lines; beyond it records are refused
constexpr std::size_t kWriteNowBytes = 256u
                                       << 10;  // waiting lines; then the thread writes before the I/O thread is idle
constexpr int kMaxRewrites = 3;                // if the file of a chunk is removed again and again
constexpr std::chrono::seconds kProbeInterval{1};  // between probes of an output that failed
constexpr std::chrono::milliseconds kGiveUpGrace{
    300};                                        // for the thread to see `give_up_`: OutputFile::wait needs 100 ms
constexpr std::chrono::seconds kReportGrace{5};  // for the thread to settle the handles of a batch

/// Returns how long a line may wait for a pipe. It is shorter than the wait of its client, which may end
/// `DeadlineTimers::kSweep` early, so that the client gets the writer's error.
std::chrono::milliseconds max_line_wait(std::chrono::milliseconds produce_timeout) {
  return std::max(
      {produce_timeout - std::chrono::milliseconds(400), produce_timeout / 2, std::chrono::milliseconds(1)});
}

}  // namespace

FileWriter::FileWriter(FileSinkOptions options, Telemetry& telemetry)
    : options_(std::move(options)),
      telemetry_(telemetry),
      files_(options_.output_path, options_.output_fsync, options_.now()) {
  if (files_.is_shared())
    telemetry_.sink_warning(kProducer, "output_path '" + options_.output_path +
                                           "': another process writes to this file, so a line that a full disk tears "
                                           "cannot be cut off; give each process its own file, or name a directory");
}

void FileWriter::produce(std::span<const Record> records) {
  if (records.empty()) return;
  telemetry_.record_handed_over(kProducer, records.size());
  const SteadyTime now = std::chrono::steady_clock::now();
  const IoExecutor executor = records.front().handle->executor();
  // Settled without the lock.
  std::vector<std::pair<const Record*, std::string>> refused;
  bool post = false;
  {
    const std::lock_guard lock(mutex_);
    for (const Record& record : records) {
      if (stopping_) {
        refused.emplace_back(&record, "The output is being closed");
      } else if (files_.is_directory() && !is_topic_name(record.topic)) {
        refused.emplace_back(&record, kInvalidTopicMessage);
      } else if (waiting_.bytes() + record.value.size() > kMaxWaitingBytes) {
        refused.emplace_back(&record, "The output '" + options_.output_path +
                                          "' is too slow: " + std::to_string(waiting_.bytes()) + " bytes wait for it");
      } else {
        waiting_.append(files_.is_directory() ? record.topic : std::string_view(), record.value, record.handle, now);
      }
    }
    if (!waiting_.is_empty() && !flush_requested_) {
      if (waiting_.bytes() >= kWriteNowBytes) {
        flush_requested_ = true;
        wake_.notify_one();
      } else if (!flush_posted_) {
        post = flush_posted_ = true;
      }
    }
  }
  // Posted behind the requests that are ready now, so that all of them together cost one wake-up and one write.
  if (post) boost::asio::post(executor, [self = shared_from_this()] { self->wake_writer(); });
  for (auto& [record, message] : refused) {
    telemetry_.record_failed(kProducer, record->topic, kProducer, message);
    record->handle->fail({Delivery::not_produced, std::move(message)});
  }
}

void FileWriter::wake_writer() {
  {
    const std::lock_guard lock(mutex_);
    flush_posted_ = false;
    flush_requested_ = true;
  }
  wake_.notify_one();
}

std::optional<std::string> FileWriter::not_ready_reason() const {
  if (ready_.load(std::memory_order_acquire)) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return not_ready_reason_.empty() ? std::nullopt : std::optional(not_ready_reason_);
}

void FileWriter::reopen() {
  {
    const std::lock_guard lock(mutex_);
    reopen_requested_ = flush_requested_ = true;
  }
  wake_.notify_one();
}

void FileWriter::run() {
  // Signals are handled elsewhere. A limit on file sizes or a closed pipe then is an error and not a signal.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  // SCHED_BATCH: the thread does not interrupt an I/O thread on the same core, so each write takes more lines.
  const sched_param priority{};
  if (::sched_getscheduler(0) == SCHED_OTHER) ::sched_setscheduler(0, SCHED_BATCH, &priority);

  std::unique_lock lock(mutex_);
  for (;;) {
    const auto has_work = [this] { return flush_requested_ || stopping_; };
    if (!has_work()) {
      lock.unlock();
      check_hour();
      const auto pause = time_to_next_check();
      lock.lock();
      if (pause.count() > 0) wake_.wait_for(lock, pause, has_work);
    }
    if (stopping_ && waiting_.is_empty()) break;
    flush_requested_ = false;
    const bool reopen = std::exchange(reopen_requested_, false);
    std::swap(waiting_, working_);
    lock.unlock();
    check_hour();
    if (reopen) reopen_files();
    if (!working_.is_empty()) {
      write_all();
    } else if (!ready_) {
      probe_output();
    }
    delete_expired_partition();
    lock.lock();
    if (left_behind_) return;
    working_.clear();
  }
  files_.close_all();
  done_ = true;
  ended_.notify_all();
}

void FileWriter::write_all() {
  const std::span<const LineChunk> chunks = working_.chunks();
  std::vector<WriteResult> results(chunks.size());
  std::vector<OutputFile*> written(chunks.size());
  // With more topics than open files, a later `open` closes the first files, so each file is finished at once.
  const bool together = chunks.size() <= OutputFiles::kMaxOpen;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    OutputFile* file = files_.open(chunks[i].topic, results[i].error);
    if (file == nullptr) continue;
    if (!file->is_regular()) return write_stream(*file, chunks[i]);  // the only chunk
    write_chunk(*file, chunks[i], results[i]);
    if (together) {
      written[i] = file;
    } else {
      finish_chunk(file, chunks[i], results[i]);
    }
  }
  for (std::size_t i = 0; i < chunks.size(); ++i)
    if (written[i] != nullptr) finish_chunk(written[i], chunks[i], results[i]);
  if (!begin_report()) return;
  report_reopened();
  const SteadyTime now = std::chrono::steady_clock::now();
  bool failed = false;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    if (!results[i].error.empty()) {
      failed = true;
      set_not_ready(chunks[i].topic, results[i].error);
    }
  }
  if (!failed) set_ready();
  for (std::size_t i = 0; i < chunks.size(); ++i) settle_chunk(chunks[i], results[i], now);
  end_report();
}

void FileWriter::write_chunk(OutputFile& file, const LineChunk& chunk, WriteResult& result) {
  const OutputFile::Written written = file.write(chunk);
  result = WriteResult();
  result.lines = written.lines;
  result.torn = written.torn;
  if (written.error != 0)
    result.error = "Writing to the output '" + options_.output_path + "' failed: " + error_text(written.error);
}

/// Syncs the written lines, and checks that their file is still at its path. If it was removed, writes them again to a
/// new file.
void FileWriter::finish_chunk(OutputFile* file, const LineChunk& chunk, WriteResult& result) {
  for (int rewrites = 0;; ++rewrites) {
    if (options_.output_fsync && result.lines > 0) {
      if (const int error = file->sync(); error != 0) {
        result.certain = false;
        if (result.error.empty())
          result.error = "Syncing the output '" + options_.output_path + "' failed: " + error_text(error);
      }
    }
    const OutputFile::Place place = file->place();
    if (place == OutputFile::Place::here) return;
    file->request_reopen(place == OutputFile::Place::moved ? "moved" : "removed");
    if (place == OutputFile::Place::moved) return;
    // Another process may still read the file without a name, so a line in it alone is not `not_produced`.
    result.certain = false;
    if (rewrites == kMaxRewrites) {
      result.error = "The output '" + file->path() + "' is removed again and again";
      return;
    }
    std::string message;
    file = files_.open(chunk.topic, message);
    if (file == nullptr) {
      result.error = std::move(message);
      return;
    }
    write_chunk(*file, chunk, result);
  }
}

/// Writes to a pipe, a socket or a device, and settles each line when all of it is sent. A line that is not sent in
/// time fails alone: as `unknown` if a part of it is sent, else as `not_produced`.
void FileWriter::write_stream(OutputFile& file, const LineChunk& chunk) {
  const std::vector<BufferedLine>& lines = chunk.lines;
  const std::chrono::milliseconds limit = max_line_wait(options_.produce_timeout);
  std::size_t settled = 0;  // lines that are settled
  std::size_t next = 0;     // first line that is not sent as a whole
  std::size_t done = 0;     // bytes that are sent or given up
  bool failed = false;
  while (next < lines.size()) {
    // A pipe takes up to PIPE_BUF bytes atomically, so other processes' bytes do not get into a line.
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
      // Settles the sent lines before it waits.
      if (settled < next) {
        if (!begin_report()) return;
        succeed_lines(chunk, settled, next, std::chrono::steady_clock::now());
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
                             : "Writing to the output '" + options_.output_path + "' failed: " + error_text(error);
    if (!begin_report()) return;
    failed = true;
    set_not_ready(chunk.topic, message);
    succeed_lines(chunk, settled, next, now);
    for (std::size_t i = next; i < end; ++i)
      fail_line(chunk, i, i == next && torn ? Delivery::unknown : Delivery::not_produced, message);
    end_report();
    if (torn) file.mark_torn();
    settled = next = end;
    done = lines[end - 1].end;
  }
  if (!begin_report()) return;
  if (!failed) set_ready();
  succeed_lines(chunk, settled, next, std::chrono::steady_clock::now());
  end_report();
}

// The thread settles handles and calls telemetry only between these two, and only if `begin_report` returns true.
// Otherwise `stop` has settled all handles.
bool FileWriter::begin_report() {
  const std::lock_guard lock(mutex_);
  reporting_ = !left_behind_;
  return reporting_;
}

void FileWriter::end_report() {
  const std::lock_guard lock(mutex_);
  reporting_ = false;
}

void FileWriter::report_reopened() {
  for (const OutputFiles::Reopened& file : files_.take_reopened())
    telemetry_.output_reopened(kProducer, file.path, file.cause);
}

void FileWriter::succeed_lines(const LineChunk& chunk, std::size_t begin, std::size_t end, SteadyTime now) {
  const std::vector<BufferedLine>& lines = chunk.lines;
  for (std::size_t i = begin; i < end;) {
    const SteadyTime handed_over = lines[i].handed_over;
    std::size_t same = i + 1;
    while (same < end && lines[same].handed_over == handed_over) ++same;
    telemetry_.record_delivered(kProducer, now - handed_over, same - i);
    for (; i < same; ++i) {
      if (lines[i].handle->timed_out()) telemetry_.late_delivery(kProducer, true);
      lines[i].handle->succeed();
    }
  }
}

void FileWriter::fail_line(const LineChunk& chunk, std::size_t index, Delivery delivery, const std::string& message) {
  DeliveryHandle& handle = *chunk.lines[index].handle;
  if (handle.timed_out()) telemetry_.late_delivery(kProducer, false);
  telemetry_.record_failed(kProducer, chunk.topic, kProducer, message);
  handle.fail({delivery, message});
}

void FileWriter::settle_chunk(const LineChunk& chunk, const WriteResult& result, SteadyTime now) {
  const std::size_t delivered = result.certain ? result.lines : 0;
  succeed_lines(chunk, 0, delivered, now);
  for (std::size_t i = delivered; i < chunk.lines.size(); ++i) {
    const bool unknown = i < result.lines || (i == result.lines && result.torn);
    fail_line(chunk, i, unknown ? Delivery::unknown : Delivery::not_produced, result.error);
  }
}

/// Opens the single file now. Part files are opened when a line for them comes.
void FileWriter::reopen_files() {
  if (!files_.reopen_all() || files_.is_directory()) return;
  std::string message;
  const bool opened = files_.open("", message) != nullptr;
  if (!begin_report()) return;
  report_reopened();
  if (!opened) set_not_ready("", message);
  end_report();
}

void FileWriter::set_not_ready(const std::string& topic, const std::string& message) {
  failed_topic_ = topic;
  const bool first = ready_.exchange(false, std::memory_order_acq_rel);
  {
    const std::lock_guard lock(mutex_);
    not_ready_reason_ = message;
  }
  if (first) telemetry_.sink_warning(kProducer, message);
}

void FileWriter::set_ready() {
  if (ready_.exchange(true, std::memory_order_acq_rel)) return;
  {
    const std::lock_guard lock(mutex_);
    not_ready_reason_.clear();
  }
  telemetry_.sink_warning(kProducer, "The output '" + options_.output_path + "' can be written again");
}

// A gate that is not ready gets no requests, so no write would show that the disk has space again.
void FileWriter::probe_output() {
  std::string message;
  OutputFile* file = files_.open(failed_topic_, message);
  if (file == nullptr || file->probe() != 0 || !begin_report()) return;
  report_reopened();
  set_ready();
  end_report();
}

void FileWriter::check_hour() {
  if (!files_.is_directory()) return;
  const auto now = options_.now();
  if (!files_.start_hour(now) || (!options_.retention && options_.output_retention.count() == 0)) return;
  DuePartitions due = due_partitions(files_.directory(), retention(), now);
  if (!begin_report()) return;
  telemetry_.purge_checked(due.is_suspicious() ? suspicion_text(due, files_.directory()) : std::string());
  end_report();
  expired_partitions_ = due.is_suspicious() ? std::vector<std::filesystem::path>() : std::move(due.paths);
}

RetentionOfTopic FileWriter::retention() const {
  if (options_.retention) return options_.retention;
  return [hours = options_.output_retention](std::string_view) { return hours; };
}

// Called between writes, and deletes one partition at a time, because large files take long to delete.
void FileWriter::delete_expired_partition() {
  if (expired_partitions_.empty()) return;
  const std::filesystem::path path = std::move(expired_partitions_.back());
  expired_partitions_.pop_back();
  const std::error_code error = remove_partition(path);
  if (!begin_report()) return;
  if (error) {
    telemetry_.sink_warning(kProducer,
                            "output_retention: '" + path.string() + "' cannot be deleted: " + error.message());
  } else {
    telemetry_.partition_purged(path.native());
  }
  end_report();
}

std::chrono::nanoseconds FileWriter::time_to_next_check() const {
  if (!expired_partitions_.empty()) return std::chrono::nanoseconds(0);
  if (!ready_) return kProbeInterval;
  if (!files_.is_directory()) return std::chrono::hours(1);
  const auto now = options_.now();
  return std::chrono::floor<std::chrono::hours>(now) + std::chrono::hours(1) - now;
}

bool FileWriter::stop(SteadyTime deadline) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  wake_.notify_one();
  const auto is_done = [this] { return done_; };
  if (ended_.wait_until(lock, deadline, is_done)) return true;
  give_up_ = true;
  if (ended_.wait_for(lock, kGiveUpGrace, is_done)) return true;
  if (reporting_ && ended_.wait_for(lock, kReportGrace, is_done)) return true;
  if (left_behind_) return false;
  left_behind_ = true;
  const std::string message = "The output '" + options_.output_path + "' did not take it before the end";
  for (const LineChunk& chunk : working_.chunks())
    for (const BufferedLine& line : chunk.lines) line.handle->fail({Delivery::unknown, message});
  for (const LineChunk& chunk : waiting_.chunks())
    for (const BufferedLine& line : chunk.lines) line.handle->fail({Delivery::not_produced, message});
  waiting_.clear();
  return false;
}

}  // namespace eventgate
