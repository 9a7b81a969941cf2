#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace eventgate {

class DeliveryHandle;
using SteadyTime = std::chrono::steady_clock::time_point;

/// One event's line in a LineChunk. It begins where the line before it ends.
struct BufferedLine {
  DeliveryHandle* handle;
  std::size_t end;  ///< Offset in LineChunk::bytes, behind the line end.
  SteadyTime handed_over;
};

/// Lines that go to one file.
struct LineChunk {
  std::string topic;  ///< Empty if all topics share one file.
  std::string bytes;
  std::vector<BufferedLine> lines;
};

/// Lines that wait to be written, in one chunk for each topic. FileWriter fills one buffer while it writes another.
///
/// Use on one thread at a time.
class LineBuffer {
 public:
  bool is_empty() const { return used_ == 0; }
  /// Returns the bytes of all lines.
  std::size_t bytes() const { return bytes_; }
  std::span<const LineChunk> chunks() const { return {chunks_.data(), used_}; }

  /// Adds `value`, a JSON text, as a line. Line ends between its tokens become spaces.
  void append(std::string_view topic, std::string_view value, DeliveryHandle* handle, SteadyTime handed_over);

  /// Removes all lines, and keeps some of the memory for the next ones.
  void clear();

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  LineChunk& chunk_for(std::string_view topic);

  std::vector<LineChunk> chunks_;  // the first `used_` hold lines
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> by_topic_;
  std::size_t used_ = 0;
  std::size_t last_ = 0;  // chunk of the last line
  std::size_t bytes_ = 0;
};

}  // namespace eventgate
