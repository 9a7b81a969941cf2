#pragma once

#include <chrono>
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
};

/// Writes records as lines, on a thread of its own; what waits is written and synced together.
/// Throws std::runtime_error naming `output_path` if it cannot be opened or made.
std::unique_ptr<Sink> make_file_sink(FileSinkOptions options, IntakeEvents& events);

}  // namespace eventgate
