#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "eventgate/sinks/sink.hpp"

namespace eventgate {

class IntakeEvents;

struct FileSinkOptions {
  /// A file, `stdout`, or a directory (ends in a slash, or is one): see spec delivery, "Outputs".
  std::string output_path = "./events/";
  bool output_fsync = false;
  std::chrono::hours output_retention{0};  ///< 0: keep for ever.

  /// The time of writing, which names the partition. Called on the writer's thread.
  std::function<std::chrono::system_clock::time_point()> now = [] { return std::chrono::system_clock::now(); };
};

/// Writes records as lines, on a thread of its own; what waits is written and synced together. A line is a whole record
/// or is not there: what an error tears is cut off again. Several processes may write below one directory, each in
/// files of its own. A file that was moved or deleted is made again within a second.
/// Throws std::runtime_error naming `output_path` if it cannot be opened or made.
std::unique_ptr<Sink> make_file_sink(FileSinkOptions options, IntakeEvents& events);

}  // namespace eventgate
