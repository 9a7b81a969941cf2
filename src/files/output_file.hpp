#pragma once

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "line_buffer.hpp"

namespace eventgate {

/// Returns the text of an errno value.
std::string error_text(int error);

/// An open output of the file sink. A regular file may be moved or removed by other processes. A pipe, a socket or a
/// device, a "stream" here, may take no bytes for a while.
///
/// Functions that return an int return 0 or an errno value. Use on one thread at a time.
class OutputFile {
 public:
  OutputFile() = default;
  OutputFile(OutputFile&& other) noexcept { swap(other); }
  OutputFile& operator=(OutputFile&& other) noexcept {
    OutputFile taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~OutputFile() { close(); }

  /// Opens or creates the file at `path`. `own`: no other process writes to it. If false, a lock on the file decides
  /// that.
  static int open(const std::string& path, bool own, OutputFile& file);
  static int open_stdout(OutputFile& file);
  void close();

  bool is_open() const { return fd_ >= 0; }
  bool is_regular() const { return S_ISREG(status_.st_mode); }
  /// Returns true if no other process writes to the regular file.
  bool is_exclusive() const { return exclusive_; }
  const std::string& path() const { return path_; }

  /// Returns true for a regular file whose path can be checked. False for paths below /dev and /proc, which stand for
  /// something else.
  bool is_watched() const;

  enum class Place {
    here,     ///< At its path, or not `is_watched`.
    moved,    ///< Its path leads to another file, or to none.
    removed,  ///< The file has no name left.
  };
  Place place() const;

  /// Requests that the file is opened again before the next write. `cause` must have static lifetime.
  void request_reopen(std::string_view cause) { reopen_cause_ = cause; }
  /// Returns the cause. Empty if there was no request.
  std::string_view reopen_cause() const { return reopen_cause_; }

  struct Written {
    std::size_t lines = 0;  ///< Lines that are written as a whole, from the first.
    bool torn = false;      ///< A part of the next line is written, too, and could not be cut off.
    int error = 0;          ///< 0 or an errno value.
  };

  /// Writes `chunk` to a regular file. Cuts a partly written line off again. Blocks as long as the disk does.
  Written write(const LineChunk& chunk);

  /// Sends at most `size` bytes to a stream, and sets `size` to the bytes sent. Ends a torn line first. Returns EAGAIN
  /// if the stream takes nothing now. Does not block, except for an inherited pipe that another process fills at this
  /// moment.
  int send(const char* bytes, std::size_t& size);

  /// Waits until a stream takes bytes. Returns ETIMEDOUT at `until`, and ECANCELED at most 100 ms after `give_up` is
  /// set.
  int wait(SteadyTime until, const std::atomic<bool>& give_up) const;

  /// Marks the last line as incomplete. The next write begins on a new line.
  void mark_torn() { torn_ = true; }

  /// Syncs a regular file to disk.
  int sync() const;

  /// Returns 0 if a write is likely to succeed, or the error that is likely. Writes nothing.
  int probe() const;

  // For OutputFiles.
  SteadyTime checked_at{};     ///< When `place` was called last.
  std::uint64_t last_use = 0;  ///< Number of the last use.

 private:
  void swap(OutputFile& other) noexcept;
  int write_bytes(const char* bytes, std::size_t& done, std::size_t end);
  bool cut_off(std::size_t bytes);

  int fd_ = -1;
  std::string path_;  ///< Empty for stdout.
  struct stat status_ {};
  std::string_view reopen_cause_;
  bool exclusive_ = false;  ///< No other process writes, so that a partly written line may be cut off.
  bool torn_ = false;       ///< The file ends within a line.
};

}  // namespace eventgate
