#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eventgate/delivery/record.hpp"
#include "eventgate/files/file_sink.hpp"
#include "line_buffer.hpp"
#include "output_files.hpp"

namespace eventgate {

/// Writes the records of a file sink. `produce` puts lines into a buffer; a thread that calls `run` writes and syncs
/// all waiting lines together, and settles their handles.
///
/// The sink and the thread share it, so that a thread which hangs in a dead file system can be left behind.
///
/// Thread-safe, except for `run`.
class FileWriter : public std::enable_shared_from_this<FileWriter> {
 public:
  /// `telemetry` must outlive this. Throws std::runtime_error naming `output_path` if it cannot be opened or created.
  FileWriter(FileSinkOptions options, Telemetry& telemetry);

  /// As Sink::produce.
  void produce(std::span<const Record> records);
  /// As Sink::not_ready_reason.
  std::optional<std::string> not_ready_reason() const;
  /// Opens the output again before the next write.
  void reopen();
  /// Writes until `stop`. Call once, on a thread of its own.
  void run();
  /// Makes `run` write the waiting lines and return. At `deadline` fails the lines that are left. Returns false if the
  /// thread hangs in a write.
  bool stop(SteadyTime deadline);

 private:
  /// The result of writing one chunk.
  struct WriteResult {
    std::size_t lines = 0;  // lines that are written as a whole
    bool torn = false;      // a part of the next line is written
    bool certain = true;    // false if it is not known what of it is kept
    std::string error;      // empty if all lines are written
  };

  void wake_writer();
  void write_all();
  void write_stream(OutputFile& file, const LineChunk& chunk);
  void write_chunk(OutputFile& file, const LineChunk& chunk, WriteResult& result);
  void finish_chunk(OutputFile* file, const LineChunk& chunk, WriteResult& result);
  bool begin_report();
  void end_report();
  void report_reopened();
  void succeed_lines(const LineChunk& chunk, std::size_t begin, std::size_t end, SteadyTime now);
  void fail_line(const LineChunk& chunk, std::size_t index, Delivery delivery, const std::string& message);
  void settle_chunk(const LineChunk& chunk, const WriteResult& result, SteadyTime now);
  void reopen_files();
  void set_not_ready(const std::string& topic, const std::string& message);
  void set_ready();
  void probe_output();
  void check_hour();
  RetentionOfTopic retention() const;
  void delete_expired_partition();
  std::chrono::nanoseconds time_to_next_check() const;

  const FileSinkOptions options_;
  Telemetry& telemetry_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable ended_;
  LineBuffer waiting_;
  bool flush_requested_ = false;   // the thread must run
  bool flush_posted_ = false;      // an I/O thread will call `wake_writer`
  bool reopen_requested_ = false;  // the thread must open the files again
  bool stopping_ = false;
  bool reporting_ = false;    // the thread settles handles
  bool left_behind_ = false;  // `stop` has settled all handles, and the thread must not
  bool done_ = false;
  std::string not_ready_reason_;  // empty if it is ready
  std::atomic<bool> ready_{true};
  std::atomic<bool> give_up_{false};

  // The writing thread only. But `stop` reads the handles in `working_` when the thread hangs in a write.
  LineBuffer working_;
  OutputFiles files_;
  std::vector<std::filesystem::path> expired_partitions_;
  std::string failed_topic_;
};

}  // namespace eventgate
