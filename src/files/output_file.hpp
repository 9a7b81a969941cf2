#pragma once

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventgate {

class DeliveryHandle;
using SteadyTime = std::chrono::steady_clock::time_point;

/// The place of one event's line in a Chunk.
struct Line {
  DeliveryHandle* handle;
  std::size_t end;  ///< In Chunk::bytes.
  SteadyTime handed_over;
};

/// Lines for one file.
struct Chunk {
  std::string topic;  ///< Empty if there is one file for all.
  std::string bytes;
  std::vector<Line> lines;
};

/// An open output of the file sink: a regular file, which may be moved or removed, or a pipe, a socket or a device,
/// which may take nothing for a while.
///
/// One thread at a time.
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

  /// Opens or makes the file at `path`. `own`: no other process writes there. Otherwise a lock tells. Returns 0 or the
  /// error.
  static int open(const std::string& path, bool own, OutputFile& file);
  static int open_stdout(OutputFile& file);
  void close();

  bool is_open() const { return fd_ >= 0; }
  bool regular() const { return S_ISREG(status_.st_mode); }
  /// Whether no other process writes to the regular file.
  bool alone() const { return alone_; }
  const std::string& path() const { return path_; }

  /// Whether it is a regular file that can be found at its path, and not what a path below /dev or /proc stands for.
  bool watched() const;

  enum class Place {
    here,     ///< At its path, or not `watched`.
    moved,    ///< Its path leads to another file, or to none.
    removed,  ///< It has no name any more.
  };
  Place place() const;

  /// It is to be opened again before the next write, because of `cause`, which lives as long as the program.
  void leave(std::string_view cause) { left_ = cause; }
  /// That cause; empty if it is not to be opened again.
  std::string_view left() const { return left_; }

  struct Written {
    std::size_t lines = 0;  ///< Whole lines, from the first.
    bool torn = false;      ///< A part of the one after them is there, too, and stays.
    int error = 0;
  };

  /// Writes `chunk` to a regular file. Blocks as long as the disk does.
  Written write(const Chunk& chunk);

  /// Sends at most `size` bytes to an output that is no regular file, and sets `size` to those sent. Returns EAGAIN if
  /// it takes nothing now, or another error. A line that was torn before is ended first. Does not block, unless it is a
  /// pipe that could not be opened anew and another process fills it at this moment.
  int send(const char* bytes, std::size_t& size);

  /// Waits until such an output takes bytes. ETIMEDOUT at `until`, ECANCELED once `give_up` is set, up to 100 ms later.
  int wait(SteadyTime until, const std::atomic<bool>& give_up) const;

  /// A line of it ends early: the next one begins on a line of its own.
  void tear() { torn_ = true; }

  int sync() const;

  /// Whether a write is likely to succeed again: 0, or the error that is likely.
  int probe() const;

  SteadyTime looked{};
  std::uint64_t used = 0;

 private:
  void swap(OutputFile& other) noexcept;
  int write_bytes(const char* bytes, std::size_t& done, std::size_t end);
  bool cut_off(std::size_t bytes);

  int fd_ = -1;
  std::string path_;  ///< Empty: stdout.
  struct stat status_ {};
  std::string_view left_;
  bool alone_ = false;  ///< Nobody else writes, so the end is ours to cut.
  bool torn_ = false;   ///< It ends within a line.
};

}  // namespace eventgate
